"""The changes of what a service serves: who made them, when and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kfnb.resources.services.model import ServiceMove
from kfnb.resources.services.view.services import shown_share
from kfnb.ui.blocks import Block, Section, Text
from kfnb.ui.table import Column, Table, Value
from kfnb.ui.words import moment

_MOST = 10
_COLUMNS = (
    Column("When", whole=True),
    Column("What", whole=True),
    Column("From"),
    Column("To"),
    Column("By"),
    Column("Because"),
)


def changes(history: Sequence[ServiceMove]) -> Iterator[Block]:
    """The newest changes."""
    rows: list[list[Value]] = [
        [moment(one.at), one.action, _shares(one.before), _shares(one.after), one.by, one.because]
        for one in history[:_MOST]
    ]
    if rows:
        rest = len(history) - _MOST
        more = [Text(f"{rest:,} earlier changes: service.history")] if rest > 0 else []
        yield Section("Changes", [Table("Changes", _COLUMNS, rows).without_empty_columns(), *more])


def _shares(shares: Mapping[str, int]) -> str:
    return ", ".join(
        shown_share(ref, "" if percent else "shadow", percent) for ref, percent in shares.items()
    )
