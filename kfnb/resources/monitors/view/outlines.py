"""``outlines``: the monitors of what is shown, as a part of its view."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kfnb.resources.monitors.hysteresis import overall
from kfnb.resources.monitors.model import MonitorOutline
from kfnb.resources.monitors.view.states import monitor_style
from kfnb.ui.blocks import Block, Section
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import cut, moment

_COLUMNS = (
    Column("Monitor"),
    Column("State", whole=True),
    Column("Since", whole=True),
    Column("Service"),
    Column("Version"),
    Column("Checked", whole=True),
    Column("Evidence"),
)
_EVIDENCE = 160


def outlines(monitors: Sequence[MonitorOutline], *, of_service: bool = False) -> Iterator[Block]:
    """A table with a row for each monitor; nothing without any. ``of_service``: all are of one service."""
    if monitors:
        rows = [_row(one, of_service=of_service) for one in monitors]
        yield Section("Monitors", [Table("Monitors", _COLUMNS, rows).without_empty_columns()])


def outline_cell(monitors: Sequence[MonitorOutline]) -> TableCell:
    """The worst state of some monitors, and what there is to know of it; an empty cell without any."""
    if not monitors:
        return TableCell("")
    state = overall(one.state for one in monitors)
    worst = next(one for one in monitors if one.state is state)
    style = monitor_style(worst.state)
    others = f" ({len(monitors)})" if len(monitors) > 1 else ""
    return TableCell(
        f"{style.word}{others}", state_style=style, hint=": ".join(filter(None, (worst.name, worst.evidence)))
    )


def _row(one: MonitorOutline, *, of_service: bool) -> list[Value]:
    style = monitor_style(one.state)
    return [
        one.name,
        TableCell(f"{style.word}{' (paused)' if one.paused else ''}", state_style=style),
        moment(one.since),
        "" if of_service else one.service,
        one.version,
        moment(one.checked),
        cut(one.evidence, _EVIDENCE),
    ]
