"""Costs of what runs occupied, by group and day; and of the same elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from kfnb.catalog.occupied import OccupiedGroup
from kfnb.entities import Amounts, Purpose
from kfnb.prices.machine import PricedMachine
from kfnb.prices.rates import Cost, Rates
from kfnb.resources.costs.model import CostGroup, CostReport, CostSpan, OfferCost, OwnMachine

_MOST_DAYS = 400
_HOUR = 3600.0

Used = dict[Purpose, Amounts]


def report(
    groups: Iterable[OccupiedGroup],
    span: CostSpan,
    rates: Rates,
    *,
    places: Sequence[Rates] = (),
    own: Rates | None = None,
    notes: tuple[str, ...] = (),
) -> CostReport:
    """The report of what groups occupied, at ``rates``; ``own`` has the machine that places are compared with."""
    span = replace(span, days=tuple(_days(span.since, span.until)))
    by_name: dict[str, list[OccupiedGroup]] = {}
    everything: list[OccupiedGroup] = []
    for group in groups:
        by_name.setdefault(group.name, []).append(group)
        everything.append(group)
    costs = [_group(name, found, span, rates) for name, found in by_name.items()]
    costs.sort(key=lambda one: (-(one.cost.amount or 0.0), one.name))
    used = _together(everything)
    return CostReport(
        costs,
        span,
        rates,
        _group("", everything, span, rates),
        places=tuple(_place(one, used, own) for one in places),
        machine=_own_machine(own, used, span) if own is not None else None,
        notes=notes,
    )


def known_cost(rates: Rates, used: Mapping[Purpose, Amounts]) -> tuple[Cost, int]:
    """What of ``used`` costs that was recorded, and how many attempts were not; unknown if nothing was."""
    unknown = sum(amounts.unknown for amounts in used.values())
    recorded = {purpose: replace(amounts, unknown=0) for purpose, amounts in used.items()}
    if unknown and not any(_anything(amounts) for amounts in recorded.values()):
        return rates.cost(used), unknown
    return rates.cost(recorded), unknown


def break_even(machine: PricedMachine, hosted: Rates) -> float | None:
    """The share of the time for which a machine has to be used to be as cheap as a place; infinite if it never is."""
    gpus = {machine.gpu: machine.gpus} if machine.gpus else {}
    there = hosted.of(Amounts(cores=machine.cores, memory=machine.memory, gpus=gpus))
    if there is None:
        return None
    return machine.standing / (there - machine.power) if there > machine.power else math.inf


def _group(name: str, found: Sequence[OccupiedGroup], span: CostSpan, rates: Rates) -> CostGroup:
    cost, unknown = known_cost(rates, _together(found))
    by_day: dict[str, float] = {}
    for one in found:
        by_day[one.day] = by_day.get(one.day, 0.0) + (known_cost(rates, one.used)[0].amount or 0.0)
    days = tuple(by_day.get(day, 0.0) for day in span.days)
    return CostGroup(name, sum(one.runs for one in found), cost, unknown, days)


def _together(groups: Iterable[OccupiedGroup]) -> Used:
    total: Used = {}
    for group in groups:
        for purpose, amounts in group.used.items():
            total[purpose] = total.get(purpose, Amounts()) + amounts
    return total or {Purpose.WORK: Amounts()}


def _anything(amounts: Amounts) -> bool:
    return bool(amounts.cores or amounts.memory or amounts.storage or amounts.gpus)


def _place(rates: Rates, used: Used, own: Rates | None) -> OfferCost:
    comparable = own is not None and own.machine is not None and own.currency == rates.currency
    even = break_even(own.machine, rates) if comparable and own and own.machine else None
    mine = own is not None and own.name == rates.name
    return OfferCost(rates, known_cost(rates, used)[0], None if mine else even)


def _own_machine(own: Rates, used: Used, span: CostSpan) -> OwnMachine | None:
    machine = own.machine
    if machine is None or not machine.bought:
        return None
    whole = sum((one for purpose, one in used.items() if purpose is not Purpose.SAVED), Amounts())
    hours = (span.until - span.since) / _HOUR
    taken = machine.hours(whole.cores, whole.memory, sum(whole.gpus.values()))
    return OwnMachine(taken, hours, machine.standing * hours, machine.power * taken, own.currency)


def _days(since: float, until: float) -> Iterable[str]:
    day = datetime.fromtimestamp(since, timezone.utc).astimezone().date()
    last = datetime.fromtimestamp(until, timezone.utc).astimezone().date()
    for _ in range(_MOST_DAYS):
        if day > last:
            return
        yield day.isoformat()
        day += timedelta(days=1)
