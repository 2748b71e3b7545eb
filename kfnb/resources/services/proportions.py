"""Shares of requests, how sure they are, and whether two of them differ. The standard library is enough for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

CONFIDENCE = 0.95
"""That of intervals."""

_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
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
    def interval(self) -> tuple[float, float]:
        """Where the true share lies with a confidence of 95 % (Wilson's interval, which holds for few and for 0)."""
        if not self.total:
            return 0.0, 1.0
        weight = _Z * _Z / self.total
        middle = (self.rate + weight / 2) / (1 + weight)
        spread = math.sqrt(self.rate * (1 - self.rate) * weight + weight * weight / 4) / (1 + weight)
        return max(0.0, middle - spread), min(1.0, middle + spread)


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


def requests_needed(rate: float, difference: float, *, level: float, power: float, per_other: float) -> int:
    """How many requests tell a share that is ``difference`` higher from ``rate``, with a probability of ``power``.

    ``level`` is that of the test, two-sided; ``per_other`` how many requests there are for each one of the other side.
    """
    high = min(1.0, rate + difference)
    low = high - difference
    effect = 2 * (math.asin(math.sqrt(high)) - math.asin(math.sqrt(max(0.0, low))))
    normal = NormalDist()
    sure = normal.inv_cdf(1 - level / 2) + normal.inv_cdf(power)
    return math.ceil((sure / effect) ** 2 * (1 + per_other))
