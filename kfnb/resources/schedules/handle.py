"""The handle of a schedule: a pipeline that runs repeatedly."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from kfnb import entities
from kfnb.jobs.polling import Pace
from kfnb.resources.runs.api import engine_of
from kfnb.resources.runs.handle import Run
from kfnb.resources.schedules.engine import ScheduleEngine
from kfnb.resources.schedules.model import ScheduleSnapshot, ShownSchedules
from kfnb.resources.schedules.staleness import marked


class Schedule:
    """A pipeline that runs repeatedly. ``latest`` is the schedule's last known state."""

    def __init__(self, engine: ScheduleEngine, latest: ScheduleSnapshot) -> None:
        self._engine = engine
        self.latest = marked(latest)
        self.id = latest.id

    def snapshot(self) -> ScheduleSnapshot:
        """The current state of the schedule as plain data; stale if it was when this handle was made.

        It is followed in a thread, where no pipeline may be built.
        """
        self.latest = replace(self._engine.get(self.id), stale=self.latest.stale)
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
    def pace(self) -> Pace:
        """How often it may be polled."""
        return pace_on(self.backend)

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
    """Schedules at the time of the request: of ``backend``, or of all that the settings name, which is empty.

    ``ask`` requests them again, as plain data.
    """

    def __init__(
        self,
        items: Iterable[Schedule],
        backend: str = "",
        ask: Callable[[], Iterable[ScheduleSnapshot]] = tuple,
    ) -> None:
        super().__init__(items)
        self.backend, self._ask = backend, ask

    @property
    def pace(self) -> Pace:
        """How often they may be polled."""
        return pace_on(self.backend)

    def snapshot(self) -> ShownSchedules:
        """The schedules there are now, in a thread as well: stale are those that were when they were listed."""
        stale = {one.id: one.latest.stale for one in self}
        found = (replace(one, stale=stale.get(one.id, False)) for one in self._ask())
        return ShownSchedules(tuple(found))


def pace_on(backend: str) -> Pace:
    """How often schedules of a backend may be polled."""
    return Pace(1.0, 5.0) if backend == "local" else Pace(5.0, 60.0)
