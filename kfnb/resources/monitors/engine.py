"""What an engine of monitors is: the protocol of the engine on this machine, and of a cluster's."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from kfnb.jobs.polling import Pace
from kfnb.pipeline.spec import Compiled
from kfnb.resources.monitors.model import MonitorSpec, Report
from kfnb.resources.monitors.reference import MonitorReference
from kfnb.resources.monitors.snapshot import MonitorSnapshot


@dataclass(frozen=True)
class MonitorPlan:
    """A monitor that is to be made: what it watches, the ``reference`` of the version that is served now, the compiled
    ``pipelines`` that its steps run, by name, and the ``addresses`` of webhooks, by how its steps show them.
    """

    spec: MonitorSpec
    reference: MonitorReference
    pipelines: Mapping[str, Compiled] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict, repr=False)


class MonitorEngine(Protocol):
    """A place where monitors are checked. Errors are ``BackendError``. ``pace`` is how often one may be polled."""

    name: str
    pace: Pace

    def refuse(self, spec: MonitorSpec) -> None:
        """Raise ``UsageError`` for a monitor that cannot be checked there."""
        ...

    def create(self, plan: MonitorPlan) -> None:
        """Make a monitor, or change one of that name: its reports, alarms and actions stay."""
        ...

    def get(self, name: str) -> MonitorSnapshot:
        """The monitor now, with all reports that are kept. Raises ``NotFound``."""
        ...

    def reports(self, name: str) -> builtins.list[Report]:
        """The reports that are kept, each with its columns, the oldest first. Raises ``NotFound``."""
        ...

    def list(self) -> builtins.list[MonitorSnapshot]:
        """The monitors there are, by name, each with its newest report alone, and without profiles."""
        ...

    def check(self, name: str) -> Report:
        """Check now, and answer alarms as at any time."""
        ...

    def pause(self, name: str) -> None:
        """Pause the checks; harmless when they are paused."""
        ...

    def resume(self, name: str) -> None:
        """Resume the checks."""
        ...

    def delete(self, name: str) -> None:
        """End the checks, and forget what was found. What was done stays done."""
        ...
