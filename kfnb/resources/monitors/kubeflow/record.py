"""What a monitor has found and done, as one object of its place in the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from kfnb.resources.monitors.kubeflow.labelled import KnownLabels
from kfnb.resources.monitors.kubeflow.labelled import as_json as labels_as_json
from kfnb.resources.monitors.kubeflow.labelled import known_of as labels_of
from kfnb.resources.monitors.model import Action, Report
from kfnb.resources.monitors.panes import Pane
from kfnb.resources.monitors.stored import (
    action_of,
    alarm_of,
    pane_of,
    report_as_json,
    report_of,
    rule_state_of,
)
from kfnb.resources.monitors.transitions import Standing


@dataclass(frozen=True)
class MonitorRecord:
    """What holds after a check. ``counted`` is until when requests have been counted, None before the first check.

    ``requested`` is when the newest of them was. ``panes`` are those of the window, ``recent`` the newest reports
    without their columns, by which states are decided: both the oldest first. ``labels`` are the newest.
    """

    counted: float | None = None
    panes: tuple[Pane, ...] = ()
    recent: tuple[Report, ...] = ()
    standing: Standing = field(default_factory=Standing)
    actions: tuple[Action, ...] = ()
    requested: float | None = None
    labels: KnownLabels = field(default_factory=KnownLabels)


def as_json(record: MonitorRecord) -> dict[str, Any]:
    """A record as plain data."""
    return {
        "counted": record.counted,
        "panes": [asdict(one) for one in record.panes],
        "recent": [report_as_json(one) for one in record.recent],
        "rules": [{**asdict(one), "state": str(one.state)} for one in record.standing.rules],
        "alarms": [asdict(one) for one in record.standing.alarms],
        "actions": [asdict(one) for one in record.actions],
        "requested": record.requested,
        "labels": labels_as_json(record.labels),
    }


def record_of(stored: Mapping[str, Any]) -> MonitorRecord:
    """A record. Raises ``TypeError``, ``KeyError``, ``ValueError``."""
    return MonitorRecord(
        stored["counted"],
        tuple(map(pane_of, stored["panes"])),
        tuple(map(report_of, stored["recent"])),
        Standing(tuple(map(rule_state_of, stored["rules"])), tuple(map(alarm_of, stored["alarms"]))),
        tuple(map(action_of, stored["actions"])),
        stored.get("requested"),
        labels_of(stored["labels"]) if stored.get("labels") else KnownLabels(),
    )
