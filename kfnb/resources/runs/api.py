"""The public functions of runs."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kfnb import entities, target
from kfnb.aliases import accepts
from kfnb.errors import RunNotFound, UsageError, did_you_mean
from kfnb.pipeline.spec import Compiled, check_arguments
from kfnb.remote.current import Current
from kfnb.resources.components.api import folder, spec_of
from kfnb.resources.datasets.api import with_data
from kfnb.resources.provenance.origin import origin_of
from kfnb.resources.runs.budgets import budget_of, guarded
from kfnb.resources.runs.comparison import compared
from kfnb.resources.runs.destination import destination
from kfnb.resources.runs.engine import RunEngine, Submission
from kfnb.resources.runs.environments import environment_rows
from kfnb.resources.runs.given_variables import values_of
from kfnb.resources.runs.handle import Run, RunList
from kfnb.resources.runs.listing import listed
from kfnb.resources.runs.selection import Selection
from kfnb.settings import settings
from kfnb.target import backend_name
from kfnb.text.timespec import instant

if TYPE_CHECKING:
    from kfnb.catalog.records import Source
    from kfnb.resources.runs.kubeflow import KubeflowRunEngine
    from kfnb.resources.runs.local import LocalRunEngine
    from kfnb.resources.studies.handle import Study
    from kfnb.resources.training.trainer.engine import TrainerEngine


@accepts(tell="notify")
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
    seed: int | None = None,
    budget: float | None = None,
    notify: Callable[[str], None] = print,
) -> Run:
    """Start a run of a pipeline and return its handle at once.

    ``pipeline`` is the name of one that this notebook defined, a kfnb or KFP pipeline object, or the path of a
    compiled PipelineSpec or of a program of KFP's SDK. ``arguments`` are typed and checked by the pipeline's own
    parameters. ``backend``, ``experiment`` and ``cache`` default to the settings. With ``from_study``, a study or its
    name, its best parameters replace arguments that are not given. ``env`` are names of environment variables whose
    values steps on a cluster get; local steps have all variables. ``seed`` (default: the setting) is of the random
    numbers in the steps of a notebook's pipeline. ``budget`` is the most that the run may cost, in the currency of the
    prices: it is stopped when that is passed, on a cluster while this process lives. ``notify`` is called, before the
    run starts, with notes on differences and the progress of uploads of the notebook's files. Raises ``PipelineError``,
    ``ArgumentError`` and ``BackendError`` before anything has started.
    """
    # the arguments of a study are known only once the pipeline's own are
    compiled = spec_of(pipeline, given=(arguments or {}) if from_study is None else None, seed=seed)
    best, origin = ({}, "") if from_study is None else _best(from_study, compiled)
    checked = check_arguments(compiled.spec, {**best, **(arguments or {})})
    submission = Submission(
        spec=with_data(compiled.spec, checked, local=backend_name(backend) == "local"),
        platform=compiled.platform,
        arguments=checked,
        name=name or f"{compiled.name}-{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        experiment=settings().experiment if experiment is None else experiment,
        cache=cache and settings().cache,
        folder=folder(),
        study=origin if set(best) - set(arguments or {}) else "",
        env=values_of(env),
        notes=compiled.unseeded,
        origin=origin_of(compiled.spec, compiled.name, compiled.unseeded),
        budget=budget_of(budget, compiled.name, notify),
        notify=notify,
    )
    chosen = engine_of(backend)
    caution(chosen, submission)
    return guarded(Run(chosen, chosen.submit(submission)), submission)


def caution(engine: RunEngine, submission: Submission) -> None:
    """Print notes on what will differ from the notebook, before the run starts."""
    for text in engine.cautions(submission):
        submission.notify(f"note: {text}")


def _best(study: str | Study, compiled: Compiled) -> tuple[dict[str, Any], str]:
    """The best parameters of a study that are parameters of a pipeline, and their trial."""
    from kfnb.resources.studies.api import best_arguments

    return best_arguments(study, compiled)


def run(id: str) -> Run:
    """The run with an id, or a unique start of an id, on the backend in the settings.

    ``local:ID`` and ``kubeflow:ID`` select a backend; an id in the form of local ids is looked up locally. Raises
    ``RunNotFound``.
    """
    backend, bare = target.split_reference(id)
    chosen = _home_of(bare) if backend is None or bare.startswith("t") else engine_of(backend)
    return Run(chosen, chosen.get(bare).id)


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

    ``since`` is a date, with a time or not, or a span before now (``"2d"``). Archived runs are only included if
    ``archived``.
    """
    if limit < 0:
        raise UsageError(f"limit={limit}: the number of runs must be 0 or more")
    selection = Selection(
        experiment=experiment,
        state=_state(state) if state else None,
        name=name,
        since=None if since is None else instant(since),
        archived=archived,
    )
    chosen = engine_of(backend)
    return RunList(lambda: listed(chosen, trainer_engine, selection, limit))


def _state(word: str) -> entities.RunState:
    try:
        return entities.RunState(word.upper())
    except ValueError:
        known = list(map(str, entities.RunState))
        hint = did_you_mean(word.upper(), known, f"states are {', '.join(known)}")
        raise UsageError(f"unknown state {word}", code="unknown-state", hint=hint, ref=word) from None


