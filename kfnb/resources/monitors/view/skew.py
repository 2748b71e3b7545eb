"""Skew: how far served rows are from the data that their version was made of, and the likely causes."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.resources.monitors.model import Report, SkewCause
from kfnb.ui.blocks import Block, Section
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import digits

_MOST = 20
_DISTANCES = (Column("Column"), Column("Distance", number=True))
_CAUSES = (
    Column("Column"),
    Column("Of", whole=True),
    Column("Likely cause", whole=True),
    Column("What tells it"),
)


def skew(report: Report | None) -> Iterator[Block]:
    """The distances, where the training data is not the baseline whose drift is shown anyway; and the causes."""
    if report is None:
        return
    tables: list[Block] = []
    if report.causes:
        tables.append(Table("Likely causes", _CAUSES, [_cause(one) for one in report.causes[:_MOST]]))
    if any(report.drift.get(name) != distance for name, distance in report.skew.items()):
        worst = sorted(report.skew.items(), key=lambda pair: -pair[1])[:_MOST]
        rows: list[list[Value]] = [
            [name, TableCell(digits(one, 2), bar=min(1.0, one))] for name, one in worst
        ]
        tables.append(Table("Skew", _DISTANCES, rows))
    if tables:
        yield Section("Served rows against the version's own training data", tables)


def _cause(one: SkewCause) -> list[Value]:
    return [one.column or "all", one.part or "version", one.kind, one.evidence]
