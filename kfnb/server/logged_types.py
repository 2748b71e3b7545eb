"""Values as columns of Arrow, each of one type for as long as that is possible."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from kfnb.server.encoding import json_value

AS_JSON = {"kfnb": "json"}
"""The metadata of a column of texts in JSON: its values are of several types, or nested."""

_PLAIN = ({bool}, {int}, {float}, {int, float}, {str}, {date}, {datetime})


class SettledTypes:
    """The types of columns, which grow wider with the values that come: integers, numbers, JSON.

    A column that was JSON once stays so, or each block could have another type.
    """

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}
        """By column: a type of Arrow's, or None for JSON."""

    def settle(self, column: str, values: Any) -> tuple[Any, Any]:
        """An array of the values, and the field that describes it, with the last part of the column's name."""
        import pyarrow as pa

        array = None if column in self._known and self._known[column] is None else array_of(values)
        if array is not None:
            array = _cast(array, _wider(self._known.get(column, array.type), array.type))
        self._known[column] = None if array is None else array.type
        name = column.partition(".")[2] or column
        if array is None:
            return _json_array(values), pa.field(name, pa.string(), metadata=AS_JSON)
        return array, pa.field(name, array.type)


def array_of(values: Any) -> Any:
    """An array of Arrow's, missing values as null; None where values have several types, or nested ones."""
    import pyarrow as pa

    try:
        if isinstance(values, pa.Array):
            array = values
        elif isinstance(values, list):
            if (set(map(type, values)) - {type(None)} or {int}) not in _PLAIN:
                return None
            array = pa.array(values, pa.null() if not any(one is not None for one in values) else None)
        else:
            array = pa.array(values, from_pandas=True)
    except (pa.ArrowException, OverflowError, UnicodeError, TypeError, ValueError):
        return None
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array.cast(pa.float32()) if array.type == pa.float16() else array


def _wider(known: Any, new: Any) -> Any:
    """The type that has the values of both; None where there is none."""
    import pyarrow as pa

    if known == new or pa.types.is_null(new):
        return known
    if pa.types.is_null(known):
        return new
    if pa.types.is_integer(known) and pa.types.is_integer(new):
        return pa.int64()
    numbers = [pa.types.is_integer(one) or pa.types.is_floating(one) for one in (known, new)]
    return pa.float64() if all(numbers) else None


def _cast(array: Any, kind: Any) -> Any:
    """An array as another type; None where a value would change."""
    import pyarrow as pa

    if kind is None or array.type == kind:
        return array if kind is not None else None
    try:
        return array.cast(kind)
    except pa.ArrowException:
        return None


def _json_array(values: Any) -> Any:
    import pyarrow as pa

    if isinstance(values, pa.Array):
        values = values.to_pylist()
    return pa.array(list(map(json_text, values)), pa.string())


def json_text(value: Any) -> str | None:
    """A value as JSON; None for a missing one."""
    plain = json_value(value)
    return None if plain is None else json.dumps(plain)


def unique(names: Sequence[Any]) -> list[str]:
    """Names as texts, in which none is there twice."""
    found: list[str] = []
    for name in map(str, names):
        again, number = name, 0
        while again in found:
            number += 1
            again = f"{name}.{number}"
        found.append(again)
    return found
