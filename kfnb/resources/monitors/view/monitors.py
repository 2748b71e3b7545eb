"""``draw_monitors``: a table of monitors."""

from __future__ import annotations

from collections.abc import Sequence

from kfnb.resources.monitors.snapshot import MonitorSnapshot
from kfnb.resources.monitors.view.states import monitor_style
from kfnb.ui.blocks import Text, bundle
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import digits, duration, moment

COLUMNS = (
    Column("Name"),
    Column("State", whole=True),
    Column("Since", whole=True),
    Column("Service"),
    Column("Score", number=True),
    Column("Metric", whole=True),
    Column("Rows", number=True),
    Column("Alarms", number=True),
    Column("Every", whole=True, aside=True),
    Column("Baseline", aside=True),
    Column("Owner", aside=True),
)


def draw_monitors(monitors: Sequence[MonitorSnapshot]) -> dict[str, str]:
    """Monitors as a mimebundle: a row each."""
    if not monitors:
        return bundle("Monitors", [Text("No monitors yet.")])
    table = Table("Monitors", COLUMNS, [_row(one) for one in monitors])
    errors = [f"{one.name}: {one.error}" for one in monitors if one.error]
    return bundle("Monitors", [table.without_empty_columns(), *map(Text, errors)])


def _row(one: MonitorSnapshot) -> list[Value]:
    style = monitor_style(one.state)
    report = one.reports[-1] if one.reports else None
    metric = report.metrics[0] if report is not None and report.metrics else None
    return [
        one.name,
        TableCell(f"{style.word}{' (paused)' if one.paused else ''}", state_style=style),
        moment(one.since) if one.since else "",
        one.spec.service,
        "" if report is None or report.score is None else digits(report.score, 2),
        "" if metric is None else f"{metric.name} {digits(metric.value, 3)}",
        "" if report is None else f"{report.rows:,}",
        f"{len(one.alarms):,}" if one.alarms else "",
        duration(one.spec.every),
        one.spec.baseline,
        one.spec.owner,
    ]
