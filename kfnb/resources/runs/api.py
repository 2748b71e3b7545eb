"""The public functions: what the magics and the command ``kfnb`` are thin fronts of."""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kfnb import model
from kfnb.errors import RunNotFound, UsageError, did_you_mean
from kfnb.pipeline import graph
from kfnb.pipeline import pipeline as pipelines
from kfnb.pipeline.component_view import view_component
from kfnb.pipeline.pipeline import Built, Pipeline
from kfnb.pipeline.sdk import load_pipeline
from kfnb.pipeline.spec import Compiled, check_arguments, outline, read_spec
from kfnb.pipeline.workspace import workspace
from kfnb.resources.runs.backend import Backend, Submission
from kfnb.resources.runs.comparison import compared
from kfnb.resources.runs.handle import Run, RunList
from kfnb.resources.runs.selection import Selection
from kfnb.resources.schedules.handle import Schedule, ScheduleList
from kfnb.settings import settings
from kfnb.text import timespec
from kfnb.text.timespec import instant

if TYPE_CHECKING:
    from kfnb.backends.kubeflow import KubeflowBackend
    from kfnb.backends.local import LocalBackend
    from kfnb.resources.studies.handle import Study

_MOST_AT_ONCE = 10
"""How many runs of a schedule KFP has at once, at most."""


def submit(  # noqa: PLR0913 - how a pipeline is to run; they are keywords
    pipeline: Any,
    arguments: Mapping[str, Any] | None = None,
    *,
    backend: str | None = None,
    name: str | None = None,
    experiment: str | None = None,
    cache: bool = True,
    from_study: str | Study | None = None,
    env: Sequence[str] = (),
    tell: Callable[[str], None] = print,
) -> Run:
    """Start a run of a pipeline and return its handle at once.

    ``pipeline`` is the name of one that this notebook defined, a kfnb or KFP pipeline object, or the path of a
    compiled PipelineSpec or of a program of KFP's SDK. ``arguments`` are typed and checked by the pipeline's own
    parameters. ``backend``, ``experiment`` and ``cache`` default to the settings. With ``from_study``, a study or its
    name, its best parameters stand for arguments that are not given. ``env`` are names of environment variables whose
    values here the steps are to have on a cluster; here they have all. ``tell`` is told, before the run starts, what
    will differ there, and how far files of the notebook's folder are uploaded. Raises ``PipelineError``,
    ``ArgumentError`` and ``BackendError`` before anything has started.
    """
    # the arguments of a study are known only once the pipeline's own are
    compiled = spec_of(pipeline, given=(arguments or {}) if from_study is None else None)
    best, origin = ({}, "") if from_study is None else _best(from_study, compiled)
    submission = Submission(
        spec=compiled.spec,
        platform=compiled.platform,
        arguments=check_arguments(compiled.spec, {**best, **(arguments or {})}),
        name=name or f"{compiled.name}-{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        experiment=settings().experiment if experiment is None else experiment,
        cache=cache and settings().cache,
        folder=folder(),
        study=origin if set(best) - set(arguments or {}) else "",
        env=_values(env),
        tell=tell,
    )
    chosen = backend_of(backend)
    _caution(chosen, submission)
    return Run(chosen, chosen.submit(submission))


def _values(names: Sequence[str]) -> dict[str, str]:
    """The environment variables with these names. Raises ``UsageError`` for one that is not set."""
    for name in names:
        if name not in os.environ:
            bare, given, _ = name.partition("=")
            if given:
                raise UsageError(
                    f"--env {name}: give the name alone, --env {bare}: the value is the one that it has here"
                )
            raise UsageError(f"--env {name}: no environment variable {name} is set here")
    return {name: os.environ[name] for name in names}


def _caution(backend: Backend, submission: Submission) -> None:
    """Tell what will be otherwise than here, before it is."""
    for text in backend.cautions(submission):
        submission.tell(f"note: {text}")


def folder() -> str:
    """The notebook's folder."""
    return str(workspace().notebook.folder.resolve())


def _best(study: str | Study, compiled: Compiled) -> tuple[dict[str, Any], str]:
    """The best parameters of a study that are parameters of a pipeline, and which trial they are from."""
    from kfnb.resources.studies.api import best_arguments

    return best_arguments(study, compiled)


def run(id: str) -> Run:
    """The run with that id, or the start of one that is unique, of the backend in the settings.

    An id that only a run here can have is looked for here. Raises ``RunNotFound``.
    """
    chosen = _home_of(id)
    return Run(chosen, chosen.get(id).id)


