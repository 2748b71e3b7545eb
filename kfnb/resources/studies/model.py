"""Studies: searches for the parameters that optimize an objective, in trials. Names and meanings are Katib's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from kfnb.entities import Amounts, Listing, Purpose, RunState, TaskError, seconds_between

Value = float | int | str | bool


class TrialState(str, Enum):
    """The state of a trial: Katib's conditions, written as KFP writes states."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    EARLY_STOPPED = "EARLY_STOPPED"
    METRICS_UNAVAILABLE = "METRICS_UNAVAILABLE"
    KILLED = "KILLED"

    def __str__(self) -> str:
        return self.value

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        return self not in (TrialState.PENDING, TrialState.RUNNING)


@dataclass(frozen=True)
class Dimension:
    """One parameter of a search space.

    ``float`` and ``int`` are from ``low`` to ``high``, both included, in steps of ``step`` (0 for a float without
    steps), on a logarithmic scale with ``log``; a ``choice`` is one of ``choices``. With ``condition``, described as
    text, the parameter exists only where that holds.
    """

    name: str
    kind: Literal["float", "int", "choice"]
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0
    log: bool = False
    choices: tuple[Value, ...] = ()
    condition: str = ""


@dataclass(frozen=True)
class Objective:
    """The objective to optimize: a metric by its name (``loss``, ``evaluate.accuracy``), and further recorded metrics.

    A trial that reaches ``goal`` ends the study.
    """

    metric: str
    maximize: bool = False
    goal: float | None = None
    further: tuple[str, ...] = ()

    def better(self, value: float, than: float) -> bool:
        """Whether one value of the metric is better than another."""
        return value > than if self.maximize else value < than

    def reached(self, value: float) -> bool:
        """Whether a value reaches the goal."""
        return self.goal is not None and not self.better(self.goal, value)


@dataclass(frozen=True)
class Trial:
    """One trial: its parameters and its results.

    ``number`` counts from 0 in the order in which trials began; ``name`` is its name on a cluster. ``value`` is the
    objective's, None until it is known; ``metrics`` are the further metrics. ``curve`` are the intermediate values of
    the objective, as pairs of step and value, in order. ``started`` and ``finished`` are seconds since the epoch.
    ``run`` is the id of the trial's pipeline run, empty if it has none. ``used`` is what it occupied of machines,
    empty if that is unknown.
    """

    number: int
    state: TrialState = TrialState.PENDING
    params: Mapping[str, Value] = field(default_factory=dict)
    value: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    curve: tuple[tuple[float, float], ...] = ()
    started: float | None = None
    finished: float | None = None
    error: TaskError | None = None
    name: str = ""
    run: str = ""
    used: Mapping[Purpose, Amounts] = field(default_factory=dict)

    @property
    def seconds(self) -> float | None:
        """How long it ran; None while it runs or if it never did."""
        return seconds_between(self.started, self.finished)


@dataclass(frozen=True)
class StudySnapshot:
    """One study, at one moment. ``trials`` are in the order of their numbers.

    ``subject`` is the name of the tuned cell, component or pipeline. ``max_trials`` and ``max_failed`` are None without
    a limit, ``timeout`` is in seconds. ``importances`` is, for each parameter, the share of the objective's variation
    that it explains, from 0 to 1; empty if unknown. ``reason`` says briefly why the study ended (``goal reached``),
    ``error`` why it failed. ``notes`` are for the user, one line each.
    """

    name: str
    backend: str
    objective: Objective
    state: RunState = RunState.PENDING
    subject: str = ""
    space: tuple[Dimension, ...] = ()
    algorithm: str = ""
    early_stopping: str = ""
    max_trials: int | None = None
    max_failed: int | None = None
    parallel: int = 1
    timeout: float | None = None
    created: float | None = None
    started: float | None = None
    finished: float | None = None
    trials: tuple[Trial, ...] = ()
    importances: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    error: str = ""
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> Trial | None:
        """The finished trial with the best value, the earliest of several; None if there is none yet."""
        best: Trial | None = None
        for trial in self.trials:
            if trial.value is None or trial.state is not TrialState.SUCCEEDED:
                continue
            if best is None or best.value is None or self.objective.better(trial.value, best.value):
                best = trial
        return best

    @property
    def done(self) -> int:
        """The number of trials that have ended, without killed trials, which do not count."""
        return sum(trial.state.finished and trial.state is not TrialState.KILLED for trial in self.trials)

    @property
    def counts(self) -> dict[TrialState, int]:
        """The number of trials in each state that occurs."""
        counts: dict[TrialState, int] = {}
        for trial in self.trials:
            counts[trial.state] = counts.get(trial.state, 0) + 1
        return counts


class StudyList(Listing[StudySnapshot]):
    """Studies at the time of the request, possibly without their trials."""


Chart = Literal["history", "parallel", "slices", "importances", "curves"]


@dataclass(frozen=True)
class StudyPlot:
    """One chart of a study, to be displayed."""

    study: StudySnapshot
    chart: Chart
