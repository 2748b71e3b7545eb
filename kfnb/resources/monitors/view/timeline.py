"""The time line of a monitor: the score and the metrics over its windows, with their limits and its alarms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from kfnb.resources.monitors.model import Alarm, Report
from kfnb.resources.monitors.snapshot import MonitorSnapshot
from kfnb.ui.blocks import Block, Row, Section
from kfnb.ui.plot import Axis, Plot, PlotLine, Point, axis
from kfnb.ui.words import digits, moment

_WIDE, _HIGH = 340.0, 120.0
_UNITS = (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0), ("seconds", 1.0))
_LEAST = 2.0
"""Units that an axis has at least, so that its ticks are short numbers."""


@dataclass(frozen=True)
class Series:
    """What is drawn: its title, its value in a report, and which rules limit it: by their kind, and by subject."""

    title: str
    value: Callable[[Report], float | None]
    kinds: tuple[str, ...]
    subject: str | None = None

    def limited_by(self, rule: str) -> bool:
        """Whether a rule limits it."""
        kind, _, subject = rule.partition(" ")
        return kind in self.kinds and self.subject in (None, subject)

    def limit(self, report: Report) -> float | None:
        """The lowest limit of a window for it; None where no rule could be judged."""
        found = [one.limit for one in report.findings if one.value is not None and self.limited_by(one.rule)]
        return min(found, default=None)


def time_line(now: MonitorSnapshot) -> Iterator[Block]:
    """A chart of each series that is known of at least two windows."""
    charts = [chart for series in _series(now) if (chart := _chart(now, series)) is not None]
    if charts:
        yield Section("Over time", [Row(charts)])


def _series(now: MonitorSnapshot) -> Iterator[Series]:
    yield Series("Drift weighted by importance", lambda one: one.score, ("score",))
    yield Series("Drift of the predictions", lambda one: one.prediction, ("prediction",))
    names = dict.fromkeys(
        metric.name for report in now.reports for metric in report.metrics if not metric.slice
    )
    for name in list(names)[:2]:
        yield Series(name.capitalize(), partial(_metric, name), ("below", "above", "drop"), name)
    yield Series("Accuracy, estimated", _estimated, ("estimate",), "accuracy")
    yield Series("Largest drift of a column", partial(_found, "drift"), ("drift",), "")


def _found(rule: str, report: Report) -> float | None:
    return next((one.value for one in report.findings if one.rule == rule), None)


def _estimated(report: Report) -> float | None:
    return next((one.value for one in report.estimates if one.name == "accuracy"), None)


def _metric(name: str, report: Report) -> float | None:
    return report.performance.get(name)


def _chart(now: MonitorSnapshot, series: Series) -> Plot | None:
    known = [(one, found) for one in now.reports if (found := series.value(one)) is not None]
    if len(known) < 2:  # noqa: PLR2004 - a line has two points
        return None
    end = known[-1][0].until
    unit, seconds = _unit(end - known[0][0].until)
    points = [((one.until - end) / seconds, found) for one, found in known]
    limits = [
        (at, limit)
        for (one, _), (at, _) in zip(known, points, strict=True)
        if (limit := series.limit(one)) is not None
    ]
    lines = [PlotLine(series.title, points, f"last {digits(points[-1][1], 3)}")]
    if limits:
        lines.append(PlotLine("limit", limits, digits(limits[-1][1], 3), series=3, kind=1))
    x = Axis(f"{unit} before the last window", points[0][0], 0.0, _ticks(points), _WIDE)
    y = axis("", [value for _, value in (*points, *limits)], _HIGH, margin=0.1)
    alarms = [(one, (one.since - end) / seconds) for one in now.alarms if series.limited_by(one.rule)]
    lines += _alarm_lines(alarms, x, y)
    return Plot(series.title, lines, x, y, rest=f"until {moment(end)}")


def _unit(span: float) -> tuple[str, float]:
    """The unit of an axis whose length is ``span`` seconds, and its seconds."""
    return next((one for one in _UNITS if span >= _LEAST * one[1]), _UNITS[-1])


def _ticks(points: Sequence[Point]) -> tuple[float, ...]:
    return tuple(axis("", [points[0][0], 0.0], _WIDE).ticks)


def _alarm_lines(alarms: Sequence[tuple[Alarm, float]], x: Axis, y: Axis) -> Iterator[PlotLine]:
    """When alarms of the series began, as upright lines."""
    for one, at in alarms[-10:]:
        if x.low <= at <= x.high:
            yield PlotLine(f"alarm {one.number}", [(at, y.low), (at, y.high)], "", series=4, kind=2)
