"""Measuring: several rounds, the things compared in turn, medians and their ratio."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """What was measured, in seconds; ``limit`` is the most that it may be, as seconds or as a ratio to ``peer``."""

    name: str
    ours: float
    limit: str
    peer: float | None = None
    peer_name: str = ""

    def row(self) -> str:
        """A line of the report."""
        against = "" if self.peer is None else f"{self.peer * 1000:10.1f} ms  {self.peer_name}"
        ratio = "" if not self.peer else f"{self.ours / self.peer:8.2f}"
        return f"{self.name:58} {self.ours * 1000:10.1f} ms {ratio:8}  {self.limit:18} {against}"


def in_turn(rounds: int, *runs: Callable[[], float]) -> list[float]:
    """The median seconds of each run; they go in turn, so that a slow moment of the machine hits all alike."""
    found: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for run, seconds in zip(runs, found, strict=True):
            seconds.append(run())
    return [statistics.median(seconds) for seconds in found]
