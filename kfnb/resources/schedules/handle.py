"""The handle of a schedule: a pipeline that a cluster runs repeatedly."""

from __future__ import annotations

from typing import Protocol

from kfnb import entities
from kfnb.resources.schedules.model import ScheduleSnapshot


class ScheduleBackend(Protocol):
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


class Schedule:
    """A pipeline that runs repeatedly. ``latest`` is the schedule's last known state."""

    def __init__(self, schedules: ScheduleBackend, latest: ScheduleSnapshot) -> None:
        self._schedules = schedules
        self.latest = latest
        self.id = latest.id

    def snapshot(self) -> ScheduleSnapshot:
        """The current state of the schedule as plain data."""
        self.latest = self._schedules.get(self.id)
        return self.latest

    @property
    def name(self) -> str:
        """The schedule's name."""
        return self.latest.name

    @property
    def enabled(self) -> bool:
        """Whether it starts runs."""
        return self.snapshot().enabled

    def pause(self) -> Schedule:
        """Start no more runs until it is resumed; running runs continue."""
        self._schedules.pause(self.id)
        self.snapshot()
        return self

    def resume(self) -> Schedule:
        """Start runs again."""
        self._schedules.resume(self.id)
        self.snapshot()
        return self

    def delete(self) -> None:
        """Delete the schedule. The runs that it started stay."""
        self._schedules.delete(self.id)

    def __repr__(self) -> str:
        return f"<Schedule {self.id} of {self.latest.pipeline}: {self.latest.rhythm}>"


class ScheduleList(entities.Listing[Schedule]):
    """Schedules, as of their creation."""
