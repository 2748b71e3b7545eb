"""The commands of monitors. ``MonitorService`` is apart, in ``monitor_command``."""

from __future__ import annotations

from dataclasses import dataclass

from kfnb.commands.bound_names import resolved
from kfnb.commands.command import Command, option, word
from kfnb.commands.session import Session
from kfnb.errors import KfnbError
from kfnb.resources.monitors import api
from kfnb.resources.monitors.handle import Monitor, MonitorList
from kfnb.resources.monitors.junit import junit, junit_of_failure, write_junit
from kfnb.resources.monitors.monitor_command import MonitorService
from kfnb.target import BACKENDS

_NAME = "the monitor's name"


def _monitor(session: Session, text: str) -> Monitor:
    """The monitor for a word: a name that is bound to one, or a monitor's name. Raises ``NotFound``."""
    found = resolved(session.names, text, Monitor)
    return found if isinstance(found, Monitor) else api.find_monitor(found)


@dataclass(frozen=True, kw_only=True)
class ListMonitors(Command):
    """List the monitors."""

    binds = True
    json = "print the monitors as JSON"

    backend: str | None = option(values=BACKENDS, help="backend: local or kubeflow")

    def run(self, session: Session) -> MonitorList:
        """List them."""
        del session
        return api.monitors(backend=self.backend)


@dataclass(frozen=True, kw_only=True)
class ShowMonitor(Command):
    """Show a monitor: its state, its limits and what was found, and what was done."""

    binds = True
    json = "print the monitor as JSON"

    name: str = word(_NAME, values="monitor")

    def run(self, session: Session) -> Monitor:
        """Show it."""
        return _monitor(session, self.name)


@dataclass(frozen=True, kw_only=True)
class CheckMonitor(Command):
    """Check a monitor now, and answer alarms as at any time. In a terminal the exit code is 1 in an alarm."""

    binds = True
    json = "print the monitor as JSON"

    name: str = word(_NAME, values="monitor")
    junit: str | None = option(
        metavar="FILE", values="file", help="write what each rule says as a JUnit file, for CI"
    )

    def run(self, session: Session) -> Monitor:
        """Check it."""
        try:
            monitor = _monitor(session, self.name)
            monitor.check()
            now = monitor.snapshot()
        except KfnbError as error:
            if self.junit:
                write_junit(junit_of_failure(self.name, str(error)), self.junit)
            raise
        if self.junit:
            write_junit(junit(now), self.junit)
        if now.open_alarms:
            session.fail()
        return monitor


@dataclass(frozen=True, kw_only=True)
class PauseMonitor(Command):
    """Pause the checks of a monitor, until they are resumed."""

    binds = True
    json = "print the monitor as JSON"

    name: str = word(_NAME, values="monitor")

    def run(self, session: Session) -> Monitor:
        """Pause it."""
        return _monitor(session, self.name).pause()


@dataclass(frozen=True, kw_only=True)
class ResumeMonitor(Command):
    """Resume the checks."""

    binds = True
    json = "print the monitor as JSON"

    name: str = word(_NAME, values="monitor")

    def run(self, session: Session) -> Monitor:
        """Resume it."""
        return _monitor(session, self.name).resume()


@dataclass(frozen=True, kw_only=True)
class DeleteMonitor(Command):
    """End the checks, and forget what was found. What was done stays done."""

    names: tuple[str, ...] = word("names of monitors", values="monitor", many="+")

    def run(self, session: Session) -> None:
        """Delete them."""
        for name in self.names:
            one = _monitor(session, name)
            one.delete()
            session.notify(f"deleted monitor {one.name}")


__all__ = [
    "CheckMonitor",
    "DeleteMonitor",
    "ListMonitors",
    "MonitorService",
    "PauseMonitor",
    "ResumeMonitor",
    "ShowMonitor",
]
