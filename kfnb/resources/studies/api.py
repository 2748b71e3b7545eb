"""The public functions of tuning: what ``%kf_tune`` and its like, and the command ``kfnb``, are thin fronts of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kfnb import target
from kfnb.capture.cell import Cell
from kfnb.capture.component import Options
from kfnb.entities import imported_data
from kfnb.errors import StudyNotFound, UsageError
from kfnb.pipeline.spec import Compiled
from kfnb.pipeline.workspace import workspace
from kfnb.resources.components import api as components_api
from kfnb.resources.datasets.api import with_data
from kfnb.resources.runs.budgets import budget_of
from kfnb.resources.studies import algorithms, conditional_space, model
from kfnb.resources.studies.checks import check
from kfnb.resources.studies.engine import StudyEngine
from kfnb.resources.studies.handle import Study
from kfnb.resources.studies.model import Dimension, Objective
from kfnb.resources.studies.search import Search, SearchTerms, TrialSubject
from kfnb.resources.studies.space import read_space
from kfnb.resources.studies.subject import of_cell, of_component, of_pipeline
from kfnb.settings import settings
from kfnb.target import backend_name
from kfnb.text.timespec import span

if TYPE_CHECKING:
    from kfnb.resources.studies.katib import KatibStudyEngine
    from kfnb.resources.studies.local.engine import LocalStudyEngine

Space = str | Mapping[str, Any] | Callable[[conditional_space.SpaceTrial], Any]

TRIALS = 30
"""The number of trials of a study without a number of trials and without a time limit."""


def tune(  # noqa: PLR0913 - a search has many sides; they are keywords
    subject: Any,
    space: Space,
    *,
    objective: str,
    maximize: bool,
    name: str | None = None,
    goal: float | None = None,
    metrics: Sequence[str] = (),
    algorithm: str = algorithms.DEFAULT,
    early_stopping: str = "",
    settings: Mapping[str, object] | None = None,
    trials: int | None = None,
    parallel: int = 1,
    timeout: float | str | None = None,
    seed: int | None = None,
    max_failed: int | None = None,
    arguments: Mapping[str, Any] | None = None,
    backend: str | None = None,
    budget: float | None = None,
    notify: Callable[[str], None] = print,
) -> Study:
    """Start a search for the parameters that make an objective best, and return its handle at once.

    ``subject`` is a component of this notebook, by its name, or what ``submit`` takes: then each trial is a run.
    ``space`` is a text (``"lr=log(1e-5,1e-1) depth=int(2,8)"``), a dict, or a function that asks for one parameter
    after the other. ``objective`` is what a component assigns or logs, ``task.output`` of a pipeline; ``metrics`` are
    kept too. The algorithm's and early stopping's ``settings`` have Katib's names. ``timeout`` is in seconds, or
    ``"10m"``. Without ``trials`` and ``timeout`` there are 30 trials; a grid has all of its points. ``budget`` is the
    most that all trials may cost, in the currency of the prices: a search here ends with the trial that passes it, and
    ``notify`` is called first with what former runs cost. Raises ``UsageError``, ``ArgumentError`` and ``BackendError``
    before anything has started.
    """
    if budget is not None and backend_name(backend) != "local":
        raise UsageError("a budget ends studies on this machine only, not those of Katib", ref="budget")
    engine = engine_of(backend)
    further = (metrics,) if isinstance(metrics, str) else tuple(metrics)
    terms = SearchTerms(
        name=name,
        algorithm=algorithm,
        early_stopping=early_stopping,
        settings=settings or {},
        trials=trials,
        parallel=parallel,
        timeout=timeout,
        seed=seed,
        max_failed=max_failed,
    )
    goals = Objective(objective, maximize, goal, further)
    search = _planned(subject, space, goals, terms, arguments or {})
    limit = budget_of(budget, search.subject.name, notify)
    search = replace(search, budget=limit.data() if limit else {})
    engine.start(_with_data(search, local=engine.name == "local"))
    return Study(engine, search.name)


def _with_data(search: Search, *, local: bool) -> Search:
    """The search whose trials import the versions of data sets from where they are."""
    made = search.subject
    tuned = {one.name for one in search.space}
    for _, data in imported_data(made.spec):
        if data.parameter in tuned:
            raise UsageError(f"{data.ref}: {data.parameter} chooses the version of data, and cannot be tuned")
    return replace(search, subject=replace(made, spec=with_data(made.spec, made.arguments, local=local)))


def _planned(
    subject: Any, space: Space, goals: Objective, terms: SearchTerms, arguments: Mapping[str, Any]
) -> Search:
    """The search that ``tune`` starts, checked."""
    dimensions, text = read(space)
    made = subject_of(subject, goals, dimensions, arguments)
    chosen = algorithms.algorithm(terms.algorithm)
    early = algorithms.early_stopping(terms.early_stopping)
    mine, early_settings = algorithms.split_settings(chosen, early, terms.settings)
    endless = terms.trials is None and terms.timeout is None and chosen != "grid"
    search = Search(
        name=terms.name or made.name,
        subject=made,
        objective=_of_step(goals, *((made.name, made.step) if made.step else ())),
        space=dimensions,
        conditions=text,
        algorithm=chosen,
        settings=mine,
        early_stopping=early,
        early_settings=early_settings,
        max_trials=TRIALS if endless else terms.trials,
        max_failed=terms.max_failed,
        parallel=terms.parallel,
        timeout=float(span(terms.timeout)) if isinstance(terms.timeout, str) else terms.timeout,
        seed=terms.seed,
    )
    check(search)
    return search


def cell_subject(
    cell: Cell,
    options: Options,
    space: Space,
    *,
    objective: str,
    metrics: Sequence[str] = (),
    arguments: Mapping[str, Any] | None = None,
) -> TrialSubject:
    """A cell of this notebook as what ``tune`` takes; it does not run here."""
    goals = _of_step(Objective(objective, further=tuple(metrics)), cell.name)
    return of_cell(workspace().notebook, cell, options, read(space)[0], goals, arguments or {})


def drafted(subject: Any, space: Space, **how: Any) -> str:
    """What the cluster would get of a search, as YAML, and what it says to it. Raises ``UsageError`` without one."""
    backend = how.pop("backend", None)
    if backend_name(backend) != "kubeflow":
        raise UsageError("--dry-run requires --backend kubeflow")
    further = tuple(how.pop("metrics"))
    goals = Objective(how.pop("objective"), how.pop("maximize"), how.pop("goal"), further)
    arguments = how.pop("arguments", None) or {}
    draft = _katib().draft(_planned(subject, space, goals, SearchTerms(**how), arguments))
    return f"{draft.text.rstrip()}\n\n# {draft.answer}"


def study(name: str, *, backend: str | None = None) -> Study:
    """The study of that name, from whichever kernel it was started. Raises ``StudyNotFound``."""
    engine = engine_of(backend)
    return Study(engine, engine.find(name))


def studies(*, backend: str | None = None) -> model.StudyList:
    """The studies there are, the newest first."""
    return model.StudyList(engine_of(backend).list())


def best_arguments(study: str | Study, compiled: Compiled) -> tuple[dict[str, Any], str]:
    """The best parameters of a study that are parameters of a pipeline, and which trial of which study they are from.

    Raises ``UsageError`` where none is.
    """
    handle = study_of(study)
    best = handle.best
    known = compiled.spec["root"].get("inputDefinitions", {}).get("parameters", {})
    fitting = {name: value for name, value in best.params.items() if name in known}
    if not fitting:
        raise UsageError(
            f"none of the parameters of study {handle.name} ({', '.join(best.params)}) is one of {compiled.name}'s"
            f" ({', '.join(known) or 'it has none'})"
        )
    return fitting, f"{handle.name}, trial {best.number}"


def study_of(name: str | Study, backend: str | None = None) -> Study:
    """A study by its handle or its name: where studies go now, or else here.

    ``local:NAME`` and ``kubeflow:NAME`` say where, as ``backend`` does. Raises ``StudyNotFound``.
    """
    if isinstance(name, Study):
        return name
    where, name = target.split_reference(name)
    if backend or where:
        return study(name, backend=backend or where)
    try:
        return study(name)
    except StudyNotFound as missing:
        if backend_name() == "local":
            raise
        try:
            return study(name, backend="local")
        except StudyNotFound:
            raise missing from None


def read(space: Space) -> tuple[tuple[Dimension, ...], str]:
    """The dimensions of a space; and of one that is a function, its text."""
    if isinstance(space, str | Mapping):
        return read_space(space), ""
    text = conditional_space.write_function(space)
    return conditional_space.dimensions_of(text), text


def subject_of(
    subject: Any, objective: Objective, space: Sequence[Dimension], arguments: Mapping[str, Any]
) -> TrialSubject:
    """What a trial runs, by anything that can be tuned."""
    if isinstance(subject, TrialSubject):
        return subject
    notebook = workspace().notebook
    if isinstance(subject, str) and subject in notebook.components:
        own = _of_step(objective, subject)
        return of_component(notebook, notebook.components[subject], space, own, arguments)
    if isinstance(subject, str) and subject.isidentifier() and subject not in workspace().pipelines:
        raise workspace().unknown(subject)
    compiled = components_api.spec_of(subject)
    return of_pipeline(compiled, space, arguments, str(notebook.folder.resolve()))


def _of_step(objective: Objective, *names: str) -> Objective:
    """The objective by its own name, where the task that it names is the trial itself; each metric once."""

    def own(metric: str) -> str:
        task, _, name = metric.rpartition(".")
        return name if task in names else metric

    metric, *further = dict.fromkeys(map(own, (objective.metric, *objective.further)))
    return replace(objective, metric=metric, further=tuple(further))


def engine_of(backend: str | None) -> StudyEngine:
    """The engine of studies that goes with a backend, by default the one in the settings."""
    return _local() if backend_name(backend) == "local" else _katib()


def _katib() -> KatibStudyEngine:
    """Katib where the settings say."""
    from kfnb.resources.studies.katib import connect

    chosen, kubernetes = settings(), target.kubernetes()
    if kubernetes is None:
        raise UsageError(
            "studies on a cluster require access to Kubernetes:",
            code="cluster-required",
            hint="%kf_config context=NAME sets a context of your kubeconfig; --backend local searches here",
        )
    return connect(kubernetes, target.namespace(), chosen.installed, forwarded=bool(chosen.context))


def _local() -> LocalStudyEngine:
    from kfnb.resources.studies.local.engine import LocalStudyEngine

    chosen = settings()
    return LocalStudyEngine(Path(chosen.home), jobs=chosen.jobs, secrets=chosen.secrets, linger=chosen.warm)


__all__ = ["best_arguments", "cell_subject", "drafted", "studies", "study", "study_of", "tune"]
