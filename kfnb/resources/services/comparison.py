"""Canary and default compared by what was counted while both were served: whether one fails more often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kfnb.entities.proportions import (
    Interval,
    Proportion,
    difference,
    probability_of_chance,
    requests_needed,
)
from kfnb.resources.services.model import Revision, ServiceSnapshot

LEVEL = 0.01
"""Differences that are rarer than that by chance are called differences: strict, as people look again and again."""
MARGIN = 0.01
"""A canary whose error rate is not higher by as much (a point) is as good as the default."""

Verdict = Literal["worse", "better", "same", "too few", "open"]
"""What the canary is. ``same``: it is not worse by a point or more. ``too few``: it has not had as many requests as
that takes. ``open``: it has, and they do not decide it."""


@dataclass(frozen=True)
class CanaryComparison:
    """Requests that failed, of all since ``since`` (seconds since 1970).

    ``chance`` is the probability of such a difference if there is none, ``difference`` where the true one lies with a
    confidence of 95 %, and ``needed`` how many requests of the canary can rule out that it is worse by a point.
    """

    since: float
    canary: Proportion
    default: Proportion
    chance: float
    difference: Interval
    needed: int

    @property
    def verdict(self) -> Verdict:
        """What the canary is, as far as it is known."""
        if self.chance < LEVEL:
            return "worse" if self.canary.rate > self.default.rate else "better"
        if self.difference[1] < MARGIN:
            return "same"
        return "too few" if self.canary.total < self.needed else "open"


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
    both = Proportion(new.count + old.count, new.total + old.total)
    return CanaryComparison(
        began.at,
        new,
        old,
        probability_of_chance(new, old),
        difference(new, old),
        requests_needed(both.rate, MARGIN, ratio),
    )


def _failed_since(one: Revision) -> Proportion:
    """The requests that failed, of those since both are served."""
    counters, began = one.counters, one.counters.paired
    assert began is not None
    return Proportion(counters.failed - began.failed, counters.requests - began.requests)
