"""What the trials of a study have cost, of what they may."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kfnb.entities import Amounts, Purpose
from kfnb.prices.budget import Budget
from kfnb.resources.studies.costs import occupied
from kfnb.resources.studies.local.outcome import Outcome
from kfnb.resources.studies.model import Trial


class Spent:
    """Adds up what trials occupied, beginning with those of earlier attempts at the study."""

    def __init__(self, budget: Budget | None, past: Iterable[Trial]) -> None:
        self._budget = budget
        self._used = occupied(past)

    def add(self, outcome: Outcome) -> str:
        """A trial has ended: that the budget is passed; empty if it is not."""
        for purpose, amounts in outcome.used.items():
            self._used[purpose] = self._used.get(purpose, Amounts()) + amounts
        return self._budget.passed(self._used) if self._budget is not None else ""

    def left(self) -> Budget | None:
        """What the next trial may cost; None without a limit."""
        if self._budget is None:
            return None
        known: dict[Purpose, Amounts] = {
            purpose: replace(amounts, unknown=0) for purpose, amounts in self._used.items()
        }
        spent = self._budget.rates.cost(known).amount or 0.0
        return replace(self._budget, limit=max(0.0, self._budget.limit - spent))
