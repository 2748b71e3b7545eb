"""Rows as a server takes them, and predictions as people hold them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from kfnb.errors import UsageError

_AS_TEXT = (Decimal, timedelta)


def instances(rows: Any) -> list[Any]:
    """Rows as the instances of KServe's V1 protocol: a mapping a row for a table, a list a row for an array.

    ``rows`` are a DataFrame (pandas or polars), a mapping (one row), an array, or a list of mappings, lists or values.
    Missing values become null, times ISO 8601. Raises ``UsageError``.
    """
    if hasattr(rows, "iloc") or hasattr(rows, "iter_rows"):
        return list(_of_frame(rows))
    if isinstance(rows, Mapping):
        return [_plain(rows)]
    if isinstance(rows, str | bytes) or not isinstance(rows, Iterable):
        raise _not_rows(rows)
    if hasattr(rows, "tolist"):
        rows = rows.tolist()
        if not isinstance(rows, list):
            raise _not_rows(rows)
    return [_plain(row) for row in rows]


def predictions(found: Sequence[Any]) -> Any:
    """The predictions of an answer: a DataFrame where each has names, else an array."""
    if found and all(isinstance(one, dict) for one in found):
        import pandas as pd

        return pd.DataFrame(list(found))
    import numpy as np

    try:
        return np.asarray(found)
    except ValueError:  # lists of several lengths
        made = np.empty(len(found), dtype=object)
        made[:] = found
        return made


def _of_frame(frame: Any) -> Iterator[dict[str, Any]]:
    """The rows of a DataFrame. The order of its columns does not matter, nor does its index."""
    if not hasattr(frame, "columns"):
        hint = "give df.iloc[[0]] for one row, or a DataFrame of one column"
        raise UsageError(f"a {type(frame).__name__} is neither one row nor a table", hint=hint)
    names = [str(name) for name in frame.columns]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"the rows have more than one column {name}", ref=name)
    if hasattr(frame, "iter_rows"):
        columns = [frame[name].to_list() for name in frame.columns]
    else:
        columns = [frame.iloc[:, at].astype(object).tolist() for at in range(len(names))]
    for row in zip(*([_plain(value) for value in column] for column in columns), strict=True):
        yield dict(zip(names, row, strict=True))


def _plain(value: Any) -> Any:
    """A value as JSON has it. Raises ``UsageError`` for one that it does not have."""
    kind = type(value)
    if kind in (str, bool, int, type(None)):
        return value
    if kind is float:
        return _number(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return _of_library(value)


def _number(value: float) -> float | None:
    if math.isinf(value):
        raise UsageError("a row has an infinite number, which JSON does not have")
    return None if math.isnan(value) else value


def _of_library(value: Any) -> Any:
    """A time, a decimal number, or a value of numpy's or pandas'. Raises ``UsageError`` for any other."""
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, _AS_TEXT):
        return str(value)
    for method in ("isoformat", "tolist", "item"):
        if hasattr(value, method):
            plain = getattr(value, method)()
            if type(plain) is not type(value):
                return _plain(plain)
    for plain_type in (bool, int, float, str):
        if isinstance(value, plain_type):  # a subclass: np.float64 is a float
            return _plain(plain_type(value))
    raise UsageError(
        f"a row has a {type(value).__name__}, which JSON does not have", ref=type(value).__name__
    )


def _not_rows(rows: Any) -> UsageError:
    hint = "give a DataFrame, a list of dicts, or an array with a row for each"
    return UsageError(f"{type(rows).__name__}: not rows", code="invalid-argument", hint=hint)
