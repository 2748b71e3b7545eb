"""How schedules are shown. Times in JSON are seconds since the epoch."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from kfnb.commands.display import Display
from kfnb.resources.runs.events import encode
from kfnb.resources.schedules.handle import Schedule, ScheduleList
from kfnb.resources.schedules.model import ScheduleSnapshot
from kfnb.resources.schedules.view import draw_schedule, draw_schedules


def as_json(one: ScheduleSnapshot) -> dict[str, Any]:
    """A schedule as ``--json`` prints it."""
    data = {**asdict(one), "arguments": encode(one.arguments), "state": one.state}
    del data["digest"]
    return data


DISPLAYS = {
    Schedule: Display(lambda one: draw_schedule(one.latest), lambda one: [as_json(one.latest)]),
    ScheduleList: Display(
        lambda listed: draw_schedules([one.latest for one in listed]),
        lambda listed: [as_json(one.latest) for one in listed],
    ),
}
