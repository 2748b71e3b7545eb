"""What a model takes: how the rows of a request are read, and made into what the model was trained on."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kfnb.server.arrays import Arrays
from kfnb.server.cells import cell
from kfnb.server.column_reader import InputRows, Part, parts_of, read_table
from kfnb.server.columns import MISSING, Family, InputColumn, column_of
from kfnb.server.encoding import json_value, known_values
from kfnb.server.findings import OnBadInput
from kfnb.server.frames import Frames, PolarsFrames, first_column, plain_list
from kfnb.server.tables import BadRequest, table_of_columns, table_of_rows


@dataclass(frozen=True)
class ModelInputs:
    """How rows are read.

    ``columns`` are those that the model needs, one without a name for an array. ``rows`` reads rows of JSON,
    ``by_column`` lists of values by column; both raise ``BadRequest`` or ``BadInput``. ``join`` makes of rows what the
    model takes.
    """

    columns: tuple[InputColumn, ...]
    rows: Callable[[Sequence[Any]], InputRows]
    by_column: Callable[[Mapping[str, Any]], InputRows]
    join: Callable[[Sequence[InputRows]], Any]
    parts: tuple[Part, ...] = ()
    """The parts in which ``InputRows`` have the columns; none for an array."""

    @property
    def named(self) -> bool:
        """Whether the columns have names."""
        return bool(self.columns) and bool(self.columns[0].name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)


def inputs_of(facts: Mapping[str, Any], sample: Any, policy: OnBadInput) -> ModelInputs:
    """What the model of a folder takes; ``sample`` are the rows that are kept with it, None if there are none."""
    kind = str(facts.get("sample", {}).get("kind", ""))
    found = facts.get("inputs") or []
    named = bool(found) and (bool(found[0]["name"]) or kind in ("pandas.DataFrame", "polars.DataFrame"))
    if kind == "numpy.ndarray" or not (named or kind in ("builtins.list", "pandas.Series")):
        return _arrays(found, sample, policy)
    needed = [one for one in found if not one.get("optional")]
    others = frozenset(str(one["name"]) for one in found if one.get("optional"))
    columns = tuple(_column(one, _values(sample, place)) for place, one in enumerate(needed))
    parts = parts_of(columns)
    join: Callable[[Sequence[InputRows]], Any]
    if kind == "polars.DataFrame":
        join = PolarsFrames(parts)
    elif kind == "builtins.list":
        join = plain_list
    elif kind == "pandas.Series":
        join = first_column(Frames(columns, parts), sample.name)
    else:
        join = Frames(columns, parts, None if sample is None else sample.columns)
    names = tuple(column.name for column in columns)
    return ModelInputs(
        columns,
        lambda rows: read_table(parts, table_of_rows(rows, names, others), policy),
        lambda lists: read_table(parts, table_of_columns(lists, names, others), policy),
        join,
        parts,
    )


def _arrays(found: Sequence[Mapping[str, Any]], sample: Any, policy: OnBadInput) -> ModelInputs:
    """The inputs of a model that takes an array, or of which nothing is known."""
    facts = found[0] if found else {"name": ""}
    column = column_of(facts, None)
    column = replace(column, dtype=getattr(sample, "dtype", column.dtype), family=Family.ANY)
    shape = tuple(int(one) for one in facts.get("shape", ())[1:]) if found else None
    arrays = Arrays(column, shape)

    def by_column(lists: Mapping[str, Any]) -> InputRows:
        if len(lists) != 1:
            raise BadRequest("the model takes one array")
        return arrays.read(next(iter(lists.values())), policy)

    return ModelInputs((column,), lambda rows: arrays.read(rows, policy), by_column, arrays.join)


def _values(sample: Any, place: int) -> Any:
    """A column of the sample; None if there is no sample."""
    if sample is None:
        return None
    if hasattr(sample, "iloc"):
        return sample.iloc[:, place] if hasattr(sample, "columns") else sample
    return sample[:, place] if hasattr(sample, "columns") else sample


def _column(facts: Mapping[str, Any], values: Any) -> InputColumn:
    """A column with what stands for a bad value: the median of numbers and times, the most frequent of others."""
    column = column_of(facts, values)
    if column.family is Family.ANY:
        return column
    known = known_values(values)
    if not known:
        typical = next(iter(column.categories), None if column.nullable else MISSING)
    elif column.family in (Family.FLOAT, Family.INTEGER):
        typical = statistics.median_low(known)
    elif column.family in (Family.TIME, Family.SPAN, Family.DATE):
        typical = cell(column, json_value(statistics.median_low(known)))
    else:
        typical = Counter(known).most_common(1)[0][0]
    return replace(column, typical=typical)
