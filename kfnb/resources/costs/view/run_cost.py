"""``draw_run_cost``: what a run costs, and each of its tasks; ``draw_offers``: prices."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.entities import Amounts, Purpose
from kfnb.resources.costs.model import OfferList, RunCost, TaskCost
from kfnb.resources.costs.view.report import assumptions, price
from kfnb.text.money import money
from kfnb.ui.blocks import Block, Items, Section, Text, Title, bundle
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import digits, duration

_AMOUNTS = (
    Column("Core hours", number=True),
    Column("GiB hours", number=True),
    Column("GPU hours", number=True),
    Column("Volume GiB hours", number=True),
)
_TASKS = (
    Column("Task"),
    Column("Attempts", number=True),
    Column("Time", number=True),
    *_AMOUNTS,
    Column("Cost", number=True),
    Column("Failed", number=True),
    Column("Cache saved", number=True),
)
_PARTS = (Column("What"), *_AMOUNTS, Column("Cost", number=True))
_OFFERS = (
    Column("Offer", whole=True),
    Column("A core hour", number=True),
    Column("A GiB hour", number=True),
    Column("A GPU hour", number=True),
    Column("A volume GiB hour", number=True),
    Column("Currency", whole=True),
    Column("Prices of", whole=True),
    Column("Source"),
)
_WORDS = {
    Purpose.WORK: "tasks that succeeded or are running",
    Purpose.FAILED: "attempts that failed or were stopped",
    Purpose.OVERHEAD: "the platform: drivers and other pods",
    Purpose.SAVED: "saved by the cache (not part of the cost)",
}


def draw_run_cost(cost: RunCost) -> dict[str, str]:
    """What a run costs as a mimebundle of HTML and text."""
    head = cost.cost
    why = f"unknown: {head.why}" if head.amount is None else ""
    prices = f"an estimate by {cost.rates.name}, {cost.rates.date}"
    blocks: list[Block] = [
        Title(f"Cost of {cost.pipeline or cost.run}: {head}", facts=(cost.run, prices, why))
    ]
    if cost.occupied:
        rows = [_part(cost, purpose, amounts) for purpose, amounts in cost.occupied.items()]
        blocks.append(Section("Parts", [Table("Parts", _PARTS, rows).without_empty_columns()]))
    if cost.tasks:
        table = Table("Tasks", _TASKS, [_task(one) for one in cost.tasks])
        blocks.append(Section("Tasks", [table.without_empty_columns()]))
    blocks.append(Section("Assumptions", [Items(tuple(assumptions(cost.rates)))]))
    return bundle("Cost", blocks)


def draw_offers(offers: OfferList) -> dict[str, str]:
    """Prices as a mimebundle of HTML and text."""
    rows: list[list[Value]] = [
        [
            TableCell(one.name, hint="; ".join(one.assumptions)),
            price(one.cores),
            price(one.memory),
            ", ".join(f"{model} {digits(each, 3)}".strip() for model, each in one.gpus.items()),
            "" if one.storage is None else digits(one.storage, 3),
            one.currency,
            one.date,
            one.source,
        ]
        for one in offers
    ]
    facts = (
        f"costs are computed by {offers.used}",
        "set others by [tool.kfnb.prices] or %kf_config prices=FILE",
    )
    shapes = {one.machine.words for one in offers if one.machine and not one.machine.bought}
    lines = tuple(dict.fromkeys(line for one in offers for line in one.assumptions if line not in shapes))
    blocks: list[Block] = [Title("Prices", facts=facts), Table("Prices", _OFFERS, rows)]
    return bundle("Prices", [*blocks, *([Items(lines)] if lines else [Text("")])])


def _part(cost: RunCost, purpose: Purpose, amounts: Amounts) -> list[Value]:
    known = cost.cost.parts.get(purpose)
    return [_WORDS[purpose], *_amounts(amounts), money(known, cost.cost.currency)]


def _task(one: TaskCost) -> list[Value]:
    cost = one.cost
    parts = (money(part, cost.currency) if part else "" for part in (cost.failed, cost.saved))
    return [
        one.task,
        str(one.attempts),
        duration(one.seconds),
        *_amounts(one.amounts),
        TableCell(str(cost), hint=cost.why),
        *parts,
    ]


def _amounts(amounts: Amounts) -> Iterator[str]:
    for hours in (amounts.cores, amounts.memory, sum(amounts.gpus.values()), amounts.storage):
        yield digits(hours, 3) if hours else ""
