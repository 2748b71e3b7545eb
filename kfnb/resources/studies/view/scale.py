"""The place of a value on an axis: evenly, by its logarithm, or as one of several choices."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from kfnb.resources.studies.model import Dimension, Value
from kfnb.ui.plot import round_ticks
from kfnb.ui.words import brief, cut, digits, one_line

_WIDE = 200
"""The ratio of the largest to the smallest of positive values from which they are placed by their logarithms."""

_FAR = 10
"""The distance, as a multiple of the range of three quarters of the values, beyond which a value is an outlier."""

LARGEST = 1e100
"""Beyond it, differences overflow: such a number has no place."""

_EDGE = 0.04
_MOST_CHOICES = 12
_LONG = 14


@dataclass(frozen=True)
class Scale:
    """``place`` gives the place of a value, from 0 to 1 (None where it is not on the scale).

    ``ticks`` are places with their words. With ``clipped``, values beyond an end are drawn at it.
    """

    place: Callable[[Value], float | None]
    ticks: tuple[tuple[float, str], ...]
    log: bool = False
    clipped: bool = False

    @property
    def note(self) -> str:
        """The note of a chart with this axis; empty where all values are at their places."""
        return "far worse ones are at the edge" if self.clipped else ""


def usable(value: float) -> bool:
    """Whether a number can be drawn: it is finite, and not too large."""
    return abs(value) < LARGEST


def dimension_scale(dimension: Dimension, ticks: int = 5) -> Scale:
    """The scale of one dimension, with about that number of ``ticks``."""
    if dimension.kind == "choice":
        return _choices(dimension.choices)
    low, high = (float(min(LARGEST, max(-LARGEST, end))) for end in (dimension.low, dimension.high))
    if dimension.log and 0 < low < high:
        return _logarithmic(low, high)
    return _even(low, high, ticks, whole=dimension.kind == "int")


def number_scale(values: Sequence[float], ticks: int = 5) -> Scale:
    """A scale on which all values fit: by logarithm where they are of many sizes."""
    values = values or (0.0, 1.0)
    low, high = min(values), max(values)
    if _many_sizes(low, high):
        room = (high / low) ** _EDGE
        return _logarithmic(low / room, high * room)
    room = (high - low) * _EDGE
    return _even(low - room, high + room, ticks)


def value_scale(values: Sequence[float], *, maximize: bool, ticks: int = 5) -> Scale:
    """A scale for values of an objective: a few that are far worse than the others stand at its end."""
    if not values or _many_sizes(min(values), max(values)):
        return number_scale(values, ticks)
    ordered = sorted(values, reverse=maximize)
    best, usual, worst = ordered[0], ordered[3 * len(ordered) // 4], ordered[-1]
    far = best + _FAR * (usual - best)
    if abs(worst - best) <= abs(far - best):
        return number_scale(values, ticks)
    scale = number_scale([value for value in ordered if abs(value - best) <= abs(far - best)], ticks)
    return Scale(scale.place, scale.ticks, scale.log, clipped=True)


def _many_sizes(low: float, high: float) -> bool:
    return low > 0 and _WIDE < high / low < LARGEST


def _even(low: float, high: float, count: int, *, whole: bool = False) -> Scale:
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-9):
        low, high = low - (abs(low) * 0.1 or 1.0), high + (abs(high) * 0.1 or 1.0)

    def place(value: Value) -> float | None:
        return _between((value - low) / (high - low)) if _is_number(value) else None

    ticks = [tick for tick in round_ticks(low, high, count) if not whole or tick == round(tick)]
    return Scale(place, tuple((_between((tick - low) / (high - low)), digits(tick)) for tick in ticks))


def _logarithmic(low: float, high: float) -> Scale:
    start, span = math.log10(low), math.log10(high) - math.log10(low)

    def place(value: Value) -> float | None:
        if not _is_number(value):
            return None
        return _between((math.log10(value) - start) / span) if value > 0 else 0.0

    ticks = tuple((_between((math.log10(tick) - start) / span), digits(tick)) for tick in _powers(low, high))
    return Scale(place, ticks, log=True)


def _powers(low: float, high: float) -> Iterator[float]:
    """Powers of ten, five at most; of a short scale, also 2 and 5 times as much."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if last - first >= 1:
        yield from (10.0**power for power in range(first, last + 1, max(1, math.ceil((last - first) / 5))))
        return
    for power in range(first - 1, last + 1):
        yield from (
            10.0**power * times
            for times in (1, 2, 5)
            if low <= 10.0**power * times * (1 + 1e-9) and 10.0**power * times <= high * (1 + 1e-9)
        )


def _choices(choices: Sequence[Value]) -> Scale:
    places = {(type(choice), choice): (number + 0.5) / len(choices) for number, choice in enumerate(choices)}

    def place(value: Value) -> float | None:
        return places.get((type(value), value))

    every = math.ceil(len(choices) / _MOST_CHOICES)
    ticks = [
        (places[type(choice), choice], cut(one_line(brief(choice)), _LONG))
        for number, choice in enumerate(choices)
        if not number % every
    ]
    return Scale(place, tuple(ticks))


def _is_number(value: Value) -> TypeGuard[float]:
    return not isinstance(value, str) and usable(value)


def _between(share: float) -> float:
    return min(1.0, max(0.0, share))
