"""The handle of a schedule: a pipeline that runs repeatedly."""

from __future__ import annotations

from collections.abc import Iterable

from kfnb import entities
from kfnb.resources.runs.api import engine_of
from kfnb.resources.runs.handle import Run
from kfnb.resources.schedules.engine import ScheduleEngine
from kfnb.resources.schedules.model import ScheduleSnapshot
from kfnb.resources.schedules.staleness import marked


class Schedule:
    """A pipeline that runs repeatedly. ``latest`` is the schedule's last known state."""

    def __init__(self, engine: ScheduleEngine, latest: ScheduleSnapshot) -> None:
        self._engine = engine
        self.latest = marked(latest)
        self.id = latest.id

    def snapshot(self) -> ScheduleSnapshot:
        """The current state of the schedule as plain data."""
        self.latest = marked(self._engine.get(self.id))
        return self.latest

    @property
    def name(self) -> str:
        """The schedule's name."""
        return self.latest.name

    @property
    def backend(self) -> str:
        """The backend that starts its runs."""
        return self._engine.name

    @property
    def enabled(self) -> bool:
        """Whether it starts runs."""
        return self.snapshot().enabled

    @property
    def runs(self) -> list[Run]:
        """The last runs that it started, the newest first."""
        started = [one.run for one in self.snapshot().ticks if one.run]
        return [Run(engine_of(self.backend), one) for one in reversed(started)]

    def run(self) -> Run:
        """Start a run now, also if the schedule is paused."""
        return Run(engine_of(self.backend), self._engine.run(self.id))

    def pause(self) -> Schedule:
        """Start no more runs until it is resumed; running runs continue."""
        self._engine.pause(self.id)
        self.snapshot()
        return self

    def resume(self) -> Schedule:
        """Start runs again."""
        self._engine.resume(self.id)
        self.snapshot()
        return self

    def delete(self) -> None:
        """Delete the schedule. The runs that it started stay."""
        self._engine.delete(self.id)

    def __repr__(self) -> str:
        return f"<Schedule {self.id} of {self.latest.pipeline}: {self.latest.rhythm}>"


class ScheduleList(entities.Listing[Schedule]):
    """Schedules, as of their creation: those of ``backend``, or of all that the settings name."""

    def __init__(self, items: Iterable[Schedule], backend: str = "") -> None:
        super().__init__(items)
        self.backend = backend
