"""One value of JSON as a value of a column, and what is wrong with it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from kfnb.server.columns import MISSING, Family, InputColumn, InputProblem

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?))?\s?(Z|z|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""How many a second has."""
_MOST_UNITS = 2**63 - 1
"""Times and durations are kept as signed integers of 64 bits, whose least value stands for a missing one."""
_SHOWN = 40
"""Characters of a value in a message."""


class Unfit(Exception):
    """A value that a column does not take; ``held`` is what the column holds in its place, if it holds it."""

    def __init__(self, problem: InputProblem, message: str, held: Any = MISSING) -> None:
        super().__init__(message)
        self.problem, self.message, self.held = problem, message, held


def cell(column: InputColumn, value: Any) -> Any:
    """The value of a column; None is a missing one. Raises ``Unfit``."""
    if value is MISSING:
        raise Unfit(InputProblem.MISSING, "the column is missing", _null(column))
    if value is None or (isinstance(value, float) and math.isnan(value)):
        if column.nullable:
            return None
        raise Unfit(InputProblem.NULL, "null, where training had no missing values", _null(column))
    return _CELLS[column.family](column, value)


def _null(column: InputColumn) -> Any:
    """None, if a column can hold it."""
    numpy_only = getattr(column.dtype, "kind", "O") in "iub" and not hasattr(column.dtype, "na_value")
    return MISSING if numpy_only else None


def _wrong(column: InputColumn, value: Any) -> Unfit:
    return Unfit(InputProblem.TYPE, f"{_shown(value)} is not {column.family.value}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _number(column: InputColumn, value: Any) -> Any:
    if type(value) not in (int, float):
        raise _wrong(column, value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise Unfit(InputProblem.RANGE, "the number is not finite")
    return _within(column, number)


def _integer(column: InputColumn, value: Any) -> Any:
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int:
        raise _wrong(column, value)
    least, most = integers_of(column)
    if not least <= value <= most:
        raise Unfit(InputProblem.RANGE, f"{_shown(value)} is not from {least} to {most}")
    return _within(column, value)


def integers_of(column: InputColumn) -> tuple[int, int]:
    """The least and the largest integer that a column can hold."""
    found = re.search(r"(u?)int(\d+)", column.type.lower())
    unsigned, bits = (found[1] == "u", int(found[2])) if found else (False, 64)
    return (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _within(column: InputColumn, number: Any) -> Any:
    if column.low is not None and not column.low <= number <= column.high:
        raise Unfit(
            InputProblem.RANGE,
            f"{number:g} is far from what training had ({column.least:g} to {column.most:g})",
            number,
        )
    return number


def _flag(column: InputColumn, value: Any) -> Any:
    if type(value) is not bool:
        raise _wrong(column, value)
    return value


def _text(column: InputColumn, value: Any) -> Any:
    if type(value) is not str:
        raise _wrong(column, value)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Unfit(InputProblem.TYPE, "the text has half a surrogate pair") from None
    if column.known and value not in column.known:
        raise Unfit(InputProblem.UNSEEN, f"{_shown(value)} is not a value that training had", value)
    return value


def _category(column: InputColumn, value: Any) -> Any:
    found = isinstance(value, (str, int, float, bool)) and value in column.known
    if found and any(type(value) is type(one) for one in column.known):
        return value
    raise Unfit(InputProblem.UNSEEN, f"{_shown(value)} is not one of the categories that training had", None)


def _time(column: InputColumn, value: Any) -> Any:
    """The column's units since 1970, in UTC where the column has a zone."""
    import numpy as np

    found = _TIME.fullmatch(value) if type(value) is str else None
    if not found:
        raise Unfit(InputProblem.TYPE, f"{_shown(value)} is not a time in ISO 8601")
    date, clock, offset = found.groups()
    if bool(offset) is not column.zoned:
        without = "which training had" if column.zoned else "which training had not"
        raise Unfit(
            InputProblem.TYPE, f"{_shown(value)}: {'no' if column.zoned else 'an'} offset from UTC, {without}"
        )
    try:
        time = np.datetime64(f"{date}T{clock or '00:00'}", column.unit)  # type: ignore[call-overload]
    except ValueError:
        raise Unfit(InputProblem.TYPE, f"{_shown(value)} is not a time in ISO 8601") from None
    units = int(time.astype("int64")) - _seconds(offset or "Z") * _UNITS[column.unit]
    if str(time)[: len(date)] != date or abs(units) > _MOST_UNITS:
        raise Unfit(InputProblem.RANGE, f"{_shown(value)} is beyond the times that the column can hold")
    return units


def _seconds(offset: str) -> int:
    if offset in "Zz":
        return 0
    hours, minutes = int(offset[1:3]), int(offset[3:].lstrip(":") or 0)
    return (hours * 60 + minutes) * (-60 if offset[0] == "-" else 60)


def _date(column: InputColumn, value: Any) -> Any:
    import datetime as dt

    try:
        return dt.date.fromisoformat(value)
    except (TypeError, ValueError):
        raise _wrong(column, value) from None


def _span(column: InputColumn, value: Any) -> Any:
    """The column's units, of a number of seconds or a text."""
    import pandas as pd

    if type(value) not in (int, float, str):  # a list, multiplied, would be repeated
        raise _wrong(column, value)
    try:
        seconds = pd.Timedelta(value).total_seconds() if type(value) is str else value
        units = round(seconds * _UNITS[column.unit])
    except (ValueError, OverflowError):
        raise _wrong(column, value) from None
    if abs(units) > _MOST_UNITS:
        raise Unfit(InputProblem.RANGE, f"{_shown(value)} is beyond the durations that the column can hold")
    return units


def _any(column: InputColumn, value: Any) -> Any:  # noqa: ARG001 - one of a table of functions
    return value


_CELLS: dict[Family, Callable[[InputColumn, Any], Any]] = {
    Family.FLOAT: _number,
    Family.INTEGER: _integer,
    Family.FLAG: _flag,
    Family.TEXT: _text,
    Family.CATEGORY: _category,
    Family.TIME: _time,
    Family.DATE: _date,
    Family.SPAN: _span,
    Family.ANY: _any,
}
