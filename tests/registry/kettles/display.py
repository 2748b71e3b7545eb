"""How kettles are shown."""

from __future__ import annotations

from typing import Any

from kfnb.commands.display import Display
from tests.registry.kettles.handle import KettleHandle
from tests.registry.kettles.model import Kettle, KettleList
from tests.registry.kettles.view import draw_kettle, draw_kettles


def _data(one: Kettle) -> dict[str, Any]:
    return {
        "name": one.name,
        "state": one.state,
        "degrees": one.degrees,
        "goal": one.goal,
        "backend": one.backend,
    }


DISPLAYS = {
    KettleHandle: Display(lambda one: draw_kettle(one.snapshot()), lambda one: _data(one.snapshot())),
    KettleList: Display(draw_kettles, lambda listed: [_data(one) for one in listed]),
}
