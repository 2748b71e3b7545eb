"""``draw_monitor``: a monitor: its state, its rules, what was found over time and by column, and what was done."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.resources.monitors.model import Action, Alarm, MetricValue, MonitorState, Report, RuleState
from kfnb.resources.monitors.snapshot import MonitorSnapshot, WindowProfiles
from kfnb.resources.monitors.view.columns import columns
from kfnb.resources.monitors.view.distributions import distributions
from kfnb.resources.monitors.view.estimates import estimates
from kfnb.resources.monitors.view.skew import skew
from kfnb.resources.monitors.view.states import action_style, monitor_style
from kfnb.resources.monitors.view.timeline import time_line
from kfnb.ui.blocks import Alert, Block, Section, Text, Title, bundle, notes_section
from kfnb.ui.mount_point import Home
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import digits, duration, moment

_RULES = (
    Column("Rule"),
    Column("State", whole=True),
    Column("Since", whole=True),
    Column("Value", number=True),
    Column("Limit", number=True),
    Column("Evidence"),
)
_METRICS = (
    Column("Metric"),
    Column("Value", number=True),
    Column("From", number=True),
    Column("To", number=True),
    Column("Labels", number=True),
)
_ALARMS = (
    Column("Alarm", number=True),
    Column("Rule"),
    Column("From", whole=True),
    Column("Until", whole=True),
    Column("Evidence"),
)
_ACTIONS = (
    Column("When", whole=True),
    Column("Alarm", number=True),
    Column("AlarmStep", whole=True),
    Column("State", whole=True),
    Column("What came of it"),
)
_MOST = 20


def draw_monitor(now: MonitorSnapshot, home: Home | None = None) -> dict[str, str]:
    """A monitor as a mimebundle."""
    report = now.reports[-1] if now.reports else None
    blocks = [
        *_summary(now, report),
        *_rules(now.rules),
        *time_line(now),
        *columns(now.reports, now.profiles),
        *_predictions(now.profiles),
        *_performance(report),
        *skew(report),
        *_alarms(now.alarms),
        *_actions(now.actions),
        *notes_section((*(report.notes if report else ()), *now.notes)),
    ]
    return bundle(f"Monitor {now.name}", blocks, home)


def _summary(now: MonitorSnapshot, report: Report | None) -> Iterator[Block]:
    spec = now.spec
    seen = (
        "" if report is None else f"{report.rows:,} rows in the last {duration(report.until - report.since)}"
    )
    facts = (
        f"service {spec.service}{f' ({report.version})' if report else ''}",
        f"baseline {(report and report.baseline) or spec.baseline}",
        seen,
        f"checked every {duration(spec.every)}",
        "paused" if now.paused else f"next {moment(now.next)}" if now.next else "",
        "dry run" if spec.dry_run else "",
        f"{str(now.state).replace('_', ' ').lower()} since {moment(now.since)}" if now.since else "",
    )
    yield Title(now.name, monitor_style(now.state), now.backend, facts)
    if now.error:
        yield Alert(monitor_style(MonitorState.ALARM), f"no data: {now.error}", [])
    for one in now.open_alarms:
        yield Alert(monitor_style(MonitorState.ALARM), f"{one.rule}: {one.evidence}", [])


def _rules(rules: tuple[RuleState, ...]) -> Iterator[Block]:
    if not rules:
        yield Text("Not checked yet: monitor.check() checks it now.")
        return
    yield Section("Rules", [Table("Rules", _RULES, [_rule(one) for one in rules])])


def _rule(one: RuleState) -> list[Value]:
    style, found = monitor_style(one.state), one.finding
    return [
        one.rule,
        TableCell(style.word, state_style=style),
        moment(one.since),
        "" if found is None or found.value is None else digits(found.value, 3),
        "" if found is None else digits(found.limit, 3),
        "" if found is None else found.evidence,
    ]


def _predictions(profiles: WindowProfiles) -> Iterator[Block]:
    if not (profiles.expected.get("columns") and profiles.predictions.get("columns")):
        return
    (before, *_), (now, *_) = profiles.expected["columns"], profiles.predictions["columns"]
    found = distributions(before, now)
    if found is not None:
        yield Section("Predictions", [found])


def _performance(report: Report | None) -> Iterator[Block]:
    if report is not None and report.metrics:
        rows: list[list[Value]] = [_metric(one) for one in report.metrics]
        yield Section("Labels", [Table("Labels", _METRICS, rows)])
    yield from estimates(report)


def _metric(one: MetricValue) -> list[Value]:
    name = f"{one.name}, {one.slice}" if one.slice else one.name
    return [name, digits(one.value, 3), digits(one.low, 3), digits(one.high, 3), f"{one.rows:,}"]


def _alarms(alarms: tuple[Alarm, ...]) -> Iterator[Block]:
    rows: list[list[Value]] = [
        [str(one.number), one.rule, moment(one.since), moment(one.until), one.evidence]
        for one in reversed(alarms[-_MOST:])
    ]
    if rows:
        yield Section("Alarms", [Table("Alarms", _ALARMS, rows)])


def _actions(actions: tuple[Action, ...]) -> Iterator[Block]:
    rows: list[list[Value]] = [
        [
            moment(one.at),
            str(one.alarm),
            one.text,
            TableCell(action_style(one).word, state_style=action_style(one)),
            one.detail,
        ]
        for one in sorted(actions[-_MOST:], key=lambda one: (-one.at, -one.alarm, -one.place))
    ]
    if rows:
        yield Section("Actions", [Table("Actions", _ACTIONS, rows)])
