"""Where two tables, arrays or lists differ, with both values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kfnb.capture.embedded.row_by_row import kfnb_cells
from kfnb.server.encoding import json_value

TOLERANCE = 1e-6
"""Share by which two numbers may differ and be the same."""

_SHOWN = 5
"""Differences that a report lists."""


@dataclass(frozen=True)
class Difference:
    """A value that differs. ``row`` is its number in the sample, None where a whole column differs."""

    column: str
    row: int | None
    expected: Any
    found: Any

    def __str__(self) -> str:
        place = f"column {self.column}" if self.column else "the value"
        where = place if self.row is None else f"row {self.row}, {place}"
        return f"{where}: {self.found!r} instead of {self.expected!r}"

    def as_json(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


def differences(expected: Any, found: Any, rows: Sequence[int] | None = None) -> list[Difference]:
    """Where ``found`` is not as ``expected``: the first of them. ``rows`` are the numbers of the rows of both."""
    (before, names), (after, others) = kfnb_cells(expected), kfnb_cells(found)
    if names != others:
        lost = [Difference(name, None, "the column", "no column") for name in names if name not in others]
        new = [Difference(name, None, "no column", "the column") for name in others if name not in names]
        return [*lost, *new][:_SHOWN] or [Difference("", None, ", ".join(names), ", ".join(others))]
    if len(before) != len(after):
        return [Difference("", None, f"{len(before)} rows", f"{len(after)} rows")]
    return [
        Difference(name, place if rows is None else rows[place], json_value(one), json_value(two))
        for place, (left, right) in enumerate(zip(before, after, strict=True))
        for name, one, two in zip(names, left, right, strict=True)
        if not alike(json_value(one), json_value(two), TOLERANCE)
    ][:_SHOWN]


def types_that_differ(expected: Any, found: Any) -> list[Difference]:
    """Columns, or an array, whose type is not as ``expected``."""
    if not (hasattr(expected, "dtypes") and hasattr(found, "columns")):
        one, two = getattr(expected, "dtype", None), getattr(found, "dtype", None)
        return [] if one == two else [Difference("", None, str(one), str(two))]
    pairs = zip(expected.columns, list(expected.dtypes), list(found.dtypes), strict=False)
    return [Difference(str(name), None, str(one), str(two)) for name, one, two in pairs if one != two]


def alike(one: Any, two: Any, tolerance: float) -> bool:
    """Whether two values of JSON are the same, but for the rounding of numbers."""
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(
            alike(left, right, tolerance) for left, right in zip(one, two, strict=True)
        )
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(alike(one[key], two[key], tolerance) for key in one)
    numbers = not (isinstance(one, bool) or isinstance(two, bool))
    if numbers and isinstance(one, (int, float)) and isinstance(two, (int, float)):
        return abs(one - two) <= tolerance * max(1.0, abs(one), abs(two))
    return type(one) is type(two) and bool(one == two)
