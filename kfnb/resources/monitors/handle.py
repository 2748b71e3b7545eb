"""The handle of a monitor: what ``kfnb.monitor`` returns, whichever engine checks it."""

from __future__ import annotations

from kfnb import entities
from kfnb.live.named_handle import NamedHandle
from kfnb.resources.monitors.engine import MonitorEngine
from kfnb.resources.monitors.model import Action, Alarm, MonitorState, Report
from kfnb.resources.monitors.snapshot import MonitorSnapshot


class Monitor(NamedHandle[MonitorEngine]):
    """What is watched of a service. Each property is read anew when it is accessed."""

    def snapshot(self) -> MonitorSnapshot:
        """The whole monitor as plain data, now."""
        return self._engine.get(self.name)

    @property
    def state(self) -> MonitorState:
        """OK, WARNING, ALARM or NO_DATA: the worst of its rules'."""
        return self.snapshot().state

    @property
    def reports(self) -> tuple[Report, ...]:
        """The newest reports, the oldest first."""
        return tuple(self._engine.reports(self.name))

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """All alarms, the oldest first."""
        return self.snapshot().alarms

    @property
    def actions(self) -> tuple[Action, ...]:
        """What was done about alarms, in its order."""
        return self.snapshot().actions

    def check(self) -> Report:
        """Check now, answer alarms as at any time, and return the report.

        Two checks within half of ``every`` count as one window. Raises ``BackendError``, ``UsageError``.
        """
        return self._engine.check(self.name)

    def pause(self) -> Monitor:
        """Pause the checks, until they are resumed."""
        self._engine.pause(self.name)
        return self

    def resume(self) -> Monitor:
        """Resume the checks."""
        self._engine.resume(self.name)
        return self

    def delete(self) -> None:
        """End the checks, and forget what was found. What was done stays done."""
        self._engine.delete(self.name)

    def __repr__(self) -> str:
        now = self.snapshot()
        return f"<Monitor {now.name} of {now.spec.service}: {'paused, ' if now.paused else ''}{now.state}>"


class MonitorList(entities.Listing[Monitor]):
    """Monitors at the time of the request."""
