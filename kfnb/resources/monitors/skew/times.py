"""Causes of skew that times tell: pure functions of a column, which give words or nothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Any

from kfnb.capture.embedded.distances import kfnb_below
from kfnb.capture.embedded.profiles import kfnb_sort
from kfnb.resources.monitors.skew.evidence import ColumnEvidence, SkewEvidence
from kfnb.ui.words import duration, moment

HOURS = 24
_APART, _CLOSER = 0.1, 3.0
"""How far the hours of the day are from those before, and how many times closer they are after a shift."""
_EXPECTED = 12.0
"""Newer values that had to be expected where there is none: the chance of that is e to the power of -12."""
_HALF = 12


def hours_of(values: Iterable[Any]) -> tuple[int, ...]:
    """Counts by hour of the day: of times, or of whole numbers from 0 to 23 that take most of these values.

    Empty for other values.
    """
    known = [one for one in values if one is not None and one == one]  # noqa: PLR0124 - NaN and NaT
    if known and all(isinstance(one, datetime) for one in known):
        found = Counter(one.hour for one in known)
        return tuple(found[hour] for hour in range(HOURS))
    plain = [one for one in known if isinstance(one, int | float) and not isinstance(one, bool)]
    found = Counter(int(one) for one in plain if 0 <= one < HOURS and one == int(one))
    if not known or sum(found.values()) < len(known) or len(found) <= HOURS / 2:
        return ()
    return tuple(found[hour] for hour in range(HOURS))


def other_zone(one: ColumnEvidence, whole: SkewEvidence) -> str:
    """The hours of the day are those of the training data after a shift, or only one side has a time zone."""
    del whole
    times = [value for value in one.values if isinstance(value, datetime)]
    before, now = "tz=" in one.trained["type"], any(value.tzinfo for value in times)
    if kfnb_sort(one.trained["type"]) == "times" and times and before != now:
        return f"times have {'no' if before else 'a'} time zone, and {'one' if before else 'none'} in the training data"
    served = hours_of(one.values)
    if not sum(one.hours) or not served:
        return ""
    apart = _between(one.hours, served)
    found = {shift: _between(one.hours, served[shift:] + served[:shift]) for shift in range(1, HOURS)}
    shift = min(found, key=found.__getitem__)
    chance = 1.5 * math.sqrt(HOURS * (1 / sum(one.hours) + 1 / sum(served))) / 2
    if apart <= max(_APART, chance) or found[shift] > min(chance, apart / _CLOSER):
        return ""
    hours = shift if shift <= _HALF else shift - HOURS
    return (
        f"hours of the day are {abs(hours)} h {'later' if hours > 0 else 'earlier'} than in the training data"
    )


def stale_join(one: ColumnEvidence, whole: SkewEvidence) -> str:
    """No time is newer than the training data's newest, though some had to be expected by now."""
    if kfnb_sort(one.trained["type"]) != "times" or not one.trained.get("edges") or whole.elapsed <= 0:
        return ""
    times = [_seconds(value) for value in one.values if isinstance(value, datetime) and value == value]  # noqa: PLR0124 - NaT
    newest = float(one.trained["edges"][-1])
    recent = 1 - kfnb_below(dict(one.trained), newest - whole.elapsed)
    expected = recent * len(times)
    if expected < _EXPECTED or max(times, default=math.inf) > newest + 1:
        return ""
    return (
        f"none of {len(times):,} times is newer than the training data, {moment(newest)}, though it is"
        f" {duration(whole.elapsed)} old; {expected:,.0f} had to be expected"
    )


def _between(one: Sequence[int], other: Sequence[int]) -> float:
    """The total variation distance of counts."""
    first, second = sum(one), sum(other)
    return sum(abs(a / first - b / second) for a, b in zip(one, other, strict=True)) / 2


def _seconds(value: datetime) -> float:
    return (value if value.tzinfo else value.replace(tzinfo=timezone.utc)).timestamp()
