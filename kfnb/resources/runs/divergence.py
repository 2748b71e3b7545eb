"""Metrics that are not finite any more: since when, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from kfnb.entities import Rank
from kfnb.ui.words import digits


def diverged(rank: Rank) -> Iterator[str]:
    """The metrics of a training's process whose last value is not finite: ``loss is nan from step 2``."""
    for name, value in rank.metrics.items():
        if not math.isfinite(value):
            yield f"{name} is {lost(sorted(rank.curves.get(name, ()), key=lambda point: point[0])) or value}"


def lost(points: Sequence[tuple[float, float]]) -> str:
    """Since when a curve's values are not finite, ``nan from step 2``; empty where the last one is."""
    first = next((at for at in range(len(points), 0, -1) if math.isfinite(points[at - 1][1])), 0)
    return f"{points[first][1]} from step {digits(points[first][0])}" if first < len(points) else ""