def runs(
    *,
    limit: int = 20,
    backend: str | None = None,
    experiment: str = "",
    state: str = "",
    name: str = "",
    since: str | float | datetime | None = None,
    archived: bool = False,
) -> RunList:
    """The newest runs: of an experiment, in a state, with ``name`` in their names, made ``since`` a moment.

    ``since`` is a date, with a time or not, or a span before now (``"2d"``). Those that were archived are among them
    only if ``archived``.
    """
    if limit < 0:
        raise UsageError(f"limit={limit}: a number of runs is 0 or more")
    selection = Selection(
        experiment=experiment,
        state=_state(state) if state else None,
        name=name,
        since=None if since is None else instant(since),
        archived=archived,
    )
    chosen = backend_of(backend)
    return RunList(lambda: chosen.list(selection, limit=limit))


def _state(word: str) -> model.RunState:
    try:
        return model.RunState(word.upper())
    except ValueError:
        there = ", ".join(map(str, model.RunState))
        hint = did_you_mean(word.upper(), map(str, model.RunState))
        raise UsageError(f"unknown state {word}{hint}; there are {there}") from None


def handles(*runs: str | Run | model.Run) -> list[Run]:
    """The handles of runs, each once, given by id, by the start of one, or themselves. Raises ``RunNotFound``."""
    found = [one if isinstance(one, Run) else run(one if isinstance(one, str) else one.id) for one in runs]
    return list({one.id: one for one in found}.values())


def experiments(*, backend: str | None = None) -> model.ExperimentList:
    """The experiments there are. A new one is made by the first run in it."""
    return model.ExperimentList(backend_of(backend).experiments())


def upload(
    pipeline: Any,
    name: str | None = None,
    version: str | None = None,
    description: str = "",
    *,
    tell: Callable[[str], None] = print,
) -> model.UploadedPipeline:
    """Keep a pipeline on the cluster under ``name`` (its own by default); where there is one, as a new version of it.

    ``pipeline`` and ``tell`` are as ``submit`` takes them. A version without a name is called by the time, the first by
    the pipeline.
    """
    cluster = _cluster("an upload")
    compiled = spec_of(pipeline)
    return cluster.pipelines.upload(
        compiled.spec,
        compiled.platform,
        name=name or compiled.name,
        version=version or "",
        description=description,
        folder=folder(),
        tell=tell,
    )


def uploads(name: str = "") -> model.UploadList:
    """The uploaded pipelines, each with its newest version; or all versions of the one called ``name``."""
    return _cluster("an upload").pipelines.list(name)


def uploaded(name: str, version: str = "") -> model.UploadedPipeline:
    """A version of an uploaded pipeline, the newest by default."""
    return _cluster("an upload").pipelines.find(name, version)


def schedule(  # noqa: PLR0913 - a schedule is a submission and a rhythm; they are keywords
    pipeline: Any,
    arguments: Mapping[str, Any] | None = None,
    *,
    cron: str | None = None,
    every: str | None = None,
    start: str | float | datetime | None = None,
    end: str | float | datetime | None = None,
    catch_up: bool = True,
    max_concurrency: int = 1,
    enabled: bool = True,
    name: str | None = None,
    experiment: str | None = None,
    cache: bool = True,
    env: Sequence[str] = (),
    tell: Callable[[str], None] = print,
) -> Schedule:
    """Run a pipeline on the cluster again and again, and return the schedule's handle.

    ``pipeline`` is what ``submit`` takes, or an ``UploadedPipeline``. ``cron`` is ``"0 6 * * *"`` (or six fields, the
    second first), in the cluster's time zone, which is UTC where nobody changed it; ``every`` is ``"30m"``, ``"1h"``,
    ``"2d"``. With ``catch_up``, runs that were missed are made up for. ``env``, ``tell`` and errors
    are as of ``submit``.
    """
    from kfnb.backends.kubeflow.schedules import Rhythm

    cluster = _cluster("a schedule")
    if bool(cron) == bool(every):
        raise UsageError('say when: either cron="0 6 * * *" or every="1h"')
    if not 1 <= max_concurrency <= _MOST_AT_ONCE:
        raise UsageError(f"max_concurrency={max_concurrency}: 1 to {_MOST_AT_ONCE} runs go on at once")
    begin = None if start is None else instant(start, ahead=True)
    over = None if end is None else instant(end, ahead=True)
    if over is not None and over <= max(begin or 0, time.time()):
        raise UsageError(f"end={end}: nothing would run before then; give a later moment, or none")
    rhythm = Rhythm(
        cron=timespec.cron(cron) if cron else "",
        every=timespec.span(every) if every else 0,
        start=begin,
        end=over,
        catch_up=catch_up,
        max_concurrency=max_concurrency,
        enabled=enabled,
    )
    kept = pipeline if isinstance(pipeline, model.UploadedPipeline) else None
    compiled = Compiled(*cluster.pipelines.spec(kept)) if kept else spec_of(pipeline)
    submission = Submission(
        spec=compiled.spec,
        platform=compiled.platform,
        arguments=check_arguments(compiled.spec, arguments or {}),
        name=name or compiled.name,
        experiment=settings().experiment if experiment is None else experiment,
        cache=cache and settings().cache,
        env=_values(env),
        folder=folder(),
        tell=tell,
    )
    _caution(cluster, submission)
    # what was uploaded runs as it is; to run without the cache, or with variables, it is sent once more
    as_it_is = submission.cache and not submission.env
    made = cluster.schedules.create(submission, rhythm, kept if as_it_is else None)
    return Schedule(cluster.schedules, made)


