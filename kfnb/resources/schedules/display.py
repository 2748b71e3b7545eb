"""How schedules are shown."""

from __future__ import annotations

from dataclasses import asdict

from kfnb.commands.display import Display
from kfnb.resources.schedules.handle import Schedule, ScheduleList
from kfnb.resources.schedules.view import draw_schedules

DISPLAYS = {
    Schedule: Display(lambda one: draw_schedules([one.told]), lambda one: [asdict(one.told)]),
    ScheduleList: Display(
        lambda listed: draw_schedules([one.told for one in listed]),
        lambda listed: [asdict(one.told) for one in listed],
    ),
}
