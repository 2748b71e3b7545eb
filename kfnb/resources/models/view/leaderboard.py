"""``draw_leaderboard``: a table for each version of the data that models were measured on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kfnb.prices.rates import Cost
from kfnb.resources.models.leaderboard import (
    Leaderboard,
    LeaderboardEntry,
    LeaderboardGroup,
    ShownLeaderboard,
)
from kfnb.resources.models.model import DataDamage
from kfnb.resources.models.view.verification import DAMAGED, damage_words
from kfnb.ui.blocks import Block, Section, Text, Title, bundle
from kfnb.ui.mount_point import Home
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import aligned, digits, moment

MOST_METRICS = 5
"""How many metrics have a column; a comparison shows all."""
MOST_GROUPS = 10
"""How many versions of the data have a table: those with the newest entries."""
_HOW = "%kf_register MODEL --name NAME registers one."


def draw_leaderboard(shown: ShownLeaderboard, home: Home | None = None) -> dict[str, str]:
    """The leaderboard as a mimebundle, with the best entries of each group; those with damaged data are marked.

    ``home`` is the mark of its place in a page.
    """
    board, damage = shown.board, shown.damage
    what = f"Versions of {board.only}" if board.only else "Models"
    if not board:
        none = "No versions match." if board.query and board.query.chooses else "No models yet. " + _HOW
        return bundle(what, [Text(none)], home)
    better = "more is better" if board.maximize else "less is better"
    facts = (f"by {board.by} ({better})", _count(len(board))) if board.by else (_count(len(board)),)
    notes = [Text(damage.note)] if damage.note else []
    return bundle(what, [Title(what, facts=facts), *_groups(shown), *notes], home)


def _groups(shown_board: ShownLeaderboard) -> Iterator[Block]:
    board = shown_board.board
    for group in board.groups[:MOST_GROUPS]:
        shown = group.entries[: board.limit]
        rest = len(group.entries) - len(shown)
        more = [Text(f"{rest} more; --limit shows them.")] if rest else []
        blocks: list[Block] = [_table(shown_board, shown), *more, *_unverified(group)]
        if group.data:
            yield Section(f"Measured on {group.title}", blocks)
        elif len(board.groups) > 1 or board.by:
            yield Section(_unknown(group), blocks)
        else:
            yield from blocks
    hidden = len(board.groups) - MOST_GROUPS
    if hidden > 0:
        yield Text(f"{hidden} more tables, of other data; --data NAME@VERSION shows one.")


def _unverified(group: LeaderboardGroup) -> Iterator[Block]:
    if group.unverified:
        count = _count(group.unverified)
        yield Text(f"Unverified: {count} without the digest of {group.data}, ranked here by its name alone.")


def _unknown(group: LeaderboardGroup) -> str:
    measured = any(entry.metrics for entry in group.entries)
    return "Not ranked (unknown data version)" if measured else "Without metrics"


def _table(shown: ShownLeaderboard, entries: Sequence[LeaderboardEntry]) -> Table:
    board, costs = shown.board, shown.costs
    metrics = [name for name in board.metrics if any(name in one.metrics for one in entries)][:MOST_METRICS]
    currency = next((cost.currency for cost in costs.values()), "") if board.by and board.maximize else ""
    columns = (
        Column("#", number=True),
        Column("Model", whole=True),
        Column("Aliases"),
        *(Column(name, number=True) for name in metrics),
        Column("Cost", number=True),
        Column(f"{board.by} for 1 {currency}" if currency else "", number=True),
        Column("Owner"),
        Column("Registered", whole=True),
        Column("Warning"),
        Column("Tags", aside=True),
    )
    shares = _shares([one.metrics.get(board.by) for one in entries])
    values = {name: aligned(one.metrics.get(name) for one in entries) for name in metrics}
    rows: list[list[Value]] = [
        [
            "" if one.rank is None else str(one.rank),
            one.ref,
            ", ".join(one.aliases),
            *(_metric(values[name][row], share if name == board.by else None) for name in metrics),
            str(costs[one.run]) if one.run in costs else "",
            _for_money(one, board, costs),
            one.owner,
            moment(one.created),
            _warning(one, shown.damage),
            ", ".join(f"{key}={value}" if value else key for key, value in sorted(one.tags.items())),
        ]
        for row, (one, share) in enumerate(zip(entries, shares, strict=True))
    ]
    return Table("Leaderboard", columns, rows).without_empty_columns()


def _for_money(entry: LeaderboardEntry, board: Leaderboard, costs: Mapping[str, Cost]) -> str:
    """How much of a metric of which more is better came of each unit of the currency."""
    cost, value = costs.get(entry.run), entry.metrics.get(board.by)
    if cost is None or not cost.amount or value is None or not board.maximize:
        return ""
    return digits(value / cost.amount, 3)


def _warning(entry: LeaderboardEntry, damage: DataDamage) -> Value:
    words = damage_words(entry.behind, damage.problems)
    return TableCell(words, DAMAGED) if words else ""


def _metric(text: str, share: float | None) -> Value:
    return TableCell(text, bar=share) if text else ""


def _shares(values: Sequence[float | None]) -> list[float | None]:
    """How long the bar of each value is, from 0 to 1."""
    known = [value for value in values if value is not None]
    if not known:
        return [None for _ in values]
    low = min(0.0, *known)
    span = (1.0 if low == 0 and max(known) <= 1 else max(known)) - low
    return [None if value is None or not span else (value - low) / span for value in values]


def _count(number: int) -> str:
    return "1 entry" if number == 1 else f"{number} entries"
