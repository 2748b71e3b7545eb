"""How kettles are drawn."""

from __future__ import annotations

from collections.abc import Iterable

from kfnb.ui.blocks import Block, Text, Title, bundle
from kfnb.ui.mount_point import Home
from kfnb.ui.states import style_of
from kfnb.ui.table import Column, Table
from tests.registry.kettles.model import Kettle


def draw_kettle(one: Kettle, home: Home | None = None) -> dict[str, str]:
    """One kettle, as a mimebundle; with ``home``, marked for a page."""
    state = "boils" if one.boils else f"is at {one.degrees:g} of {one.goal:g} °C"
    blocks: list[Block] = [Title(one.name, style_of(one.state)), Text(f"kettle {one.name} {state}")]
    return bundle(f"Kettle {one.name}", blocks, home)


def draw_kettles(listed: Iterable[Kettle]) -> dict[str, str]:
    """Kettles, as a mimebundle."""
    rows = [[one.name, f"{one.degrees:g} °C"] for one in listed]
    return bundle("Kettles", [Table("Kettles", (Column("Kettle"), Column("Degrees")), rows)])
