"""Services with the monitors that watch them, as they are shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kfnb.live.followables import Followable, Snapshots
from kfnb.resources.monitors.watching import FollowedMonitors, MonitorQuestion, Watching
from kfnb.resources.services.handle import Service
from kfnb.resources.services.model import ServiceSnapshot


def watched(service: Service) -> ServiceSnapshot:
    """A service now, with its monitors."""
    question = MonitorQuestion(service.backend)
    return with_monitors(service.snapshot(), question.answer())


def all_watched(services: Iterable[ServiceSnapshot]) -> list[ServiceSnapshot]:
    """Services with their monitors."""
    found = list(services)
    questions = {name: MonitorQuestion(name) for name in {one.backend for one in found}}
    return [with_monitors(one, questions[one.backend].answer()) for one in found]


def with_monitors(now: ServiceSnapshot, watching: Watching) -> ServiceSnapshot:
    """A service with those of some monitors that watch it."""
    return replace(now, monitors=watching.of_service(now.name), notes=(*now.notes, *watching.notes))


class WatchedService(Snapshots):
    """A service that is followed: its monitors change less often than its requests."""

    def __init__(self, row: Followable, service: Service) -> None:
        super().__init__(row, service)
        self._monitors = FollowedMonitors(service.backend, every=self.pace.longest)

    def taken(self) -> ServiceSnapshot:
        """The service with its monitors as of now."""
        return with_monitors(self._handle.snapshot(), self._monitors.latest())
