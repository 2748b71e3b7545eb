"""Rows of pandas, numpy or polars as the JSON that a server takes."""

from __future__ import annotations

from typing import Any


def json_rows(rows: Any) -> list[Any]:
    """A table as a list of objects by column, an array or a list as nested lists; null for a missing value."""
    return [json_value(one) for one in plain_rows(rows)]


def plain_rows(rows: Any) -> list[Any]:
    """A table as a list of dicts by column, an array or a list as nested lists, with their values as they are."""
    if hasattr(rows, "columns") and hasattr(rows, "iloc"):
        names = [str(name) for name in rows.columns]
        columns = [rows.iloc[:, place].tolist() for place in range(len(names))]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    if hasattr(rows, "columns"):
        return list(rows.iter_rows(named=True))
    return list(rows.tolist() if hasattr(rows, "tolist") else rows)


def json_value(value: Any) -> Any:
    """A value as JSON has it: times and dates in ISO 8601, durations in seconds, null for a missing value."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if value - value == 0.0 else None
    if isinstance(value, (list, tuple)):
        return [json_value(one) for one in value]
    if isinstance(value, dict):
        return {str(key): json_value(one) for key, one in value.items()}
    return _of_library(value)


def _of_library(value: Any) -> Any:
    """A time, a duration, or a value of numpy or pandas."""
    if type(value).__name__ in ("NaTType", "NAType"):
        return None
    if hasattr(value, "total_seconds"):
        return value.total_seconds()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return json_value(value.tolist()) if hasattr(value, "tolist") else str(value)


def known_values(values: Any) -> list[Any]:
    """The values of a column that are not missing; none for None."""
    if values is None:
        return []
    found = values.tolist() if hasattr(values, "tolist") else list(values)
    return [one for one in found if json_value(one) is not None]
