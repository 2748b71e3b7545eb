"""A study as the page is told of it: JSON, whole or what is new. ``js/README.md`` has the words."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from typing import Any

from kfnb.model import Dimension, Study, Trial, TrialState, Value
from kfnb.resources.runs.wire import Message, news, sentence
from kfnb.resources.studies.view.dimensions import Seen
from kfnb.resources.studies.view.ranking import Standing
from kfnb.resources.studies.view.scale import usable
from kfnb.ui.words import clean, cut, one_line

MOST_POINTS = 50
"""Points of a curve that are told: a longer one looks the same."""

MOST_CURVES = 1000
"""Trials whose curves are told at once, the best ones: a trial's panel shows its own in any case."""

STUDY = -1
"""The number by which an engine means the study itself, not one of its trials."""


def wire_id(backend: str, name: str) -> str:
    """The name under which a page knows a study; no run has one like it."""
    return f"study/{backend}/{name}"


class StudyWire:
    """What the page knows of one study, and the messages that tell it the rest."""

    def __init__(self, id: str) -> None:
        self._id = id
        self._seq = 0
        self._head: Message = {}
        self._trials: dict[int, Message] = {}
        self._seen = Seen(())

    def whole(self, study: Study) -> Message:
        """All of the study."""
        self._seen = Seen(study.space)
        for trial in study.trials:
            self._seen.add(trial.params)
        self._head = _head(study, self._seen.dimensions)
        drawn = _with_curves(study)
        self._trials = {trial.number: _trial(trial, curve=trial.number in drawn) for trial in study.trials}
        return {
            "kind": "study",
            "seq": self._seq,
            "now": time.time(),
            "study": {"id": self._id, **self._head, "trials": list(self._trials.values())},
        }

    def change(self, study: Study, touched: Iterable[int]) -> Message | None:
        """What the page does not know of the study and of its trials ``touched``; None if it knows all."""
        trials = []
        for number in sorted(touched):
            trial = find_trial(study.trials, number)
            if trial is not None and (told := self._trial_news(trial)):
                trials.append(told)
        head = _head(study, self._seen.dimensions)
        fields = news(head, self._head)
        if not (fields or trials):
            return None
        self._head = head
        self._seq += 1
        message: Message = {"kind": "trials", "id": self._id, "seq": self._seq, "now": time.time()}
        return message | ({"study": fields} if fields else {}) | ({"trials": trials} if trials else {})

    def _trial_news(self, trial: Trial) -> Message:
        self._seen.add(trial.params)
        told = _trial(trial, curve=True)
        known = self._trials.get(trial.number, {})
        fresh = news(dict.fromkeys(known.keys() - told.keys()) | told, known)
        self._trials[trial.number] = told
        return {"number": trial.number, **fresh} if fresh else {}


def find_trial(trials: Sequence[Trial], number: int) -> Trial | None:
    """A trial by its number: most often they are numbered without gaps."""
    if 0 <= number < len(trials) and trials[number].number == number:
        return trials[number]
    return next((trial for trial in trials if trial.number == number), None) if number >= 0 else None


def _with_curves(study: Study) -> set[int]:
    """The numbers of the trials whose curves are told at once."""
    if len(study.trials) <= MOST_CURVES:
        return {trial.number for trial in study.trials}
    running = {trial.number for trial in study.trials if trial.state is TrialState.RUNNING}
    return running | {trial.number for trial in Standing(study).best_first[:MOST_CURVES]}


def _head(study: Study, space: Sequence[Dimension]) -> Message:
    objective = study.objective
    return {
        "name": one_line(study.name),
        "backend": one_line(study.backend),
        "subject": one_line(study.subject),
        "metric": one_line(objective.metric),
        "maximize": objective.maximize,
        "goal": _number(objective.goal),
        "state": str(study.state),
        "algorithm": one_line(study.algorithm),
        "stopping": one_line(study.early_stopping),
        "most": study.max_trials,
        "parallel": study.parallel,
        "timeout": study.timeout,
        "created": study.created,
        "started": study.started,
        "finished": study.finished,
        "importances": [[one_line(name), round(share, 4)] for name, share in study.importances.items()],
        "space": [_dimension(dimension) for dimension in space],
        "reason": sentence(study.reason),
        "error": sentence(study.error),
        "notes": [clean(note) for note in study.notes],
    }


def _dimension(dimension: Dimension) -> Message:
    return {
        "name": one_line(dimension.name),
        "kind": dimension.kind,
        "low": dimension.low,
        "high": dimension.high,
        "log": dimension.log,
        "choices": [_value(choice) for choice in dimension.choices],
    }


def _trial(trial: Trial, *, curve: bool) -> Message:
    """A trial; what is as it is with most trials is left out."""
    points = _thinned(trial.curve) if curve else ()
    told: dict[str, Any] = {
        "number": trial.number,
        "state": str(trial.state),
        "params": {one_line(name): _value(value) for name, value in trial.params.items()},
        "value": _number(trial.value),
        "metrics": {one_line(name): _number(value) for name, value in trial.metrics.items()},
        "started": trial.started,
        "finished": trial.finished,
        "curve": [_brief(number) for point in points for number in point],
        "error": sentence(trial.error.message) if trial.error else "",
        "place": sentence(trial.error.place) if trial.error else "",
    }
    return {name: value for name, value in told.items() if value not in (None, "", [], {})}


def _thinned(curve: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    finite = [point for point in curve if all(map(usable, point))]
    if len(finite) <= MOST_POINTS:
        return finite
    step = math.ceil(len(finite) / MOST_POINTS)
    return [*finite[:-1:step], finite[-1]]


def _brief(value: float) -> float:
    return float(f"{value:.6g}")


def _number(value: float | None) -> float | None:
    return value if value is not None and usable(value) else None


def _value(value: Value) -> Value | None:
    if isinstance(value, str):
        return cut(one_line(value), 80)
    return value if isinstance(value, bool) else _number(value)
