"""Rows as a server takes them, and predictions as people hold them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from kfnb.errors import UsageError
from kfnb.extras import require
from kfnb.server.arrays import leaf_types
from kfnb.server.encoding import json_value, plain_rows

_SHOWN = 40
"""Characters of a value in a message."""


class _NotSent(ValueError):
    """A value that would arrive as another."""


def instances(rows: Any) -> list[Any]:
    """Rows as the instances of KServe's V1 protocol: a mapping a row for a table, a list a row for an array.

    ``rows`` are a table (pandas, polars or pyarrow), a mapping (one row), an array, or a list of mappings, lists or
    values. Missing values become null, times ISO 8601. Raises ``UsageError``, also for values that JSON does not have:
    infinite numbers, and objects such as bytes and decimals.
    """
    return [_instance(number, row) for number, row in enumerate(_given(rows))]


def _given(rows: Any) -> Sequence[Any]:
    """The rows with their values as they are."""
    if isinstance(rows, Mapping):
        return [rows]
    if hasattr(rows, "column_names") and hasattr(rows, "to_pylist"):
        _check_columns(rows.column_names)
        return list(rows.to_pylist())
    if hasattr(rows, "columns"):
        _check_columns([str(name) for name in rows.columns])
        return plain_rows(rows)
    if hasattr(rows, "iloc") or isinstance(rows, str | bytes) or not isinstance(rows, Iterable):
        hint = "give a DataFrame, a list of dicts, or an array with a row for each"
        raise UsageError(
            f"a value of type {type(rows).__name__} is not rows:", code="invalid-argument", hint=hint
        )
    return plain_rows(rows)


def predictions(found: Sequence[Any]) -> Any:
    """The predictions of an answer: a DataFrame where each has names, else an array. Of numbers, null is NaN."""
    if found and all(isinstance(one, dict) for one in found):
        require("pandas", "a table of predictions")
        import pandas as pd

        return pd.DataFrame(list(found))
    import numpy as np

    kinds = leaf_types(found)
    try:
        return np.asarray(found, "float64" if type(None) in kinds <= {int, float, type(None)} else None)
    except ValueError:  # lists of several lengths
        made = np.empty(len(found), dtype=object)
        made[:] = found
        return made


def _check_columns(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"the rows have more than one column {name}", ref=name)


def _instance(number: int, row: Any) -> Any:
    """A row, the one of that number. Raises ``UsageError``."""
    if not isinstance(row, Mapping):
        return _sent(row, f"row {number}")
    return {str(name): _sent(value, f"row {number}, column {name}") for name, value in row.items()}


def _sent(value: Any, place: str) -> Any:
    try:
        return _exact(value)
    except _NotSent as error:
        raise UsageError(f"{place}: {error}", code="invalid-argument") from None


def _exact(value: Any) -> Any:
    """A value as JSON has it. Raises ``_NotSent`` for one that would arrive as another."""
    if isinstance(value, Mapping):
        return {str(name): _exact(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(one) for one in value]
    if hasattr(value, "tolist"):  # of numpy
        return _exact(value.tolist())
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise _NotSent("the number is not finite")
    if isinstance(value, Enum) or not (isinstance(value, str | float | int | None) or _has_json(value)):
        text = repr(value)
        short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
        raise _NotSent(f"{short} is a {type(value).__name__}: send a number, a text, a time or a duration")
    return json_value(value)


def _has_json(value: Any) -> bool:
    """Whether it is a time, a duration, or a value of pandas: intervals and periods are categories by their texts."""
    known = hasattr(value, "isoformat") or hasattr(value, "total_seconds")
    return known or type(value).__module__.partition(".")[0] == "pandas"
