"""Shares of a total, how sure they are, and whether two of them differ. The standard library is enough for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

CONFIDENCE = 0.95
"""That of intervals."""

Interval = tuple[float, float]

_NEGLIGIBLE = 1e-20


@dataclass(frozen=True)
class Proportion:
    """``count`` of ``total``."""

    count: int
    total: int

    @property
    def rate(self) -> float:
        """The share, from 0 to 1; 0 of nothing."""
        return self.count / self.total if self.total else 0.0

    @property
    def interval(self) -> Interval:
        """Where the true share lies with a confidence of 95 %; anywhere where nothing was counted."""
        return self.interval_at(CONFIDENCE)

    def interval_at(self, confidence: float) -> Interval:
        """The same with another confidence."""
        return _interval(self.rate, self.total, confidence) if self.total else (0.0, 1.0)


def probability_of_chance(one: Proportion, other: Proportion) -> float:
    """How probable a difference at least as rare as this one is if both shares are truly the same.

    Fisher's exact test of two proportions, two-sided: valid for few requests and for shares near 0, where the normal
    approximation is not. It takes time by the spread of what is probable, not by the number of requests.
    """
    hits, total = one.count + other.count, one.total + other.total
    least, most = max(0, hits - other.total), min(hits, one.total)
    mode = min(most, max(least, (hits + 1) * (one.total + 1) // (total + 2)))
    weights = {mode: 1.0}
    for step, end in (1, most), (-1, least):
        at, weight = mode, 1.0
        while at != end and weight > _NEGLIGIBLE:
            low = at if step > 0 else at - 1  # from low to low + 1, or back
            up = (hits - low) * (one.total - low) / ((low + 1) * (other.total - hits + low + 1))
            at, weight = at + step, weight * (up if step > 0 else 1 / up)
            weights[at] = weight
    own = weights.get(one.count, 0.0)
    return sum(one for one in weights.values() if one <= own * (1 + 1e-7)) / sum(weights.values())


def difference(one: Proportion, other: Proportion) -> Interval:
    """Where the true share of ``one`` less that of the other lies, with a confidence of 95 %."""
    return _difference(one.rate, one.interval, other.rate, other.interval)


def requests_needed(rate: float, margin: float, per_other: float) -> int:
    """How many requests show that a share is not ``margin`` higher than another one, if both are ``rate``.

    ``per_other`` is how many requests there are for each one of the other side.
    """

    def enough(total: int) -> bool:
        both = _interval(rate, total), _interval(rate, total / per_other)
        return _difference(rate, both[0], rate, both[1])[1] < margin

    low, high = 0, 1
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _interval(rate: float, total: float, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's interval of a share, which holds for few requests and for shares of 0 and 1."""
    deviations = NormalDist().inv_cdf((1 + confidence) / 2)
    weight = deviations * deviations / total
    middle = (rate + weight / 2) / (1 + weight)
    spread = math.sqrt(rate * (1 - rate) * weight + weight * weight / 4) / (1 + weight)
    return max(0.0, middle - spread), min(1.0, middle + spread)


def _difference(one: float, of_one: Interval, other: float, of_other: Interval) -> Interval:
    """Newcombe's interval of a difference, from those of both shares."""
    below = math.hypot(one - of_one[0], of_other[1] - other)
    above = math.hypot(of_one[1] - one, other - of_other[0])
    return one - other - below, one - other + above
