"""The public functions: what the magics and the command ``kfnb`` are thin fronts of."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kfnb import model
from kfnb.backends.backend import Backend, Submission
from kfnb.backends.comparison import compared
from kfnb.backends.run import Run, RunList
from kfnb.config import settings
from kfnb.errors import RunNotFound, UsageError
from kfnb.pipeline import graph
from kfnb.pipeline import pipeline as pipelines
from kfnb.pipeline.pipeline import Built, Pipeline
from kfnb.pipeline.sdk import load_pipeline
from kfnb.pipeline.spec import Compiled, check_arguments, read_spec
from kfnb.pipeline.view import view_component
from kfnb.pipeline.workspace import workspace

if TYPE_CHECKING:
    from kfnb.backends.local import LocalBackend


def submit(
    pipeline: Any,
    arguments: Mapping[str, Any] | None = None,
    *,
    backend: str | None = None,
    name: str | None = None,
    experiment: str | None = None,
    cache: bool = True,
) -> Run:
    """Start a run of a pipeline and return its handle at once.

    ``pipeline`` is the name of one that this notebook defined, a kfnb or KFP pipeline object, or the path of a
    compiled PipelineSpec or of a program of KFP's SDK. ``arguments`` are typed and checked by the pipeline's own
    parameters. ``backend``, ``experiment`` and ``cache`` default to the settings. Raises ``PipelineError``,
    ``ArgumentError`` and ``BackendError`` before anything has started.
    """
    compiled = spec_of(pipeline)
    submission = Submission(
        spec=compiled.spec,
        platform=compiled.platform,
        arguments=check_arguments(compiled.spec, arguments or {}),
        name=name or f"{compiled.name}-{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        experiment=settings().experiment if experiment is None else experiment,
        cache=cache and settings().cache,
        folder=str(workspace().notebook.folder.resolve()),
    )
    chosen = backend_of(backend)
    return Run(chosen, chosen.submit(submission))


def run(id: str) -> Run:
    """The run with that id, or the start of one that is unique. Raises ``RunNotFound``."""
    chosen = backend_of(None)
    return Run(chosen, chosen.get(id).id)


def runs(*, limit: int = 20, backend: str | None = None) -> RunList:
    """The newest runs."""
    chosen = backend_of(backend)
    return RunList(lambda: chosen.list(limit=limit))


def compare(*runs: str | Run | model.Run, whole: bool = False) -> model.Comparison:
    """Two runs or more side by side: what differs between them, and with ``whole`` what does not.

    A run is given by its id, the start of one that is unique, or itself. Raises ``RunNotFound``.
    """
    found = {one.id: one for one in map(_data, runs)}
    if len(found) <= 1:
        raise UsageError(f"give two runs or more to compare, not {', '.join(found) or 'none'}")
    return compared(list(found.values()), whole=whole)


def _data(one: str | Run | model.Run) -> model.Run:
    if isinstance(one, model.Run):
        return one if one.tasks else run(one.id).snapshot()  # a list of runs has them without their tasks
    return (run(one) if isinstance(one, str) else one).snapshot()


def prune(*, keep: int = 20) -> list[str]:
    """Remove the local runs that are finished, all but the newest ``keep``; the ids of those removed.

    Their outputs and artifacts go with them; what the cache and the environments hold stays.
    """
    if keep < 0:
        raise UsageError(f"keep={keep}: a number of runs is 0 or more")
    return _local().prune(keep)


def log_lines(id: str | None = None, task: str | None = None, *, follow: bool = False) -> Iterator[str]:
    """The lines that a run's tasks wrote, of the newest run by default.

    Without ``task``, those of all, each after its task's name. With ``follow``, as they come, until the run is
    finished.
    """
    chosen = backend_of(None)
    if id is None:
        newest = chosen.list(limit=1)
        if not newest:
            raise RunNotFound("there are no runs yet")
        id = newest[0].id
    for line in filter(None, chosen.logs(chosen.get(id).id, task, follow=follow)):
        yield line.text if task else f"{line.task}  {line.text}"


def compile(pipeline: Any, path: str | Path) -> Path:
    """Write a pipeline to ``path``: as KFP's YAML, or for a ``.py`` as a program of KFP's SDK that compiles to it."""
    target = Path(path)
    try:
        _write(pipeline, target)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror or error}") from None
    return target


def _write(pipeline: Any, target: Path) -> None:
    if target.suffix not in (".py", ".yaml", ".yml", ".json"):
        raise UsageError(f"{target} is neither .yaml nor .py: a pipeline is written as one of them")
    if target.suffix != ".py":
        pipelines.write_yaml(_kfp_object(pipeline), target)
        return
    if pipelines.is_kfp(pipeline):
        raise UsageError(
            "a KFP pipeline object is a program already: only a notebook's pipeline is written as one"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(built(pipeline).program, encoding="utf-8")


def _kfp_object(pipeline: Any) -> Any:
    if pipelines.is_kfp(pipeline):
        return pipeline
    if _is_program(pipeline):
        return load_pipeline(str(pipeline))
    made = built(pipeline)
    return pipelines.compile_program(made.pipeline.name, made.program)


def show(name: str) -> model.ComponentView | model.Graph:
    """What a component takes with it and why, or a pipeline's graph before it runs."""
    current = workspace()
    if name in current.notebook.components:
        return view_component(current.notebook, current.notebook.components[name], settings().base_image)
    compiled = spec_of(name)
    return graph.graph_of(compiled)


def spec_of(pipeline: Any) -> Compiled:
    """The compiled form of anything that can be submitted."""
    if pipelines.is_kfp(pipeline):
        return pipelines.from_kfp(pipeline)
    if _is_program(pipeline):
        return pipelines.from_kfp(load_pipeline(str(pipeline)))
    if str(pipeline).endswith(".ipynb"):
        raise UsageError(
            f"{pipeline} is a notebook: kfnb run executes it, and its own %kf_submit runs its pipelines"
        )
    if isinstance(pipeline, Path) or (isinstance(pipeline, str) and _is_path(pipeline)):
        return read_spec(pipeline)
    return pipelines.compiled(built(pipeline))


def built(pipeline: str | Pipeline) -> Built:
    """A notebook's pipeline, made of its components as they are now."""
    if isinstance(pipeline, str):
        pipeline = workspace().pipeline(pipeline)
    if not isinstance(pipeline, Pipeline):
        raise UsageError(
            f"{pipeline!r} is no pipeline: give a name, a pipeline object, or a compiled file's path"
        )
    return pipelines.build(pipeline, image=settings().base_image, index_urls=settings().index_urls)


def _is_program(pipeline: Any) -> bool:
    """Whether a file of KFP's SDK is meant: ``file.py``, or ``file.py:NAME``."""
    return isinstance(pipeline, str | Path) and str(pipeline).partition(":")[0].endswith(".py")


def _is_path(text: str) -> bool:
    return text.endswith((".yaml", ".yml", ".json")) or "/" in text


def backend_of(name: str | None) -> Backend:
    """The backend called ``name``, by default the one in the settings."""
    chosen = name or settings().backend or "local"
    if chosen != "local":
        raise UsageError(f"no backend is called {chosen}; there is local")
    return _local()


def _local() -> LocalBackend:
    from kfnb.backends.local import LocalBackend

    chosen = settings()
    return LocalBackend(Path(chosen.home), jobs=chosen.jobs, secrets=chosen.secrets, linger=chosen.warm)


__all__ = ["compare", "compile", "log_lines", "prune", "run", "runs", "show", "submit"]
