"""Katib's Experiments, Trials and Suggestions as studies, whatever created them; unknown fields are ignored."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from kfnb.entities import RunState, TaskError
from kfnb.remote.kubernetes.experiments import ALL_REACHED, experiment_state, held_conditions
from kfnb.remote.kubernetes.fields import Item
from kfnb.resources.studies.katib import parameters
from kfnb.resources.studies.katib.algorithms import INSTEAD, early_read
from kfnb.resources.studies.katib.experiment import ALGORITHM, STEPS, SUBJECT
from kfnb.resources.studies.model import Dimension, Objective, StudySnapshot, Trial, TrialState
from kfnb.text.timestamps import seconds

_TRIAL_STATES = (
    ("Killed", TrialState.KILLED),
    ("Failed", TrialState.FAILED),
    ("Succeeded", TrialState.SUCCEEDED),
    ("EarlyStopped", TrialState.EARLY_STOPPED),
    ("MetricsUnavailable", TrialState.METRICS_UNAVAILABLE),
    ("Running", TrialState.RUNNING),
)
"""Katib's conditions in the order in which they count; several may be true at once."""

_REASONS = {
    "ExperimentGoalReached": "goal reached",
    ALL_REACHED: "all trials done",
    "ExperimentSuggestionEndReached": "nothing more to try",
}
_JOB_MESSAGE = "Job message: "


def study(experiment: Item, trials: Iterable[Trial] = (), suggestion: Item | None = None) -> StudySnapshot:
    """The study that an Experiment is. ``suggestion`` is its Suggestion, where it may tell why nothing happens."""
    about, spec, status = (experiment.get(part) or {} for part in ("metadata", "spec", "status"))
    notes = about.get("annotations") or {}
    state, condition = experiment_state(experiment)
    failed = state is RunState.FAILED
    algorithm = spec.get("algorithm") or {}
    return StudySnapshot(
        name=str(about.get("name", "")),
        backend="kubeflow",
        objective=objective(spec),
        state=state,
        subject=notes.get(SUBJECT) or _subject(spec),
        space=tuple(map(parameters.read, spec.get("parameters") or ())),
        algorithm=str(algorithm.get("algorithmName", "")),
        early_stopping=early_read((spec.get("earlyStopping") or {}).get("algorithmName", "")),
        max_trials=spec.get("maxTrialCount"),
        max_failed=spec.get("maxFailedTrialCount"),
        parallel=spec.get("parallelTrialCount") or 1,
        created=seconds(about.get("creationTimestamp")),
        started=seconds(status.get("startTime")),
        finished=seconds(status.get("completionTime")) if state.finished else None,
        trials=tuple(trials),
        reason=_REASONS.get(condition.get("reason", ""), "") if state is RunState.SUCCEEDED else "",
        error=(_why(suggestion) or str(condition.get("message", ""))) if failed else "",
        notes=tuple(_notes(experiment, state, suggestion)),
    )


def objective(spec: Item) -> Objective:
    """What an Experiment or a Trial makes best, from its spec."""
    fields = spec.get("objective") or {}
    return Objective(
        metric=str(fields.get("objectiveMetricName", "")),
        maximize=fields.get("type") == "maximize",
        goal=fields.get("goal"),
        further=tuple(map(str, fields.get("additionalMetricNames") or ())),
    )


def in_order(trials: Iterable[Item]) -> list[Item]:
    """Trials as they began."""

    def began(trial: Item) -> tuple[str, str, str]:
        about, status = trial.get("metadata") or {}, trial.get("status") or {}
        created = str(about.get("creationTimestamp", ""))
        return created, str(status.get("startTime") or created), str(about.get("name", ""))

    return sorted(trials, key=began)


def trial(item: Item, number: int, space: Sequence[Dimension]) -> Trial:
    """One trial. What its pod says of a failure is not known here."""
    about, spec, status = (item.get(part) or {} for part in ("metadata", "spec", "status"))
    state, condition = _trial_state(item)
    dimensions = {one.name: one for one in space}
    goal = objective(spec)
    metrics = _metrics(spec, status)
    return Trial(
        number=number,
        state=state,
        params={
            str(one.get("name", "")): parameters.typed(
                str(one.get("value", "")), dimensions.get(one.get("name"))
            )
            for one in spec.get("parameterAssignments") or ()
        },
        value=metrics.pop(goal.metric, None),
        metrics=metrics,
        started=seconds(status.get("startTime")),
        finished=seconds(status.get("completionTime")) if state.finished else None,
        error=_error(state, condition, goal),
        name=str(about.get("name", "")),
    )


def _trial_state(item: Item) -> tuple[TrialState, Item]:
    held = held_conditions(item)
    for kind, state in _TRIAL_STATES:
        if kind in held:
            return state, held[kind]
    return TrialState.PENDING, {}


def had_all(experiment: Item) -> bool:
    """Whether an Experiment has ended because all of its trials were done."""
    return experiment_state(experiment)[1].get("reason") == ALL_REACHED


def _metrics(spec: Item, status: Item) -> dict[str, float]:
    """What counts of each metric's values: the least, the greatest or the last one, as the strategies say."""
    goal = spec.get("objective") or {}
    strategies = {one.get("name"): one.get("value") for one in goal.get("metricStrategies") or ()}
    usual = {"minimize": "min", "maximize": "max"}.get(goal.get("type", ""), "latest")
    found = {}
    for metric in (status.get("observation") or {}).get("metrics") or ():
        name = str(metric.get("name", ""))
        value = _number(metric.get(strategies.get(name) or usual))
        if value is None:
            value = _number(metric.get("latest"))
        if value is not None:
            found[name] = value
    return found


def _number(text: Any) -> float | None:
    """A number; None for what is none, such as ``unavailable``."""
    with suppress(TypeError, ValueError):
        value = float(text)
        return value if math.isfinite(value) else None
    return None


def _error(state: TrialState, condition: Item, goal: Objective) -> TaskError | None:
    if state is TrialState.METRICS_UNAVAILABLE:
        return TaskError(f"it ended without {goal.metric}")
    if state is not TrialState.FAILED:
        return None
    message = str(condition.get("message", ""))
    return TaskError(message.partition(_JOB_MESSAGE)[2] or message or "it failed; Katib gives no reason")


def _subject(spec: Item) -> str:
    """What the trials of a strange Experiment are."""
    template = spec.get("trialTemplate") or {}
    config = template.get("configMap") or {}
    return str((template.get("trialSpec") or {}).get("kind") or config.get("configMapName") or "")


def _why(suggestion: Item | None) -> str:
    failed = held_conditions(suggestion or {}).get("Failed") or {}
    return str(failed.get("message", ""))


def _notes(experiment: Item, state: RunState, suggestion: Item | None) -> Iterable[str]:
    if state is RunState.CANCELING and not (experiment.get("metadata") or {}).get("deletionTimestamp"):
        yield "stopping: Katib lets trials that run come to their end, and begins at most one more"
    notes = (experiment.get("metadata") or {}).get("annotations") or {}
    *before, _ = (notes.get(STEPS) or "").split(", ")
    if before:
        yield f"each trial runs {', '.join(before)} too, as Katib keeps nothing between trials"
    if ALGORITHM in notes:
        yield INSTEAD
    held = held_conditions(suggestion or {})
    if state is RunState.PENDING and suggestion is not None and "DeploymentReady" not in held:
        yield "waits for the service that suggests parameters"
    if (experiment.get("spec") or {}).get("nasConfig"):
        yield "it searches for a network (nasConfig), whose parameters are shown as Katib has them"
