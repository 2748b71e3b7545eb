"""``draw_settings``: each setting, its value and where that comes from."""

from __future__ import annotations

from collections.abc import Iterable

from kfnb.ui.blocks import Text, bundle
from kfnb.ui.table import Column, Table, TableCell, Value

COLUMNS = (Column("Setting"), Column("Value"), Column("From"))


def draw_settings(items: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """Settings, as (name, value, source), as a mimebundle."""
    rows: list[list[Value]] = [
        [name, TableCell(value, code=bool(value)), source] for name, value, source in items
    ]
    if not rows:
        return bundle("Settings", [Text("No settings.")])
    return bundle("Settings", [Table("Settings", COLUMNS, rows)])
