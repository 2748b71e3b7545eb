"""How costs are shown. Times in JSON are seconds since the epoch; what is not known is null."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from kfnb.commands.display import Display
from kfnb.prices.rates import Cost, Rates
from kfnb.resources.costs.model import CostGroup, CostReport, OfferCost, OfferList, RunCost
from kfnb.resources.costs.view.report import draw_costs
from kfnb.resources.costs.view.run_cost import draw_offers, draw_run_cost


def _report(report: CostReport) -> dict[str, Any]:
    return {
        "by": report.span.by,
        "since": report.span.since,
        "until": report.span.until,
        "days": list(report.span.days),
        "prices": _rates(report.rates),
        "total": _group(report.total),
        "groups": [_group(group) for group in report],
        "places": [_place(place) for place in report.places],
        "machine": asdict(report.machine) if report.machine else None,
        "notes": list(report.notes),
    }


def _group(group: CostGroup) -> dict[str, Any]:
    unknown = {"unknown_attempts": group.unknown, "days": list(group.days)}
    return {"name": group.name, "runs": group.runs, **_cost(group.cost), **unknown}


def _cost(cost: Cost) -> dict[str, Any]:
    parts = {name: getattr(cost, name) for name in ("failed", "overhead", "saved")}
    return {"cost": cost.amount, **parts, "currency": cost.currency, "why": cost.why}


def _place(place: OfferCost) -> dict[str, Any]:
    even = place.break_even
    never = even is not None and math.isinf(even)
    return {"prices": _rates(place.rates), **_cost(place.cost), "break_even": None if never else even}


def _rates(rates: Rates) -> dict[str, Any]:
    return {**asdict(rates), "gpus": dict(rates.gpus), "assumptions": list(rates.assumptions)}


def _run_cost(cost: RunCost) -> dict[str, Any]:
    tasks = [
        {
            "task": one.task,
            "attempts": one.attempts,
            "seconds": one.seconds,
            "amounts": asdict(one.amounts),
            **_cost(one.cost),
        }
        for one in cost.tasks
    ]
    occupied = {str(purpose): asdict(amounts) for purpose, amounts in cost.occupied.items()}
    head = {"run": cost.run, "pipeline": cost.pipeline, **_cost(cost.cost)}
    return {**head, "prices": _rates(cost.rates), "occupied": occupied, "tasks": tasks}


def _offers(offers: OfferList) -> dict[str, Any]:
    return {"used": offers.used, "offers": [_rates(one) for one in offers]}


DISPLAYS = {
    CostReport: Display(draw_costs, _report),
    RunCost: Display(draw_run_cost, _run_cost),
    OfferList: Display(draw_offers, _offers),
}
