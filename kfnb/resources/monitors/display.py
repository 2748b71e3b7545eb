"""How monitors and their reports are shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from kfnb.commands.display import Display
from kfnb.resources.monitors.handle import Monitor, MonitorList
from kfnb.resources.monitors.model import Report
from kfnb.resources.monitors.snapshot import MonitorSnapshot
from kfnb.resources.monitors.view.monitor import draw_monitor
from kfnb.resources.monitors.view.monitors import draw_monitors
from kfnb.resources.monitors.view.report import draw_report


def as_json(now: MonitorSnapshot) -> dict[str, Any]:
    """A monitor as ``--json`` prints it, with its newest report."""
    return {
        "name": now.name,
        "state": str(now.state),
        "since": now.since,
        "paused": now.paused,
        "next": now.next,
        "backend": now.backend,
        "spec": asdict(now.spec),
        "rules": [{**asdict(one), "state": str(one.state)} for one in now.rules],
        "report": report_as_json(now.reports[-1]) if now.reports else None,
        "alarms": [asdict(one) for one in now.alarms],
        "actions": [asdict(one) for one in now.actions],
        "notes": list(now.notes),
        "error": now.error,
    }


def report_as_json(report: Report) -> dict[str, Any]:
    """A report as ``--json`` prints it."""
    return {**asdict(report), "drift": report.drift, "performance": report.performance}


DISPLAYS = {
    Monitor: Display(lambda one: draw_monitor(one.snapshot()), lambda one: as_json(one.snapshot())),
    MonitorList: Display(
        lambda some: draw_monitors([one.snapshot() for one in some]),
        lambda some: [as_json(one.snapshot()) for one in some],
    ),
    Report: Display(draw_report, report_as_json),
}
