"""The columns of a monitor's newest window: those that matter and moved most first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kfnb.resources.monitors.model import ColumnDrift, MonitorState, Report
from kfnb.resources.monitors.snapshot import WindowProfiles
from kfnb.resources.monitors.view.distributions import distributions
from kfnb.resources.monitors.view.states import monitor_style
from kfnb.ui.blocks import Block, Folded, Row, Section, Text
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import digits

_MOST, _DRAWN = 200, 12
_WINDOWS = 30
"""Windows of a column's sparkline."""
_COLUMNS = (
    Column("Column"),
    Column("Drift", number=True),
    Column("Limit", number=True),
    Column("Importance", number=True),
    Column("Windows", whole=True),
    Column("Missing", number=True),
    Column("Before", number=True),
    Column("What has changed"),
)


def columns(reports: Sequence[Report], profiles: WindowProfiles) -> Iterator[Block]:
    """The columns as rows, and the distributions of the first of them."""
    if not reports or not reports[-1].columns:
        return
    shown = reports[-1].columns[:_MOST]
    recent = [one.drift for one in reports[-_WINDOWS:]]
    rows = [_row(one, [each.get(one.name) for each in recent]) for one in shown]
    rest = len(reports[-1].columns) - len(shown)
    more = [Text(f"{rest:,} more columns: report.to_frame()")] if rest > 0 else []
    yield Section("Columns", [Table("Columns", _COLUMNS, rows).without_empty_columns(), *more])
    drawn = list(_drawn([one.name for one in shown], profiles))
    if drawn:
        few = ", ".join(one.name for one in shown[:3])
        text = f"Distributions: {few} and others are drawn in HTML."
        yield Folded(
            "Distributions: the baseline filled, the newest window as outlines", [Row(drawn)], text_form=text
        )


def _row(one: ColumnDrift, windows: Sequence[float | None]) -> list[Value]:
    score = one.score
    style = monitor_style(MonitorState.WARNING) if one.exceeded else None
    top = max([one.limit, *(value for value in windows if value is not None)])
    before, now = one.nulls
    return [
        TableCell(one.name, state_style=style),
        "" if score is None else TableCell(digits(score, 2), bar=min(1.0, score)),
        digits(one.limit, 2),
        "" if one.importance is None else f"{100 * one.importance:.0f} %",
        _sparkline(windows, top),
        f"{100 * now:.1f} %" if now or before else "",
        f"{100 * before:.1f} %" if now or before else "",
        "; ".join(one.reasons),
    ]


def _sparkline(windows: Sequence[float | None], top: float) -> Value:
    if len(windows) < 2 or not top:  # noqa: PLR2004 - one bar says nothing
        return ""
    chart = tuple((value or 0.0) / top for value in windows)
    return TableCell(f"drift of the last {len(windows)} windows", chart=chart)


def _drawn(names: Sequence[str], profiles: WindowProfiles) -> Iterator[Block]:
    before, now = _by_name(profiles.baseline), _by_name(profiles.inputs)
    for name in names[:_DRAWN]:
        if name in before and name in now:
            found = distributions(before[name], now[name])
            if found is not None:
                yield found


def _by_name(profile: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    return {str(one["name"]): one for one in profile.get("columns", ())}
