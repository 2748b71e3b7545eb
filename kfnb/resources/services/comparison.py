"""Canary and default compared by what was counted while both were served: whether one fails more often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kfnb.resources.services.model import Revision, ServiceSnapshot
from kfnb.resources.services.proportions import Proportion, probability_of_chance, requests_needed

LEVEL = 0.01
"""Differences that are rarer than that by chance are called differences: strict, as people look again and again."""
DIFFERENCE, POWER = 0.01, 0.8
"""A higher error rate by a point is found 4 times of 5 once there are enough requests."""

Verdict = Literal["too few", "same", "worse", "better"]
"""What the canary is; ``same`` is that no difference was found, though one of a point would probably have been."""


@dataclass(frozen=True)
class CanaryComparison:
    """Requests that failed, of all since ``since`` (seconds since 1970). ``needed`` are those that the canary needs."""

    since: float
    canary: Proportion
    default: Proportion
    chance: float
    needed: int

    @property
    def verdict(self) -> Verdict:
        """What the canary is, as far as it is known."""
        if self.chance < LEVEL:
            return "worse" if self.canary.rate > self.default.rate else "better"
        return "too few" if self.canary.total < self.needed else "same"


def comparison_of(now: ServiceSnapshot) -> CanaryComparison | None:
    """Canary and default compared; None without a canary, or where it is not known what was counted since it began."""
    by_role = {one.role: one for one in now.current}
    if "canary" not in by_role:
        return None
    canary, default = by_role["canary"], by_role["default"]
    began = canary.counters.paired
    if began is None or default.counters.paired is None or default.counters.paired.at != began.at:
        return None
    new, old = _failed_since(canary), _failed_since(default)
    ratio = new.total / old.total if new.total and old.total else canary.percent / default.percent
    needed = requests_needed(old.rate, DIFFERENCE, level=LEVEL, power=POWER, per_other=ratio)
    return CanaryComparison(began.at, new, old, probability_of_chance(new, old), needed)


def _failed_since(one: Revision) -> Proportion:
    """The requests that failed, of those since both are served."""
    counters, began = one.counters, one.counters.paired
    assert began is not None
    return Proportion(counters.failed - began.failed, counters.requests - began.requests)
