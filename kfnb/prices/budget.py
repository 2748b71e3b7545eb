"""A budget: the most that a run or a study may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kfnb.entities import Amounts, Purpose
from kfnb.prices.rates import Rates
from kfnb.text.money import money

_RATES = ("name", "currency", "date", "source", "cores", "memory", "storage", "gpus")


@dataclass(frozen=True)
class Budget:
    """The most that something may cost, by some prices."""

    limit: float
    rates: Rates

    def passed(self, occupied: Mapping[Purpose, Amounts]) -> str:
        """That the budget is passed, and by what; empty if it is not, as far as that is known."""
        recorded = {purpose: replace(one, unknown=0) for purpose, one in occupied.items()}
        spent = self.rates.cost(recorded).amount
        if spent is None or spent <= self.limit:
            return ""
        currency = self.rates.currency
        return f"the budget of {money(self.limit, currency)} is passed: {money(spent, currency)} by {self.rates.facts}"

    def data(self) -> dict[str, Any]:
        """The budget as JSON."""
        return {"limit": self.limit, **{name: getattr(self.rates, name) for name in _RATES}}

    @staticmethod
    def of(data: Mapping[str, Any]) -> Budget | None:
        """The inverse; None of nothing."""
        if not data:
            return None
        return Budget(float(data["limit"]), Rates(**{name: data[name] for name in _RATES}))
