"""A monitor at one moment, as it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kfnb.resources.monitors.model import (
    Action,
    Alarm,
    MonitorOutline,
    MonitorSpec,
    MonitorState,
    Report,
    RuleState,
)


@dataclass(frozen=True)
class WindowProfiles:
    """The distributions that are drawn: of the baseline and what is predicted for it, and of the newest window.

    Each is a profile as JSON has it, empty where it is not known.
    """

    baseline: Mapping[str, Any] = field(default_factory=dict)
    expected: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    predictions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MonitorSnapshot:
    """A monitor at one moment. ``reports``, ``alarms`` and ``actions`` are the oldest first.

    All but the newest reports are without their columns. ``next`` is when it is checked next, in seconds since 1970,
    and ``error`` why the last check failed, or that there was none for long: the state is NO_DATA then, whatever the
    rules' were.
    """

    spec: MonitorSpec
    state: MonitorState = MonitorState.NO_DATA
    since: float | None = None
    rules: tuple[RuleState, ...] = ()
    reports: tuple[Report, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    actions: tuple[Action, ...] = ()
    profiles: WindowProfiles = WindowProfiles()
    paused: bool = False
    next: float | None = None
    backend: str = "local"
    notes: tuple[str, ...] = ()
    error: str = ""

    @property
    def name(self) -> str:
        """Its name."""
        return self.spec.name

    @property
    def open_alarms(self) -> tuple[Alarm, ...]:
        """The alarms that last."""
        return tuple(one for one in self.alarms if one.until is None)

    @property
    def outline(self) -> MonitorOutline:
        """What is shown of it beside what it watches."""
        newest = self.reports[-1] if self.reports else None
        return MonitorOutline(
            self.name,
            self.spec.service,
            self.state,
            self.since,
            newest.version if newest else "",
            newest.until if newest else None,
            self.open_alarms,
            self.paused,
            self.backend,
            self.error,
            self._evidence,
        )

    @property
    def _evidence(self) -> str:
        """Why it is not OK: its error, alarms that last, or what else the rules of its state have found."""
        if self.error or self.open_alarms or self.state is MonitorState.OK:
            return self.error or "; ".join(one.evidence for one in self.open_alarms)
        found = (one.finding for one in self.rules if one.state is self.state)
        return "; ".join(one.evidence for one in found if one is not None)
