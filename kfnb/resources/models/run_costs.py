"""What the runs cost that made models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kfnb.errors import KfnbError
from kfnb.prices.current import current
from kfnb.prices.rates import Cost
from kfnb.resources.runs.recorded_usage import recorded_usage


def costs_of(runs: Iterable[str]) -> Mapping[str, Cost]:
    """What those of the runs cost that the home has, by their ids; those whose cost is known. Nothing is raised."""
    ids = {run for run in runs if run}
    if not ids:
        return {}
    try:
        rates = current()
        found = {run: rates.cost(used) for run, used in recorded_usage(ids).items()}
    except KfnbError:  # a mistake in the prices, an index that is locked: models are shown nevertheless
        return {}
    return {run: cost for run, cost in found.items() if cost.amount is not None}
