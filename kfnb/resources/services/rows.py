"""Rows as a server takes them, and predictions as people hold them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kfnb.errors import UsageError
from kfnb.extras import require
from kfnb.server.encoding import json_rows, json_value


def instances(rows: Any) -> list[Any]:
    """Rows as the instances of KServe's V1 protocol: a mapping a row for a table, a list a row for an array.

    ``rows`` are a DataFrame (pandas or polars), a mapping (one row), an array, or a list of mappings, lists or values.
    Missing values become null, times ISO 8601. Raises ``UsageError``.
    """
    if isinstance(rows, Mapping):
        return [_instance(rows)]
    if hasattr(rows, "columns"):
        _check_columns([str(name) for name in rows.columns])
        return json_rows(rows)
    if hasattr(rows, "iloc") or isinstance(rows, str | bytes) or not isinstance(rows, Iterable):
        hint = "give a DataFrame, a list of dicts, or an array with a row for each"
        raise UsageError(
            f"a value of type {type(rows).__name__} is not rows:", code="invalid-argument", hint=hint
        )
    return [_instance(row) for row in (rows.tolist() if hasattr(rows, "tolist") else rows)]


def predictions(found: Sequence[Any]) -> Any:
    """The predictions of an answer: a DataFrame where each has names, else an array."""
    if found and all(isinstance(one, dict) for one in found):
        require("pandas", "a table of predictions")
        import pandas as pd

        return pd.DataFrame(list(found))
    import numpy as np

    try:
        return np.asarray(found)
    except ValueError:  # lists of several lengths
        made = np.empty(len(found), dtype=object)
        made[:] = found
        return made


def _check_columns(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"the rows have more than one column {name}", ref=name)


def _instance(row: Any) -> Any:
    if isinstance(row, Mapping):
        return {str(name): _instance(value) for name, value in row.items()}
    return [_instance(one) for one in row] if isinstance(row, list | tuple) else json_value(row)
