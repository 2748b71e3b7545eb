"""Panes: what was counted of the requests between two checks. Panes add up, so a window is the sum of its panes."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from kfnb.capture.embedded.counting import kfnb_added, kfnb_Counter
from kfnb.resources.monitors.reference import PREDICTION, MonitorReference, Profile
from kfnb.resources.monitors.refused import Refusals, raw_columns

_BOUNDS = tuple(10 ** (step / 8) for step in range(-8, 41))
"""Upper bounds of latency in milliseconds: an eighth of a decade apart, from 0.1 to 100,000."""


@dataclass(frozen=True)
class Pane:
    """Counts of requests ``since`` a time ``until`` another, for the reference ``key``.

    ``inputs``, ``predictions`` and ``training`` (the same rows in the bins of the version's training data) are
    profiles, empty where there is nothing to compare with. ``latency`` are counts by upper bounds. ``newest`` is the
    time of the newest request. ``refused`` are requests whose inputs were bad, ``problems`` those by what was wrong;
    their rows are among ``inputs``.
    """

    key: str
    since: float
    until: float
    requests: int = 0
    failed: int = 0
    rows: int = 0
    latency: tuple[int, ...] = (0,) * (len(_BOUNDS) + 1)
    newest: float | None = None
    inputs: Profile = field(default_factory=dict)
    predictions: Profile = field(default_factory=dict)
    training: Profile = field(default_factory=dict)
    refused: int = 0
    problems: Mapping[str, int] = field(default_factory=dict)

    @property
    def p99_ms(self) -> float | None:
        """What 99 % of the requests took at most, in milliseconds; None without requests."""
        needed, seen = 0.99 * sum(self.latency), 0
        for bound, count in zip((*_BOUNDS, float("inf")), self.latency, strict=True):
            seen += count
            if seen and seen >= needed:
                return bound
        return None


@dataclass(frozen=True)
class RequestBlock:
    """Rows of requests: ``inputs`` is a table of the columns that the model takes, or None where none were read.

    ``predictions`` are by row, None where there are none. A request with several rows counts once: ``latency`` has its
    milliseconds, ``failed`` are those that were answered by an error, among them those that were ``refused``.
    """

    requests: int
    failed: int
    latency: tuple[float, ...]
    newest: float | None
    inputs: Any = None
    predictions: Any = None
    refused: Refusals = field(default_factory=Refusals)


class PaneCounter:
    """Counts blocks of requests into the bins of a reference."""

    def __init__(self, reference: MonitorReference, since: float, until: float) -> None:
        self._reference = reference
        self._pane = Pane(reference.key, since, until)
        self._inputs = kfnb_Counter(dict(reference.profile))
        self._predictions = kfnb_Counter(dict(reference.predictions)) if reference.predictions else None
        self._training = kfnb_Counter(dict(reference.training)) if reference.training else None

    def add(self, block: RequestBlock) -> None:
        """Count a block."""
        latency = list(self._pane.latency)
        for one in block.latency:
            latency[bisect_left(_BOUNDS, one)] += 1
        self._pane = replace(
            self._pane,
            requests=self._pane.requests + block.requests,
            failed=self._pane.failed + block.failed,
            latency=tuple(latency),
            newest=latest(self._pane.newest, block.newest),
            refused=self._pane.refused + block.refused.requests,
            problems=_counts(self._pane.problems, block.refused.problems),
        )
        for inputs in (block.inputs, raw_columns(block.refused.rows, self._reference) or None):
            if inputs is not None:
                self._inputs.add(inputs)
                if self._training is not None:
                    self._training.add(inputs)
        if block.predictions is not None and self._predictions is not None:
            self._predictions.add({PREDICTION: block.predictions})

    def pane(self) -> Pane:
        """What was counted."""
        return replace(
            self._pane,
            rows=self._inputs.rows,
            inputs=self._inputs.profile(),
            predictions=self._predictions.profile() if self._predictions else {},
            training=self._training.profile() if self._training else {},
        )


def together(panes: Iterable[Pane]) -> Pane:
    """The sum of panes, of one reference, as if all had been counted in one."""
    return reduce(_added, panes)


def _added(one: Pane, other: Pane) -> Pane:
    return Pane(
        one.key,
        min(one.since, other.since),
        max(one.until, other.until),
        one.requests + other.requests,
        one.failed + other.failed,
        one.rows + other.rows,
        tuple(a + b for a, b in zip(one.latency, other.latency, strict=True)),
        latest(one.newest, other.newest),
        _sum(one.inputs, other.inputs),
        _sum(one.predictions, other.predictions),
        _sum(one.training, other.training),
        one.refused + other.refused,
        _counts(one.problems, other.problems),
    )


def _sum(one: Profile, other: Profile) -> Mapping[str, Any]:
    if not one or not other:
        return one or other
    found: Mapping[str, Any] = kfnb_added(dict(one), dict(other))
    return found


def _counts(one: Mapping[str, int], other: Mapping[str, int]) -> Mapping[str, int]:
    return dict(Counter(one) + Counter(other))


def latest(one: float | None, other: float | None) -> float | None:
    """The later one of two times; None where neither is known."""
    return max((value for value in (one, other) if value is not None), default=None)
