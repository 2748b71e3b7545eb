"""What an engine of monitors is: the protocol of the engine on this machine, and of a cluster's."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from kfnb.jobs.polling import Pace
from kfnb.pipeline.spec import Compiled
from kfnb.resources.monitors.model import MonitorSnapshot, MonitorSpec, Report
from kfnb.resources.monitors.reference import Reference


@dataclass(frozen=True)
class MonitorPlan:
    """A monitor that is to be made: what it watches, the ``reference`` of the version that is served now, the compiled
    ``pipelines`` that its steps run, by name, and the ``addresses`` of webhooks, by how its steps show them.
    """

    spec: MonitorSpec
    reference: Reference
    pipelines: Mapping[str, Compiled] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict, repr=False)


class MonitorEngine(Protocol):
    """A place where monitors look. Errors are ``BackendError``. ``pace`` is how often one may be polled."""

    name: str
    pace: Pace

    def create(self, plan: MonitorPlan) -> None:
        """Make a monitor, or change one of that name: its reports, alarms and actions stay."""
        ...

    def get(self, name: str) -> MonitorSnapshot:
        """The monitor now, with all reports that are kept. Raises ``NotFound``."""
        ...

    def list(self) -> builtins.list[MonitorSnapshot]:
        """The monitors there are, by name, each with its newest report alone, and without profiles."""
        ...

    def check(self, name: str) -> Report:
        """Look now, and answer alarms as at any time."""
        ...

    def pause(self, name: str) -> None:
        """Look no more by the clock; harmless when it is paused."""
        ...

    def resume(self, name: str) -> None:
        """Look again."""
        ...

    def delete(self, name: str) -> None:
        """Look no more, and forget what was found. What was done stays done."""
        ...
