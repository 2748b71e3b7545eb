"""How kettles are shown."""

from __future__ import annotations

from dataclasses import asdict

from kfnb.commands.display import Display
from tests.registry.kettles.handle import KettleHandle
from tests.registry.kettles.model import KettleList
from tests.registry.kettles.view import draw_kettle, draw_kettles

DISPLAYS = {
    KettleHandle: Display(lambda one: draw_kettle(one.snapshot()), lambda one: asdict(one.snapshot())),
    KettleList: Display(draw_kettles, lambda listed: [asdict(one) for one in listed]),
}
