"""``draw_costs``: what runs cost, by group and day, and what the same would have cost elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from kfnb.prices.rates import Rates
from kfnb.resources.costs.model import CostGroup, CostReport, OfferCost, OwnMachine
from kfnb.text.money import money
from kfnb.ui.blocks import Block, Items, Section, Text, Title, bundle, notes_section
from kfnb.ui.share_bar import BarShare, ShareBar
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import digits, moment

MOST_ROWS = 100
_MOST_SHARES = 7
_MOST_BARS = 31
_COLUMNS = (
    Column("Runs", number=True),
    Column("Cost", number=True),
    Column("Share"),
    Column("Failed", number=True),
    Column("Overhead", number=True),
    Column("Cache saved", number=True),
    Column("By day"),
    Column("Not recorded"),
)
_PLACES = (
    Column("Offer", whole=True),
    Column("Cost", number=True),
    Column("A core hour", number=True),
    Column("A GiB hour", number=True),
    Column("A GPU hour", number=True),
    Column("Break-even", whole=True),
    Column("Prices of", whole=True),
)
_NEVER = "never cheaper"


def draw_costs(report: CostReport) -> dict[str, str]:
    """A report as a mimebundle of HTML and text."""
    blocks: list[Block] = [_title(report), *notes_section(report.notes)]
    if not report.total.runs:
        blocks.append(Text("No run ended in this time."))
    else:
        blocks += _groups(report)
    if report.places:
        blocks += _places(report)
    blocks.append(Section("Assumptions", [Items(tuple(assumptions(report.rates)))]))
    return bundle("Costs", blocks)


def assumptions(rates: Rates) -> Iterator[str]:
    """What an estimate by some prices rests on, a line each."""
    yield f"prices: {rates.name}, in {rates.currency}, of {rates.date}, from {rates.source}"
    yield from rates.assumptions
    yield "each attempt costs the larger of what it requested and what it used, for as long as it ran"


def _title(report: CostReport) -> Title:
    span = f"{moment(report.span.since)[:16]} to {moment(report.span.until)[:16]}"
    runs = "1 run" if report.total.runs == 1 else f"{report.total.runs:,} runs"
    unknown = report.total.unknown
    missing = f"{_attempts(unknown)} without a record not counted" if unknown else ""
    prices = f"an estimate by {report.rates.name}, {report.rates.date}"
    return Title(f"Costs: {_at_least(report.total)}", aside=runs, facts=(span, prices, missing))


def _at_least(group: CostGroup) -> str:
    known = str(group.cost)
    return f"at least {known}" if group.unknown and group.cost.amount is not None else known


def _groups(report: CostReport) -> Iterator[Block]:
    shares = list(_shares(report))
    if len(shares) > 1:
        yield ShareBar(f"by {report.span.by}", shares)
    total = report.total.cost.amount or 0.0
    highest = max((day for group in report for day in _bars(group.days)), default=0.0)
    rows = [_row(group, total, highest) for group in report[:MOST_ROWS]]
    columns = (Column(report.span.by.capitalize()), *_COLUMNS)
    yield Table("Costs", columns, rows).without_empty_columns()
    if len(report) > MOST_ROWS:
        yield Text(f"{len(report) - MOST_ROWS} more are not shown.")


def _shares(report: CostReport) -> Iterator[BarShare]:
    total = report.total.cost.amount
    known = [group for group in report if group.cost.amount]
    if not total:
        return
    for place, group in enumerate(known[:_MOST_SHARES]):
        yield BarShare(group.name or "(none)", 100 * (group.cost.amount or 0.0) / total, place)
    rest = sum(group.cost.amount or 0.0 for group in known[_MOST_SHARES:])
    if rest:
        yield BarShare("others", 100 * rest / total, _MOST_SHARES)


def _row(group: CostGroup, total: float, highest: float) -> list[Value]:
    cost, days = group.cost, _bars(group.days)
    share = (cost.amount or 0.0) / total if total else 0.0
    label = f"{len([day for day in days if day])} of {len(days)} with costs"
    chart = tuple(day / highest for day in days) if highest and any(days) else ()
    return [
        group.name or "(none)",
        f"{group.runs:,}",
        _at_least(group),
        TableCell(f"{share:.0%}" if total else "", bar=share if total else None),
        _part(cost.failed, cost.currency),
        _part(cost.overhead, cost.currency),
        _part(cost.saved, cost.currency),
        TableCell(label if chart else "", chart=chart),
        _attempts(group.unknown) if group.unknown else "",
    ]


def _attempts(count: int) -> str:
    return "1 attempt" if count == 1 else f"{count:,} attempts"


def _bars(days: Sequence[float]) -> list[float]:
    """At most 31 sums, each of as many days as the others."""
    width = math.ceil(len(days) / _MOST_BARS) or 1
    return [sum(days[at : at + width]) for at in range(0, len(days), width)]


def _part(amount: float | None, currency: str) -> str:
    return money(amount, currency) if amount else ""


def _places(report: CostReport) -> Iterator[Block]:
    rows: list[list[Value]] = [_place_row(one) for one in report.places]
    blocks: list[Block] = [Table("The same elsewhere", _PLACES, rows).without_empty_columns()]
    if report.machine is not None:
        blocks.append(Items(tuple(_machine_words(report.machine))))
    blocks.append(Items(tuple(_about(report))))
    yield Section("The same elsewhere", blocks)


def _place_row(place: OfferCost) -> list[Value]:
    rates = place.rates
    return [
        rates.name,
        TableCell(str(place.cost), hint=place.cost.why),
        price(rates.cores),
        price(rates.memory),
        ", ".join(f"{model} {digits(each, 3)}".strip() for model, each in rates.gpus.items()),
        _even_words(place.break_even),
        rates.date,
    ]


def price(value: float | None) -> str:
    """The price of an hour, to three digits."""
    return "unknown" if value is None else digits(value, 3)


def _even_words(share: float | None) -> str:
    """From which utilisation on one's own machine is cheaper."""
    if share is None:
        return ""
    return _NEVER if share > 1 else f"{share:.0%} of the time"


def _machine_words(machine: OwnMachine) -> Iterator[str]:
    """How one's own machine was used, and what it cost whether or not it was."""
    used = f"{machine.used_hours:.1f} of {machine.hours:.0f} h ({machine.utilisation:.1%})"
    yield f"your machine was used for {used} in this time"
    standing = money(machine.standing + machine.power, machine.currency)
    yield f"its purchase and power cost {standing} in this time, however much it was used"
    yield "break-even is the share of the time from which on your machine is cheaper than the offer"


def _about(report: CostReport) -> Iterator[str]:
    """What the prices of other places rest on: each line once, with the offers that it is about."""
    known = set(assumptions(report.rates))
    about: dict[str, list[str]] = {}
    for one in report.places:
        rates = one.rates
        for text in (f"{rates.currency}, from {rates.source}", *rates.assumptions):
            if text not in known and rates.name != report.rates.name:
                about.setdefault(text, []).append(rates.name)
    for text, names in about.items():
        yield f"{', '.join(names)}: {text}"
