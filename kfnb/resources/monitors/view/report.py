"""``draw_report``: one report by itself."""

from __future__ import annotations

from kfnb.resources.monitors.model import Finding, MonitorState, Report
from kfnb.resources.monitors.snapshot import WindowProfiles
from kfnb.resources.monitors.view.columns import columns
from kfnb.resources.monitors.view.estimates import estimates
from kfnb.resources.monitors.view.skew import skew
from kfnb.resources.monitors.view.states import monitor_style
from kfnb.ui.blocks import Block, Section, Title, bundle, notes_section
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import digits, moment

_FINDINGS = (
    Column("Rule"),
    Column("Beyond", whole=True),
    Column("Value", number=True),
    Column("Limit", number=True),
    Column("Evidence"),
)


def draw_report(report: Report) -> dict[str, str]:
    """A report as a mimebundle."""
    facts = (
        report.version,
        f"{report.rows:,} rows of {report.requests:,} requests",
        f"{moment(report.since)} to {moment(report.until)}",
        "" if report.score is None else f"drift weighted by importance {digits(report.score, 2)}",
    )
    findings = Table("Findings", _FINDINGS, [_row(one) for one in report.findings])
    blocks: list[Block] = [
        Title("Report", facts=facts),
        Section("Findings", [findings]),
        *columns((report,), WindowProfiles()),
        *skew(report),
        *estimates(report),
        *notes_section(report.notes),
    ]
    return bundle("Report", blocks)


def _row(one: Finding) -> list[Value]:
    word = {True: "yes", False: "no", None: "no data"}[one.exceeded]
    state = {True: MonitorState.WARNING, False: MonitorState.OK, None: MonitorState.NO_DATA}[one.exceeded]
    return [
        one.rule,
        TableCell(word, state_style=monitor_style(state)),
        "" if one.value is None else digits(one.value, 3),
        digits(one.limit, 3),
        one.evidence,
    ]
