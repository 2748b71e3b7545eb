"""How the tests of backends submit, wait and look."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from google.protobuf import json_format

from kfnb import entities
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.local import LocalRunEngine
from kfnb.resources.runs.local.folder import RunFolder


def spec_of(pipeline: Any) -> dict[str, Any]:
    """The PipelineSpec of a KFP pipeline, as its YAML file holds it."""
    return json_format.MessageToDict(pipeline.pipeline_spec)


def submission(pipeline: Any, folder: Path, cache: bool = False, **arguments: Any) -> Submission:
    """A submission of a KFP pipeline (or of a spec), without the cache unless asked for."""
    spec = pipeline if isinstance(pipeline, dict) else spec_of(pipeline)
    return Submission(spec=spec, arguments=arguments, name="test", cache=cache, folder=str(folder))


def wait(backend: LocalRunEngine, run_id: str, seconds: float = 30) -> entities.RunSnapshot:
    """The run once it is finished."""
    return wait_until(lambda: backend.get(run_id), lambda run: run.state.finished, seconds)


def wait_until(look: Callable[[], Any], good: Callable[[Any], bool], seconds: float = 30) -> Any:
    """What ``look`` sees as soon as that is good."""
    until = time.monotonic() + seconds
    while not good(seen := look()):
        assert time.monotonic() < until, f"still {seen} after {seconds} s"
        time.sleep(0.02)
    return seen


def text(backend: LocalRunEngine, run_id: str, task: str | None = None) -> str:
    """All that was logged."""
    return "\n".join(line.text for line in filter(None, backend.logs(run_id, task)))


def task(run: entities.RunSnapshot, name: str) -> entities.Task:
    """The run's one task of that name or id."""
    (found,) = [item for item in run.tasks if name in (item.id, item.name)]
    return found


def tasks(run: entities.RunSnapshot, name: str) -> list[entities.Task]:
    """The run's tasks of that name: one an iteration."""
    return [item for item in run.tasks if item.name == name]


def marked(backend: LocalRunEngine, run_id: str) -> list[int]:
    """All processes of a run that are alive."""
    from kfnb.jobs import system

    return system.here().tagged(tag_of(backend, run_id))


def tag_of(backend: LocalRunEngine, run_id: str) -> str:
    """What the processes of a run are tagged with."""
    return RunFolder(backend._home / "runs" / run_id).tag
