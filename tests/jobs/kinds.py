"""The kinds of jobs that there are, as the tests that each of them must pass see them: add yours to ``KINDS``."""

# a step is as KFP wants it
# ruff: noqa: T201

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from google.protobuf import json_format
from kfp import dsl

from kfnb.entities import RunState
from kfnb.jobs.folder import JobFolder
from kfnb.jobs.polling import Polled
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.handle import Run
from kfnb.resources.runs.local import LocalRunEngine
from kfnb.resources.runs.local.folder import RunFolder
from kfnb.resources.studies.handle import Study
from kfnb.resources.studies.local.engine import LocalStudyEngine
from kfnb.resources.studies.local.folder import StudyFolder
from kfnb.resources.studies.model import Dimension, Objective
from kfnb.resources.studies.search import Search, TrialSubject
from tests.registry.kettles.local.engine import LocalKettleEngine
from tests.registry.kettles.local.folder import KettleFolder


class Jobs(Protocol):
    """Jobs of one kind. Each works for so many seconds and has said "at work" before."""

    def start(self, seconds: float) -> str:
        """Start one, and return its name."""
        ...

    def state(self, name: str) -> RunState: ...
    def error(self, name: str) -> str: ...
    def notes(self, name: str) -> tuple[str, ...]: ...
    def logs(self, name: str) -> str: ...
    def observe(self, name: str) -> Polled: ...
    def stop(self, name: str) -> None: ...
    def again(self, name: str) -> None: ...
    def delete(self, name: str) -> None: ...
    def listed(self) -> dict[str, RunState]: ...
    def folder(self, name: str) -> JobFolder: ...


@dsl.component(base_image="python:3.11-slim")
def work(seconds: float, x: float) -> float:
    import subprocess
    import sys
    import time

    print("at work", flush=True)
    until = time.monotonic() + seconds
    subprocess.run([sys.executable, "-c", f"import time; time.sleep({seconds})"], check=False)
    time.sleep(max(0.0, until - time.monotonic()))
    return x


@dsl.pipeline(name="working")
def working(seconds: float = 0.0, x: float = 0.5) -> float:
    return work(seconds=seconds, x=x).output


SPEC: dict[str, Any] = json_format.MessageToDict(working.pipeline_spec)


class Runs:
    def __init__(self, folder: Path) -> None:
        self._folder, self._engine = folder, LocalRunEngine(folder / "home", jobs=2)

    def start(self, seconds: float) -> str:
        told = {"seconds": seconds}
        order = Submission(spec=SPEC, arguments=told, name="working", cache=False, folder=str(self._folder))
        return self._engine.submit(order)

    def state(self, name: str) -> RunState:
        return self._engine.get(name).state

    def error(self, name: str) -> str:
        return self._engine.get(name).error

    def notes(self, name: str) -> tuple[str, ...]:
        return self._engine.get(name).notes

    def logs(self, name: str) -> str:
        return Run(self._engine, name).logs("work")

    def observe(self, name: str) -> Polled:
        return Run(self._engine, name).observe()

    def stop(self, name: str) -> None:
        self._engine.stop(name)

    def again(self, name: str) -> None:
        self._engine.retry(name)

    def delete(self, name: str) -> None:
        self._engine.delete(name)

    def listed(self) -> dict[str, RunState]:
        return {run.id: run.state for run in self._engine.list()}

    def folder(self, name: str) -> JobFolder:
        return RunFolder(self._folder / "home" / "runs" / name)


class Studies:
    def __init__(self, folder: Path) -> None:
        self._folder, self._engine, self._made = folder, LocalStudyEngine(folder / "home", jobs=2), 0

    def start(self, seconds: float) -> str:
        self._made += 1
        name = f"study{self._made}"
        told = {"seconds": seconds}
        subject = TrialSubject(name, SPEC, arguments=told, step="work", folder=str(self._folder))
        space = (Dimension("x", "float", 0.0, 1.0),)
        self._engine.start(Search(name, subject, Objective("Output"), space, max_trials=1, seed=1))
        return name

    def state(self, name: str) -> RunState:
        return self._engine.get(name).state

    def error(self, name: str) -> str:
        return self._engine.get(name).error

    def notes(self, name: str) -> tuple[str, ...]:
        return self._engine.get(name).notes

    def logs(self, name: str) -> str:
        return Study(self._engine, name).logs(0)

    def observe(self, name: str) -> Polled:
        return self._engine.observe(name)

    def stop(self, name: str) -> None:
        self._engine.stop(name)

    def again(self, name: str) -> None:
        self._engine.resume(name)

    def delete(self, name: str) -> None:
        self._engine.delete(name)

    def listed(self) -> dict[str, RunState]:
        return {study.name: study.state for study in self._engine.list()}

    def folder(self, name: str) -> JobFolder:
        return StudyFolder(self._folder / "home" / "studies" / name)


class Kettles:
    """Of a made-up noun, which kfnb knows nothing of: see ``tests/registry``."""

    def __init__(self, folder: Path) -> None:
        self._home, self._engine, self._made = folder / "home", LocalKettleEngine(folder / "home"), 0

    def start(self, seconds: float) -> str:
        self._made += 1
        name = f"kettle{self._made}"
        self._engine.put_on(name, 100.0, seconds)
        return name

    def state(self, name: str) -> RunState:
        return self._engine.get(name).state

    def error(self, name: str) -> str:
        return self._engine.get(name).error

    def notes(self, name: str) -> tuple[str, ...]:
        return self._engine.get(name).notes

    def logs(self, name: str) -> str:
        return self._engine.logs(name).rstrip("\n")

    def observe(self, name: str) -> Polled:
        return self._engine.observe(name)

    def stop(self, name: str) -> None:
        self._engine.stop(name)

    def again(self, name: str) -> None:
        self._engine.again(name)

    def delete(self, name: str) -> None:
        self._engine.take_off(name)

    def listed(self) -> dict[str, RunState]:
        return {kettle.name: kettle.state for kettle in self._engine.list()}

    def folder(self, name: str) -> JobFolder:
        return KettleFolder(self._home / "kettles" / name)


KINDS: dict[str, Callable[[Path], Jobs]] = {"runs": Runs, "studies": Studies, "kettles": Kettles}


def until(seen: Callable[[], Any], seconds: float = 40) -> Any:
    """What is seen, as soon as it is something."""
    end = time.monotonic() + seconds
    while not (now := seen()):
        assert time.monotonic() < end, f"not after {seconds} s"
        time.sleep(0.05)
    return now
