"""What runs cost, in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kfnb.entities import Purpose, RunSnapshot
from kfnb.errors import UsageError
from kfnb.prices.current import current
from kfnb.prices.rates import Cost
from kfnb.text.money import money


def cost_of(run: RunSnapshot) -> Cost | None:
    """What a run costs until now; None where that is not known, or where the prices have a mistake."""
    if not run.occupied:
        return None
    try:
        cost = current().cost(run.occupied)
    except UsageError:  # %kf_costs and run.cost say what is wrong; a run is shown nevertheless
        return None
    return None if cost.amount is None else cost


def cost_words(run: RunSnapshot) -> str:
    """What a run costs, with the prices and their date: ``cost 0.42 USD (opencost, 2026-11-29)``; empty if unknown."""
    cost = cost_of(run)
    if cost is None:
        return ""
    failed = money(cost.failed, cost.currency) if cost.failed else ""
    saved = money(cost.saved, cost.currency) if Purpose.SAVED in cost.parts else ""
    facts = (
        f"{cost.prices}, {cost.date}",
        f"{failed} of it failed" if failed else "",
        f"cache saved {saved}" if saved else "",
    )
    return f"cost about {cost} ({'; '.join(filter(None, facts))})"


def cost_cells(runs: Iterable[RunSnapshot]) -> dict[str, str]:
    """What runs cost, by their ids; those whose cost is known."""
    return {run.id: str(cost) for run in runs if (cost := cost_of(run)) is not None}


def cost_data(run: RunSnapshot) -> dict[str, Any] | None:
    """What a run costs, as JSON; None if unknown."""
    cost = cost_of(run)
    if cost is None:
        return None
    return {"amount": cost.amount, "currency": cost.currency, "prices": cost.prices, "date": cost.date}
