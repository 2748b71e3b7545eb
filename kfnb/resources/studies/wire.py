"""A study as it is sent to the page: whole, or what is new (``kfnb/live/messages.py``)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

from kfnb.live.contents import Content, new_fields, new_parts
from kfnb.live.messages import Scalar, StudyDimension, StudyHead, StudyTrial
from kfnb.resources.runs.wire import sentence
from kfnb.resources.studies.model import Dimension, StudySnapshot, Trial, TrialState, Value
from kfnb.resources.studies.view.dimensions import TrialDimensions
from kfnb.resources.studies.view.ranking import Ranking
from kfnb.resources.studies.view.scale import usable
from kfnb.ui.words import clean, cut, one_line

MOST_POINTS = 50
"""Points of a curve that are sent: more would not be visible."""

MOST_CURVES = 1000
"""Trials whose curves are sent at once, the best ones: a trial's panel shows its own in any case."""


def wire_id(backend: str, name: str) -> str:
    """The name under which a page knows a study."""
    return f"{backend}/{name}"


class StudyWire:
    """A study, whose parts are its trials. What it remembers only spares it to count all trials at each change."""

    each_refresh = False

    def __init__(self) -> None:
        self._known: StudySnapshot | None = None
        self._seen = TrialDimensions(())
        self._space: Sequence[Dimension] = ()

    def whole(self, study: StudySnapshot) -> Content:
        """All of the study."""
        self._know(study)
        drawn = _with_curves(study)
        trials = [_trial(trial, curve=trial.number in drawn) for trial in study.trials]
        return Content(_head(study, self._space), trials)

    def change(self, old: StudySnapshot, new: StudySnapshot) -> Content:
        """What is new since ``old``: costs what is new, not what there is."""
        if old is not self._known:
            self._know(old)
        head = _head(old, self._space)
        changed = [trial for at, trial in enumerate(new.trials) if _at(old.trials, at) is not trial]
        if old.space == new.space:
            self._grow(new, changed)
        else:
            self._know(new)
        before = [find_trial(old.trials, trial.number) for trial in changed]
        trials = new_parts(before, changed, _with_curve, key="number")
        return Content(new_fields(head, _head(new, self._space)), trials)

    def _know(self, study: StudySnapshot) -> None:
        self._seen = TrialDimensions(study.space)
        self._space = study.space
        self._grow(study, study.trials)

    def _grow(self, study: StudySnapshot, trials: Sequence[Trial]) -> None:
        """Take trials in: parameters that the space does not name are dimensions too."""
        named = {dimension.name for dimension in study.space}
        for trial in trials:
            self._seen.add(trial.params)
        if any(trial.params.keys() - named for trial in trials):
            self._space = self._seen.dimensions
        self._known = study


def _with_curve(trial: Trial) -> StudyTrial:
    return _trial(trial, curve=True)


def _at(trials: Sequence[Trial], at: int) -> Trial | None:
    return trials[at] if at < len(trials) else None


def find_trial(trials: Sequence[Trial], number: int) -> Trial | None:
    """A trial by its number: most often they are numbered without gaps."""
    if 0 <= number < len(trials) and trials[number].number == number:
        return trials[number]
    return next((trial for trial in trials if trial.number == number), None) if number >= 0 else None


def _with_curves(study: StudySnapshot) -> set[int]:
    """The numbers of the trials whose curves are sent at once."""
    if len(study.trials) <= MOST_CURVES:
        return {trial.number for trial in study.trials}
    running = {trial.number for trial in study.trials if trial.state is TrialState.RUNNING}
    return running | {trial.number for trial in Ranking(study).best_first[:MOST_CURVES]}


def _head(study: StudySnapshot, space: Sequence[Dimension]) -> StudyHead:
    objective = study.objective
    return {
        "name": one_line(study.name),
        "backend": one_line(study.backend),
        "subject": one_line(study.subject),
        "metric": one_line(objective.metric),
        "maximize": objective.maximize,
        "goal": _number(objective.goal),
        "state": study.state.value,
        "algorithm": one_line(study.algorithm),
        "stopping": one_line(study.early_stopping),
        "most": study.max_trials,
        "parallel": study.parallel,
        "timeout": study.timeout,
        "created": study.created,
        "started": study.started,
        "finished": study.finished,
        "importances": [(one_line(name), round(share, 4)) for name, share in study.importances.items()],
        "space": [_dimension(dimension) for dimension in space],
        "reason": sentence(study.reason),
        "error": sentence(study.error),
        "notes": [clean(note) for note in study.notes],
    }


def _dimension(dimension: Dimension) -> StudyDimension:
    return {
        "name": one_line(dimension.name),
        "kind": dimension.kind,
        "low": dimension.low,
        "high": dimension.high,
        "log": dimension.log,
        "choices": [_value(choice) for choice in dimension.choices],
    }


def _trial(trial: Trial, *, curve: bool) -> StudyTrial:
    """A trial; what is as it is with most trials is left out."""
    points = _thinned(trial.curve) if curve else ()
    fields: StudyTrial = {
        "number": trial.number,
        "state": trial.state.value,
        "params": {one_line(name): _value(value) for name, value in trial.params.items()},
        "value": _number(trial.value),
        "metrics": {one_line(name): _number(value) for name, value in trial.metrics.items()},
        "started": trial.started,
        "finished": trial.finished,
        "curve": [_rounded(number) for point in points for number in point],
        "error": sentence(trial.error.message) if trial.error else "",
        "place": sentence(trial.error.place) if trial.error else "",
    }
    return cast(
        "StudyTrial", {name: value for name, value in fields.items() if value not in (None, "", [], {})}
    )


def _thinned(curve: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    finite = [point for point in curve if all(map(usable, point))]
    if len(finite) <= MOST_POINTS:
        return finite
    step = math.ceil(len(finite) / MOST_POINTS)
    return [*finite[:-1:step], finite[-1]]


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def _number(value: float | None) -> float | None:
    return value if value is not None and usable(value) else None


def _value(value: Value) -> Scalar:
    if isinstance(value, str):
        return cut(one_line(value), 80)
    return value if isinstance(value, bool) else _number(value)
