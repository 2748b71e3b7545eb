"""What a study costs: so far, its best trial, and the trials that failed or were pruned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kfnb.entities import Amounts, Purpose
from kfnb.errors import UsageError
from kfnb.prices.current import current
from kfnb.prices.rates import Cost, Rates
from kfnb.resources.studies.model import StudySnapshot, Trial, TrialState

_FAILED = (TrialState.FAILED, TrialState.METRICS_UNAVAILABLE, TrialState.KILLED)


@dataclass(frozen=True)
class StudyCost:
    """What all trials of a study cost until now, and which part of it; ``best`` is None without a best trial."""

    total: Cost
    best: Cost | None
    failed: Cost
    pruned: Cost


def occupied(trials: Iterable[Trial]) -> dict[Purpose, Amounts]:
    """What trials occupied together."""
    total: dict[Purpose, Amounts] = {}
    for trial in trials:
        for purpose, amounts in trial.used.items():
            total[purpose] = total.get(purpose, Amounts()) + amounts
    return total


def study_cost(study: StudySnapshot, rates: Rates) -> StudyCost:
    """What a study costs by some prices; unknown where nothing is known of what its trials occupied."""

    def of(trials: Iterable[Trial]) -> Cost:
        found = list(trials)
        return rates.cost(occupied(found) if found else {Purpose.WORK: Amounts()})

    best = study.best
    return StudyCost(
        of(trial for trial in study.trials if trial.state.finished),
        None if best is None else of([best]),
        of(trial for trial in study.trials if trial.state in _FAILED),
        of(trial for trial in study.trials if trial.state is TrialState.EARLY_STOPPED),
    )


def cost_words(study: StudySnapshot) -> str:
    """What a study costs until now, in words; empty if unknown."""
    cost = _known(study)
    if cost is None:
        return ""
    total = cost.total
    parts = {"best trial": cost.best, "failed": cost.failed, "pruned": cost.pruned}
    facts = [f"{name} {part}" for name, part in parts.items() if part is not None and part.amount]
    return f"cost about {total} ({'; '.join([f'{total.prices}, {total.date}', *facts])})"


def cost_data(study: StudySnapshot) -> dict[str, Any] | None:
    """What a study costs until now, as JSON; None if unknown."""
    cost = _known(study)
    if cost is None:
        return None
    total, best = cost.total, cost.best.amount if cost.best else None
    parts = {"best": best, "failed": cost.failed.amount, "pruned": cost.pruned.amount}
    return {
        "amount": total.amount,
        **parts,
        "currency": total.currency,
        "prices": total.prices,
        "date": total.date,
    }


def _known(study: StudySnapshot) -> StudyCost | None:
    """What a study costs; None where that is not known, or where the prices have a mistake."""
    if not occupied(study.trials):
        return None
    try:
        cost = study_cost(study, current())
    except UsageError:  # %kf_costs and study.cost say what is wrong; a study is shown nevertheless
        return None
    return None if cost.total.amount is None else cost
