"""The public functions of costs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime

from kfnb.catalog.index import Index
from kfnb.catalog.occupied import BY, OccupiedGroup, occupied
from kfnb.entities import Amounts, RunSnapshot, Task
from kfnb.errors import UsageError, did_you_mean
from kfnb.prices.current import current, names, offer, own_prices
from kfnb.prices.rates import Rates
from kfnb.resources.costs.model import CostReport, CostSpan, OfferList, RunCost, TaskCost
from kfnb.resources.costs.on_cluster import MOST_RUNS, occupied_there
from kfnb.resources.costs.report import report
from kfnb.resources.lineage import api as lineage
from kfnb.resources.runs import api as runs
from kfnb.target import backend_name
from kfnb.text.timespec import instant

_SPOT = "spot"


def costs(
    *,
    since: str | float | datetime = "30d",
    by: str = "pipeline",
    backend: str | None = None,
    compare: Sequence[str] = (),
    what_if: str = "",
) -> CostReport:
    """What the runs cost that ended ``since`` a moment, by ``pipeline``, ``experiment``, ``user``, ``model``, ...

    ``since`` is a date, with a time or not, or a span before now (``"30d"``). ``compare`` are names of offers
    (``"own"``, ``"gke"``): what the same would have cost there. ``what_if`` is an offer to compute all costs by, as
    ``"n2-standard-8,spot"``. All of it is an estimate, by prices of a date. Raises ``UsageError``, ``BackendError``.
    """
    if by not in BY:
        hint = did_you_mean(by, BY, f"one of {', '.join(BY)}")
        raise UsageError(f"costs cannot be summed by {by}", hint=hint, ref=by)
    rates = current() if not what_if else _offer(what_if)
    places = [_offer(name) for name in compare]
    start, now = instant(since), time.time()
    span = CostSpan(by, start, now)
    own = next((one for one in _machines(rates, places) if one.machine and one.machine.bought), None)
    found, notes = _occupied(span, backend)
    return report(found, span, rates, places=places, own=own, notes=notes)


def cost_of_run(id: str) -> RunCost:
    """What a run costs until now, and each of its tasks. Raises ``RunNotFound``."""
    handle = runs.run(id)
    now, used, rates = handle.snapshot(), handle.occupied, current()
    tasks = tuple(_task(task, rates) for task in now.tasks if task.usage)
    return RunCost(now.id, now.pipeline, rates, rates.cost(used), used, tasks)


def offers() -> OfferList:
    """The offers by which costs can be computed: one's own, and those of clouds with their dates and sources."""
    own = own_prices().offers
    aliases = [name for name in names() if "/" in name and name not in own]
    return OfferList([*own.values(), offer("opencost"), *map(offer, aliases)], current().name)


def _offer(text: str) -> Rates:
    """An offer by its name, or ``NAME,spot``."""
    name, comma, word = text.partition(",")
    if comma and word.strip() != _SPOT:
        raise UsageError(f"{text}: after the offer's name, only spot may follow", ref=text)
    return offer(name.strip(), spot=bool(comma))


def _machines(rates: Rates, places: Sequence[Rates]) -> list[Rates]:
    return [rates, *places, *own_prices().offers.values()]


def _occupied(span: CostSpan, backend: str | None) -> tuple[list[OccupiedGroup], tuple[str, ...]]:
    """What runs occupied, and notes on what is not counted."""
    if backend_name(backend) == "kubeflow":
        found = list(occupied_there(span.by, span.since, span.until))
        note = f"only the newest {MOST_RUNS} runs are counted"
        return found, (note,) if sum(one.runs for one in found) >= MOST_RUNS else ()
    index: Index = lineage.index()
    with index.reading() as connection:
        return list(occupied(connection, span.by, span.since, span.until)), index.problems


def _task(task: Task, rates: Rates) -> TaskCost:
    total = RunSnapshot("", "", "", "", tasks=(task,)).occupied
    amounts = sum(total.values(), Amounts())
    seconds = sum(usage.seconds for usage in task.usage)
    return TaskCost(task.id, task.attempts, seconds, amounts, rates.cost(total))
