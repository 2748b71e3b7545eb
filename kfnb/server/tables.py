"""The rows of a request as columns of JSON values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from kfnb.server.columns import MISSING


class BadRequest(ValueError):
    """A request that cannot be read; ``code`` is a word that programs can rely on."""

    def __init__(self, message: str, code: str = "bad-request", status: int = 400) -> None:
        super().__init__(message)
        self.message, self.code, self.status = message, code, status


@dataclass(frozen=True)
class InputTable:
    """Values by column: ``MISSING`` is what a row lacks, ``unknown`` are columns that the model does not take."""

    count: int
    columns: Mapping[str, Sequence[Any]]
    unknown: tuple[str, ...] = ()


def table_of_rows(
    rows: Sequence[Any], names: tuple[str, ...], others: AbstractSet[str] = frozenset()
) -> InputTable:
    """Rows as V1 has them: objects by column, or lists in the order of the model's columns.

    ``names`` are the columns that the model needs, ``others`` those that it takes too. Raises ``BadRequest``.
    """
    if all(type(row) is dict for row in rows):
        return _of_objects(rows, names, others)
    if len(names) == 1 and not any(isinstance(row, (dict, list)) for row in rows):
        return InputTable(len(rows), {names[0]: rows})
    for number, row in enumerate(rows):
        if type(row) is not list:
            raise BadRequest(
                f"row {number} is not {'a list' if type(rows[0]) is list else 'an object'}, as others are"
            )
        if len(row) != len(names):
            message = (
                f"row {number} has {len(row)} values, and the model takes {len(names)}: {', '.join(names)}"
            )
            raise BadRequest(message, "bad-input", 422)
    return InputTable(len(rows), dict(zip(names, zip(*rows, strict=True), strict=True)))


def table_of_columns(
    columns: Mapping[str, Any], names: tuple[str, ...], others: AbstractSet[str] = frozenset()
) -> InputTable:
    """Lists of values by column. Raises ``BadRequest``."""
    for name, values in columns.items():
        if type(values) is not list:
            raise BadRequest(f"column {name} is not a list")
    counts = {len(values) for values in columns.values()}
    if len(counts) > 1:
        raise BadRequest("the columns have different numbers of values")
    known = {name: columns[name] for name in names if name in columns}
    return InputTable(next(iter(counts), 0), known, tuple(sorted(columns.keys() - set(names) - others)))


def _of_objects(
    rows: Sequence[dict[str, Any]], names: tuple[str, ...], others: AbstractSet[str]
) -> InputTable:
    unknown: tuple[str, ...] = ()
    if any(len(row) != len(names) for row in rows):
        unknown = tuple(sorted({name for row in rows for name in row} - set(names) - others))
    try:
        found = [list(map(itemgetter(name), rows)) for name in names]
        return InputTable(len(rows), dict(zip(names, found, strict=True)), unknown)
    except KeyError:
        pass  # some row lacks a column
    columns = {name: [row.get(name, MISSING) for row in rows] for name in names}
    some = {name: values for name, values in columns.items() if any(value is not MISSING for value in values)}
    return InputTable(
        len(rows), some, tuple(sorted({name for row in rows for name in row} - set(names) - others))
    )
