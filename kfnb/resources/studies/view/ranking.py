"""How a study's trials stand to each other: which are better, and since when."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator
from functools import cached_property

from kfnb.resources.studies.model import StudySnapshot, Trial, TrialState
from kfnb.resources.studies.view.scale import usable

CLASSES = 5
"""Classes of trials by their values: colours distinguish them, and the better ones are in front."""


class Ranking:
    """The trials of one study, by their values."""

    def __init__(self, study: StudySnapshot) -> None:
        self.study = study

    @cached_property
    def ranked(self) -> tuple[Trial, ...]:
        """The trials that ran to their end, the best first, equal ones as they began."""
        done = [trial for trial in self.study.trials if measured(trial)]
        sign = -1 if self.study.objective.maximize else 1
        return tuple(sorted(done, key=lambda trial: sign * _value(trial)))

    @property
    def best(self) -> Trial | None:
        """The best of them; None where there is none yet."""
        return self.ranked[0] if self.ranked else None

    @cached_property
    def values(self) -> tuple[float, ...]:
        """Their values, in the same order."""
        return tuple(_value(trial) for trial in self.ranked)

    @property
    def median(self) -> float | None:
        """The value in the middle of them."""
        return statistics.median(self.values) if self.values else None

    @cached_property
    def classes(self) -> tuple[tuple[Trial, ...], ...]:
        """The ranked trials in classes of the same size, the worst class first."""
        count = len(self.ranked)
        bounds = [count * number // CLASSES for number in range(CLASSES + 1)]
        return tuple(self.ranked[bounds[at - 1] : bounds[at]] for at in range(CLASSES, 0, -1))

    @cached_property
    def best_first(self) -> tuple[Trial, ...]:
        """All trials: the ranked ones, then those that were stopped, those that still run, and the failed ones."""
        ranked = {trial.number for trial in self.ranked}
        rest = [trial for trial in self.study.trials if trial.number not in ranked]
        return (*self.ranked, *sorted(rest, key=lambda trial: _AFTER[trial.state]))

    def records(self) -> Iterator[Trial]:
        """The trials that were better than all before them, in order."""
        best: float | None = None
        for trial in self.study.trials:
            value = trial.value
            if not measured(trial) or value is None:
                continue
            if best is None or self.study.objective.better(value, best):
                best = value
                yield trial


_AFTER = {
    TrialState.SUCCEEDED: 0,
    TrialState.EARLY_STOPPED: 0,
    TrialState.RUNNING: 1,
    TrialState.PENDING: 2,
    TrialState.KILLED: 3,
    TrialState.FAILED: 4,
    TrialState.METRICS_UNAVAILABLE: 4,
}


def measured(trial: Trial) -> bool:
    """Whether a trial ran to its end and left a number."""
    return trial.state is TrialState.SUCCEEDED and trial.value is not None and usable(trial.value)


def last_value(trial: Trial) -> float | None:
    """A trial's value; the last intermediate value of one that was stopped."""
    value = trial.value if trial.value is not None else trial.curve[-1][1] if trial.curve else None
    return value if value is not None and usable(value) else None


def values_of(trials: Iterable[Trial]) -> list[float]:
    """The last values of some trials, without those that have none."""
    return [value for trial in trials if (value := last_value(trial)) is not None]


def _value(trial: Trial) -> float:
    return math.nan if trial.value is None else trial.value