def handles(*runs: str | Run | entities.RunSnapshot) -> list[Run]:
    """The handles of runs, each once, given by id, by the start of an id, or as runs. Raises ``RunNotFound``."""
    found = [one if isinstance(one, Run) else run(one if isinstance(one, str) else one.id) for one in runs]
    return list({one.id: one for one in found}.values())


def cluster_engine(what: str) -> KubeflowRunEngine:
    """The Kubeflow that the settings name, if only by its address. Raises ``UsageError`` if they name none."""
    if target.names_a_cluster():
        return _connection.engine()
    raise UsageError(
        f"{what} needs a cluster, but the backend is local:",
        code="cluster-required",
        hint="%kf_config backend=kubeflow host=ADDRESS token_file=FILE (or %kf_config context=NAME, of your"
        " kubeconfig) goes to one",
    )


def compare(*runs: str | Run | entities.RunSnapshot, whole: bool = False) -> entities.Comparison:
    """Two or more runs side by side: what differs between them, and with ``whole`` what does not.

    A run is given by its id, a unique start of its id, or as a run. Raises ``RunNotFound``.
    """
    found = {one.id: one for one in map(_data, runs)}
    if len(found) <= 1:
        raise UsageError(f"give two or more runs to compare, not {', '.join(found) or 'none'}")
    return compared(list(found.values()), environment_rows(map(run, found)), whole=whole)


def _data(one: str | Run | entities.RunSnapshot) -> entities.RunSnapshot:
    if isinstance(one, entities.RunSnapshot):
        return one if one.tasks else run(one.id).snapshot()  # the runs of a list have no tasks
    return (run(one) if isinstance(one, str) else one).snapshot()


def prune(*, keep: int = 20) -> list[str]:
    """Remove all finished local runs but the newest ``keep``; return the ids of the removed runs.

    Their outputs and artifacts are removed too; the cache and the environments are kept.
    """
    if keep < 0:
        raise UsageError(f"keep={keep}: the number of runs must be 0 or more")
    return _local().prune(keep)


def newest() -> Run:
    """The newest run on the backend in the settings. Raises ``RunNotFound`` if there are no runs."""
    chosen = engine_of(None)
    for found in chosen.list(limit=1):
        return Run(chosen, found.id)
    raise RunNotFound("no runs yet")


def prepare(submission: Submission) -> Path | None:
    """Make the environment with the packages of a submission to this machine; its Python. Raises ``BackendError``."""
    return _local().prepare(submission)


def records() -> Source:
    """The runs of the home, as the catalog reads them."""
    from kfnb.resources.runs.local.traces import RunRecords

    return RunRecords(Path(settings().home))


def recorded(id: str) -> tuple[str, Source]:
    """A run of a cluster, by its id or the start of it, as the catalog reads it: its whole id, and its records.

    Raises ``RunNotFound``, ``BackendError``.
    """
    from kfnb.resources.runs.traces import SnapshotRecords

    found = run(id).snapshot()
    return found.id, SnapshotRecords([found])


def stand_by(modules: Iterable[str]) -> None:
    """If the default backend is local, start a process for the first run, with ``modules`` imported."""
    if backend_name(None) == "local":
        _local().stand_by(modules)


def engine_of(name: str | None) -> RunEngine:
    """The engine of the backend ``name``; by default that of the settings, else the one that fits the environment."""
    return _connection.engine() if backend_name(name) == "kubeflow" else _local()


class _Connection:
    """The engine of the server that the settings name, kept because it tracks which runs are observed."""

    def __init__(self) -> None:
        self._current: Current[KubeflowRunEngine] = Current()

    def engine(self) -> KubeflowRunEngine:
        """The engine; a new one if the settings have changed."""
        from kfnb.remote import environment
        from kfnb.resources.runs.kubeflow.connection import Access, connect
        from kfnb.resources.runs.kubeflow.origins import Origins
        from kfnb.resources.runs.kubeflow.trainings import Trainings

        access = Access(**{field.name: getattr(settings(), field.name) for field in fields(Access)})
        around, origins = environment.read(), Origins(Path(settings().home) / "origins")
        return self._current.get(
            (access, around, origins),
            lambda: connect(access, around, destination, Trainings(trainer_engine), origins),
        )


_connection = _Connection()


def trainer_engine() -> TrainerEngine:
    """The engine of trainings on the cluster that the settings name. Raises ``BackendError`` without a cluster."""
    from kfnb.resources.training.trainer.connection import connect

    return connect(destination)


def _home_of(run_id: str) -> RunEngine:
    """The engine of a run with that id: Kubeflow's ids have no dash so early, and are hexadecimal."""
    if run_id.startswith("t"):
        return trainer_engine()
    return _local() if re.match(r"\d{6}-", run_id) else engine_of(None)


def _local() -> LocalRunEngine:
    from kfnb.resources.runs.local import LocalRunEngine

    return LocalRunEngine(Path(settings().home), **local_options())


def local_options() -> dict[str, Any]:
    """The arguments of ``LocalRunEngine`` beside its home, by the settings; as JSON has them."""
    chosen, to = settings(), destination()
    return {
        "jobs": chosen.jobs,
        "secrets": chosen.secrets,
        "linger": chosen.warm,
        "registry": str(to.registry),
        "data_store": to.data_store,
        "owner": to.owner,
    }
