"""How schedules are followed in a page, one or a list of them: by their static HTML."""

from __future__ import annotations

from typing import Any

from kfnb.jobs.polling import Pace
from kfnb.live.followables import Followable
from kfnb.resources.schedules import api
from kfnb.resources.schedules.handle import Schedule, ScheduleList
from kfnb.resources.schedules.model import ShownSchedules
from kfnb.resources.schedules.view import draw_schedule, draw_schedules
from kfnb.ui.mount_point import Home

_HERE, _CLUSTER = Pace(1.0, 5.0), Pace(5.0, 60.0)
_ALL = "all"


class FollowedSchedules:
    """Schedules that are displayed: asked for again at each poll."""

    over = False

    def __init__(self, row: Followable, handle: Schedule | ScheduleList) -> None:
        self.type, self.id = row.type, row.name(handle)
        self.pace = _HERE if handle.backend == "local" else _CLUSTER
        self._handle = handle
        self._shown = ShownSchedules(())

    @property
    def shown(self) -> ShownSchedules:
        """The schedules as of the last poll."""
        return self._shown

    def refresh(self) -> bool:
        """Poll once more; return whether anything is new. Raises ``BackendError``."""
        before, self._shown = self._shown, ShownSchedules(self._now())
        return self._shown != before

    def _now(self) -> tuple[Any, ...]:
        if isinstance(self._handle, Schedule):
            return (self._handle.snapshot(),)
        found = api.schedules(backend=self._handle.backend or None, notify=lambda _: None)
        return tuple(one.latest for one in found)


def _id(schedule: Schedule) -> str:
    return f"{schedule.backend}/{schedule.id}"


def _find(id: str) -> Schedule:
    backend, _, name = id.partition("/")
    return api.find_schedule(f"{backend}:{name}")


def _drawn(shown: ShownSchedules, home: Home | None = None) -> dict[str, str]:
    (one,) = shown.schedules
    return draw_schedule(one, home)


def _all_drawn(shown: ShownSchedules, home: Home | None = None) -> dict[str, str]:
    return draw_schedules(shown.schedules, home)


def _line(shown: ShownSchedules) -> str:
    (one,) = shown.schedules
    return f"schedule {one.name}: {one.state}. A cell above shows it; %kf_schedules show {one.name} draws it here"


FOLLOWABLES = (
    Followable(
        "schedule", Schedule, name=_id, find=_find, draw=_drawn, subject=FollowedSchedules, line=_line
    ),
    Followable(
        "schedules",
        ScheduleList,
        name=lambda some: some.backend or _ALL,
        draw=_all_drawn,
        subject=FollowedSchedules,
        line=lambda shown: f"{len(shown.schedules)} schedules. A cell above shows them",
    ),
)
