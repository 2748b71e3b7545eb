"""The processes of a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kfnb.entities.run_state import RunState

NAMES = "kf_names"
"""The output of a training that a notebook's cell starts: the values of the names that the cell writes."""


@dataclass(frozen=True)
class Rank:
    """A process of a training: its number, and what is known of it.

    ``exit_code`` is None while it runs, of a signal 128 and more. ``restarts``
    is how often all processes were started again. ``progress`` is from 0 to 1, None if it reports none. ``metrics`` are
    the last ones that it logged, with the last ``step``; ``curves`` those that have steps, as (step, value), thinned.
    ``silent``: it has stopped to report while the others still do. ``rate`` is in steps a second, ``expected`` when it
    will be done. ``memory`` is its bytes now, ``peak`` the most that it had, ``cpu`` the cores that it uses, on average
    when it has ended; each with all that it started. Times are seconds since the epoch.
    """

    number: int
    state: RunState = RunState.PENDING
    host: str = ""
    exit_code: int | None = None
    restarts: int = 0
    started: float | None = None
    finished: float | None = None
    progress: float | None = None
    step: int | float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    silent: bool = False
    rate: float | None = None
    expected: float | None = None
    memory: int | None = None
    peak: int | None = None
    cpu: float | None = None
