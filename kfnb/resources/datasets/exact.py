"""Whether a DataFrame that was kept comes back as it was, down to the Python objects in its cells.

The logical digest knows what Arrow knows of a table. What Arrow converts without an error (a time zone in a column of
objects, a text among bytes, a list that becomes an array) is only seen here.
"""

from __future__ import annotations

from typing import Any


def what_changed(frame: Any, again: Any, what: str) -> str:
    """The first part of ``frame`` that ``again`` has in another form, in words; empty if there is none.

    Texts are the same whichever type of pandas holds them, and so are missing values.
    """
    if not _same_labels(frame.columns, again.columns):
        return f"the names of the columns of {what} would come back as another type"
    types = zip(frame.dtypes, again.dtypes, strict=True)
    for place, (name, (before, after)) in enumerate(zip(frame.columns, types, strict=True)):
        of = f"column {name!r} of {what}"
        if not _same_type(before, after):
            return _retyped(of, before, after)
        if str(before) == "object" and (found := _changed_cell(frame.iloc[:, place], again.iloc[:, place])):
            return f"{of} {found}"
    for level in range(frame.index.nlevels):
        one, other = frame.index.get_level_values(level), again.index.get_level_values(level)
        if not _same_type(one.dtype, other.dtype):
            return _retyped(f"the index of {what}", one.dtype, other.dtype)
        if str(one.dtype) == "object" and (found := _changed_cell(one, other)):
            return f"the index of {what} {found}"
    return ""


def _retyped(of: str, before: Any, after: Any) -> str:
    return f"{of} ({before}) would come back as {after}"


def _changed_cell(before: Any, after: Any) -> str:
    """The first cell of a column of objects that comes back as another one, in words."""
    if _are_texts(before):
        return ""
    pairs = zip(before, after, strict=True)
    changed = next(((one, other) for one, other in pairs if not same_cell(one, other)), None)
    return f"holds {_shown(changed[0])}, which would come back as {_shown(changed[1])}" if changed else ""


def _same_labels(before: Any, after: Any) -> bool:
    return all(map(same_cell, before, after))


def _same_type(before: Any, after: Any) -> bool:
    """Whether two types of pandas are the same, apart from what the logical digest has: units, zones, categories."""
    if _is_text(before) and _is_text(after):
        return True
    if type(before).__name__ == type(after).__name__ == "CategoricalDtype":
        return _same_type(before.categories.dtype, after.categories.dtype)
    kinds = before.__class__.__module__.startswith("numpy"), after.__class__.__module__.startswith("numpy")
    return bool(before == after) if all(kinds) else type(before) is type(after)


def _is_text(dtype: Any) -> bool:
    return str(dtype) == "object" or type(dtype).__name__ == "StringDtype"


def _are_texts(values: Any) -> bool:
    from pandas.api.types import infer_dtype

    return bool(infer_dtype(values, skipna=True) in ("string", "empty"))


def same_cell(one: Any, other: Any) -> bool:
    """Whether two cells are the same, of the same type."""
    if _is_missing(one) or _is_missing(other):
        return _is_missing(one) and _is_missing(other)
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same_cell(one[name], other[name]) for name in one)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(same_cell, one, other))
    if type(one).__name__ == "ndarray":
        same_form = one.dtype == other.dtype and one.shape == other.shape
        return same_form and all(map(same_cell, one.tolist(), other.tolist()))
    # 1.50 and 1.5 are equal decimals, noon in Rome and noon in Berlin equal times: their texts differ
    return bool(one == other) and str(one) == str(other)


def _is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ in ("NAType", "NaTType") or _is_nan(value)


def _is_nan(value: Any) -> bool:
    import numpy as np

    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:59] + '…'} ({type(value).__name__})"  # noqa: PLR2004 - a line
