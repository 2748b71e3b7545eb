"""How a kettle is followed in the page: by its static HTML."""

from __future__ import annotations

from kfnb.live.followables import Followable
from tests.registry.kettles import api
from tests.registry.kettles.handle import KettleHandle
from tests.registry.kettles.view import draw_kettle


def _find(id: str) -> KettleHandle:
    backend, _, name = id.partition("/")
    return api.kettle(name, backend=backend)


KETTLE = Followable(
    "kettle",
    KettleHandle,
    name=lambda kettle: f"{kettle.backend}/{kettle.name}",
    find=_find,
    draw=draw_kettle,
    line=lambda now: f"kettle {now.name}: {now.degrees:g} °C. A cell above shows it",
)

FOLLOWABLES = (KETTLE,)
