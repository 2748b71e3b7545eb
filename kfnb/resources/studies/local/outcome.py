"""How a trial ended."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kfnb.entities import Amounts, Purpose, TaskError
from kfnb.resources.runs.failure import from_description
from kfnb.resources.studies.model import Objective, TrialState


@dataclass(frozen=True)
class Outcome:
    """What a trial came to, and what it occupied, as far as that is known.

    ``curve`` is empty where the points were reported while the trial ran.
    """

    state: TrialState
    value: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    error: TaskError | None = None
    curve: tuple[tuple[float, float], ...] = ()
    used: Mapping[Purpose, Amounts] = field(default_factory=dict)


KILLED = Outcome(TrialState.KILLED)


def failed(error: TaskError) -> Outcome:
    """A trial that failed."""
    return Outcome(TrialState.FAILED, error=error)


def measured(values: Mapping[str, Any], objective: Objective) -> Outcome:
    """The outcome of a trial that ran to its end and found ``values``: numbers, or texts of other values."""
    name = objective.metric
    metrics = {
        other: value
        for other, value in values.items()
        if other != name and isinstance(value, float) and math.isfinite(value)
    }
    value = values.get(name)
    if value is None:
        return Outcome(
            TrialState.METRICS_UNAVAILABLE, metrics=metrics, error=TaskError(f"it ended without {name}")
        )
    if not isinstance(value, float):
        return failed(TaskError(f"{name} is {value}: an objective is a number"))
    if not math.isfinite(value):
        return Outcome(
            TrialState.METRICS_UNAVAILABLE,
            metrics=metrics,
            error=TaskError(f"{name} is {value}: an objective is a finite number"),
        )
    return Outcome(TrialState.SUCCEEDED, value, metrics)


def of_worker(message: Mapping[str, Any], objective: Objective, source: str) -> Outcome:
    """The outcome that a worker reports, of a step whose program is ``source``."""
    if message.get("early"):
        return Outcome(TrialState.EARLY_STOPPED)
    if "error" in message:
        return failed(from_description(message["error"], source))
    if "missing" in message:
        return Outcome(
            TrialState.METRICS_UNAVAILABLE,
            error=TaskError(f"it ended without {message['missing']}, which its cell had not assigned"),
        )
    return measured(message["values"], objective)
