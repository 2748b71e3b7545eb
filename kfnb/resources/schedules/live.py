"""How schedules are followed in a page, one or a list of them: by their static HTML."""

from __future__ import annotations

from kfnb.live.followables import Followable
from kfnb.resources.schedules import api
from kfnb.resources.schedules.handle import Schedule, ScheduleList
from kfnb.resources.schedules.model import ScheduleSnapshot, ShownSchedules
from kfnb.resources.schedules.view import draw_schedule, draw_schedules
from kfnb.ui.mount_point import Home

_ALL = "all"


def _id(schedule: Schedule) -> str:
    return f"{schedule.backend}/{schedule.id}"


def _find(id: str) -> Schedule:
    backend, _, name = id.partition("/")
    return api.find_schedule(f"{backend}:{name}")


def _line(now: ScheduleSnapshot) -> str:
    return f"schedule {now.name}: {now.state}. A cell above shows it; %kf_schedules show {now.name} draws it here"


def _drawn(shown: ShownSchedules, home: Home | None = None) -> dict[str, str]:
    return draw_schedules(shown.schedules, home)


FOLLOWABLES = (
    Followable("schedule", Schedule, name=_id, find=_find, draw=draw_schedule, line=_line),
    Followable(
        "schedules",
        ScheduleList,
        name=lambda some: some.backend or _ALL,
        draw=_drawn,
        line=lambda shown: f"{len(shown.schedules)} schedules. A cell above shows them",
    ),
)
