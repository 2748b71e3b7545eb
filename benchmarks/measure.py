"""Measuring: several rounds, the things compared in turn, medians and their ratio."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

HEADER = f"{'what':58} {'kfnb':>13} {'ratio':>8}  {'at most':18} {'compared to':>13}"
_FACTORS = {"ms": 1e3, "MB": 1e-6, "%": 1e2, "": 1.0}


@dataclass(frozen=True)
class Measured:
    """What was measured, in seconds (in bytes where the unit is MB, as a share where it is %, a number without one).

    ``limit`` is the most that it may be, as seconds or as a ratio to ``peer``.
    """

    name: str
    ours: float
    limit: str
    peer: float | None = None
    peer_name: str = ""
    unit: str = "ms"

    def row(self) -> str:
        """A line of the report."""
        against = "" if self.peer is None else f"{self._shown(self.peer)}  {self.peer_name}"
        ratio = "" if not self.peer else f"{self.ours / self.peer:8.2f}"
        return f"{self.name:58} {self._shown(self.ours)} {ratio:8}  {self.limit:18} {against}".rstrip()

    def _shown(self, value: float) -> str:
        shown = value * _FACTORS[self.unit]
        return f"{shown:10.3g} " if self.unit == "" else f"{shown:10.1f} {self.unit}"


def in_turn(rounds: int, *runs: Callable[[], float]) -> list[float]:
    """The median seconds of each run; they go in turn, so that a slow moment of the machine hits all alike."""
    found: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for run, seconds in zip(runs, found, strict=True):
            seconds.append(run())
    return [statistics.median(seconds) for seconds in found]