def schedules() -> ScheduleList:
    """The schedules there are."""
    kept = _cluster("a schedule").schedules
    return ScheduleList(Schedule(kept, told) for told in kept.list())


def find_schedule(word: str) -> Schedule:
    """The schedule with that id, or the one whose id begins so or that is called so."""
    kept = _cluster("a schedule").schedules
    return Schedule(kept, kept.get(word))


def _cluster(what: str) -> KubeflowBackend:
    """The Kubeflow that the settings name, if only by its address. Raises ``UsageError`` where they name none."""
    chosen = settings()
    if (chosen.backend or _fitting()) == "kubeflow" or (
        not chosen.backend and (chosen.host or chosen.context)
    ):
        return _kubeflow()
    raise UsageError(
        f"{what} needs a cluster, and this is the local backend: %kf_config backend=kubeflow host=ADDRESS "
        "token_file=FILE (or %kf_config context=NAME, of your kubeconfig) goes to one"
    )


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


def newest() -> Run:
    """The newest run, of the backend in the settings. Raises ``RunNotFound`` where there is none."""
    chosen = backend_of(None)
    for found in chosen.list(limit=1):
        return Run(chosen, found.id)
    raise RunNotFound("there are no runs yet")


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
    if name.isidentifier() and name not in current.pipelines:
        raise current.unknown(name)
    compiled = spec_of(name)
    return graph.graph_of(compiled)


def spec_of(pipeline: Any, *, given: Mapping[str, Any] | None = None) -> Compiled:
    """The compiled form of anything that can be submitted.

    Of a notebook's pipeline, ``given`` arguments are checked before it is compiled, which takes longer.
    """
    if isinstance(pipeline, Compiled):
        return pipeline
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
    made = built(pipeline)
    if given is not None:
        check_arguments(outline(made.pipeline.name, made.wired.params.values()), given)
    return pipelines.compiled(made)


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


def stand_by(modules: Iterable[str]) -> None:
    """Where runs go here by default, have a process ready for the first one, with ``modules`` imported."""
    if backend_name(None) == "local":
        _local().stand_by(modules)


def backend_of(name: str | None) -> Backend:
    """The backend called ``name``, by default the one in the settings, else the one that fits where this runs."""
    return _kubeflow() if backend_name(name) == "kubeflow" else _local()


def backend_name(name: str | None) -> str:
    """The name of the backend that ``backend_of`` gives. Raises ``UsageError``."""
    chosen = name or settings().backend or _fitting()
    if chosen not in ("local", "kubeflow"):
        hint = did_you_mean(chosen, ("local", "kubeflow"))
        raise UsageError(f"unknown backend {chosen}{hint}; there are local and kubeflow")
    return chosen


def _fitting() -> str:
    from kfnb.backends.kubeflow import surroundings

    return "kubeflow" if surroundings.read().notebook else "local"


def _kubeflow() -> KubeflowBackend:
    """The backend of the server that the settings name. It is kept, since it knows who looks at which run."""
    global _connected
    from kfnb.backends.kubeflow import surroundings
    from kfnb.backends.kubeflow.connection import Access, connect

    access = Access(**{field.name: getattr(settings(), field.name) for field in fields(Access)})
    wanted = access, surroundings.read()
    if _connected is None or _connected[0] != wanted:
        if _connected is not None:
            _connected[1].close()
        _connected = wanted, connect(*wanted)
    return _connected[1]


_connected: tuple[Any, KubeflowBackend] | None = None


def _home_of(run_id: str) -> Backend:
    """The backend that a run with that id is on: Kubeflow's ids have no dash so early."""
    return _local() if re.match(r"\d{6}-", run_id) else backend_of(None)


def _local() -> LocalBackend:
    from kfnb.backends.local import LocalBackend

    chosen = settings()
    return LocalBackend(Path(chosen.home), jobs=chosen.jobs, secrets=chosen.secrets, linger=chosen.warm)


__all__ = [
    "compare",
    "compile",
    "experiments",
    "find_schedule",
    "handles",
    "newest",
    "prune",
    "run",
    "runs",
    "schedule",
    "schedules",
    "show",
    "stand_by",
    "submit",
    "upload",
    "uploaded",
    "uploads",
]
