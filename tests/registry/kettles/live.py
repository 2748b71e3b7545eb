"""How kettles are followed in a page: by their static HTML."""

from __future__ import annotations

from kfnb.live.followables import Followable, state_of
from tests.registry.kettles import api
from tests.registry.kettles.handle import KettleHandle
from tests.registry.kettles.view import draw_kettle


def _find(id: str) -> KettleHandle:
    backend, _, name = id.partition("/")
    return api.kettle(name, backend=backend)


FOLLOWABLES = (
    Followable(
        "kettle",
        KettleHandle,
        name=lambda kettle: f"{kettle.backend}/{kettle.name}",
        find=_find,
        draw=draw_kettle,
        line=lambda now: f"kettle {now.name}: {state_of(now)}. A cell above shows it",
    ),
)
