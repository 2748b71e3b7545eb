"""Metrics that are estimated without labels, and what the estimate assumes."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.resources.monitors.model import Report
from kfnb.ui.blocks import Block, Section, Text
from kfnb.ui.table import Column, Table, Value
from kfnb.ui.words import digits

_COLUMNS = (
    Column("Metric"),
    Column("Estimate", number=True),
    Column("From", number=True),
    Column("To", number=True),
    Column("Rows", number=True),
)


def estimates(report: Report | None) -> Iterator[Block]:
    """The estimates of a window."""
    if report is None or not report.estimates:
        return
    rows: list[list[Value]] = [
        [one.name, digits(one.value, 3), digits(one.low, 3), digits(one.high, 3), f"{one.rows:,}"]
        for one in report.estimates
    ]
    assumption = Text("Estimates without labels. They assume no concept drift.")
    yield Section("Estimates", [Table("Estimates", _COLUMNS, rows), assumption])
