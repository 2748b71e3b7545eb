"""The protocol of the engine of schedules, which a cluster alone has."""

from __future__ import annotations

from typing import Protocol

from kfnb.resources.schedules.model import ScheduleSnapshot


class ScheduleEngine(Protocol):
    """Stores schedules. Errors are ``BackendError``."""

    def get(self, schedule_id: str) -> ScheduleSnapshot:
        """The current state of the schedule."""
        ...

    def pause(self, schedule_id: str) -> None:
        """Start no more runs; does nothing if it is paused."""
        ...

    def resume(self, schedule_id: str) -> None:
        """Start runs again."""
        ...

    def delete(self, schedule_id: str) -> None:
        """Delete the schedule; its runs stay."""
        ...
