"""The time line of a monitor: the score and the metrics over its windows, with their limits and its alarms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from kfnb.resources.monitors.model import Alarm, Report
from kfnb.resources.monitors.snapshot import MonitorSnapshot
from kfnb.ui.blocks import Block, Row, Section
from kfnb.ui.plot import Axis, Plot, PlotLine, Point, axis
from kfnb.ui.words import digits, moment

_WIDE, _HIGH = 340.0, 120.0
_UNITS = ((2 * 86400.0, "days", 86400.0), (2 * 3600.0, "hours", 3600.0), (0.0, "minutes", 60.0))
"""By the least length of the axis in seconds: its unit, and the seconds of that."""

Value = Callable[[Report], float | None]


def time_line(now: MonitorSnapshot) -> Iterator[Block]:
    """A chart of each series that is known of at least two windows."""
    charts = [
        chart
        for title, value, rules in _series(now)
        if (chart := _chart(now, title, value, rules)) is not None
    ]
    if charts:
        yield Section("Over time", [Row(charts)])


def _series(now: MonitorSnapshot) -> Iterator[tuple[str, Value, tuple[str, ...]]]:
    """What is drawn: its title, its value in a report, and the kinds of rules whose limit is a line."""
    yield "Drift weighted by importance", lambda one: one.score, ("score",)
    yield "Drift of the predictions", lambda one: one.prediction, ("prediction",)
    names = dict.fromkeys(
        metric.name for report in now.reports for metric in report.metrics if not metric.slice
    )
    for name in list(names)[:2]:
        yield name.capitalize(), partial(_metric, name), ("below", "above", "drop")
    yield "Largest drift of a column", partial(_found, "drift"), ("drift",)


def _found(rule: str, report: Report) -> float | None:
    return next((one.value for one in report.findings if one.rule == rule), None)


def _metric(name: str, report: Report) -> float | None:
    return report.performance.get(name)


def _chart(now: MonitorSnapshot, title: str, value: Value, kinds: Sequence[str]) -> Plot | None:
    known = [(one.until, found) for one in now.reports if (found := value(one)) is not None]
    if len(known) < 2:  # noqa: PLR2004 - a line has two points
        return None
    end = known[-1][0]
    unit, seconds = next((name, size) for least, name, size in _UNITS if end - known[0][0] >= least)
    points = [((at - end) / seconds, found) for at, found in known]
    limits = sorted({limit for rule, limit in _limits(now.reports[-1], kinds) if _is_of(rule, title)})
    lines = [PlotLine(title, points, f"last {digits(points[-1][1], 3)}")]
    lines += [
        PlotLine("limit", [(points[0][0], limit), (0.0, limit)], digits(limit, 3), series=3, kind=1)
        for limit in limits[:1]
    ]
    values = [found for _, found in points] + limits[:1]
    x = Axis(f"{unit} before the last window", points[0][0], 0.0, _ticks(points), _WIDE)
    y = axis("", values, _HIGH, margin=0.1)
    lines += list(_alarm_lines(now.alarms, end, seconds, x, y))
    return Plot(title, lines, x, y, rest=f"until {moment(end)}")


def _limits(report: Report, kinds: Sequence[str]) -> Iterator[tuple[str, float]]:
    for one in report.findings:
        if one.rule.partition(" ")[0] in kinds:
            yield one.rule, one.limit


def _is_of(rule: str, title: str) -> bool:
    """Whether a rule limits the series of that title: of metrics, each has its own."""
    subject = rule.partition(" ")[2]
    return not subject or subject == title.lower() or rule.startswith("drift")


def _ticks(points: Sequence[Point]) -> tuple[float, ...]:
    return tuple(axis("", [points[0][0], 0.0], _WIDE).ticks)


def _alarm_lines(alarms: Sequence[Alarm], end: float, seconds: float, x: Axis, y: Axis) -> Iterator[PlotLine]:
    """When alarms began, as upright lines."""
    for one in alarms[-10:]:
        at = (one.since - end) / seconds
        if x.low <= at <= x.high:
            yield PlotLine(f"alarm {one.number}", [(at, y.low), (at, y.high)], one.rule, series=4, kind=2)
