"""How schedules are shown."""

from __future__ import annotations

from dataclasses import asdict

from kfnb.commands.display import Display
from kfnb.resources.schedules.handle import Schedule, ScheduleList
from kfnb.resources.schedules.view import draw_schedules

DISPLAYS = {
    Schedule: Display(lambda one: draw_schedules([one.latest]), lambda one: [asdict(one.latest)]),
    ScheduleList: Display(
        lambda listed: draw_schedules([one.latest for one in listed]),
        lambda listed: [asdict(one.latest) for one in listed],
    ),
}
