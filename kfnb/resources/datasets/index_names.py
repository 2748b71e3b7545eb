"""Names to read for the levels of an index that have none; files call them ``__index_level_0__``."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from kfnb.entities.profile import ColumnProfile

_LEVEL = re.compile(r"(?P<part>.*\.)?__index_level_(?P<level>\d+)__")


def with_index_names(columns: Collection[ColumnProfile], taken: Collection[str]) -> tuple[ColumnProfile, ...]:
    """Columns with an index that is called ``index``, or by its levels ``index 0``, ``index 1``.

    ``taken`` are names of other columns: an index beside a column ``index`` is the ``row index``.
    """
    found = [(one, _LEVEL.fullmatch(one.name)) for one in columns]
    levels = [match["part"] for _, match in found if match]

    def name(match: re.Match[str]) -> str:
        alone = levels.count(match["part"]) == 1 and match["level"] == "0"
        title = "index" if alone else f"index {match['level']}"
        part = match["part"] or ""
        return f"{part}row {title}" if f"{part}{title}" in taken else f"{part}{title}"

    return tuple(one if match is None else replace(one, name=name(match)) for one, match in found)
