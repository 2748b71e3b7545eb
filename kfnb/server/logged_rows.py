"""Requests as a block of rows: a table of Arrow's.

===============  =================================================================================================
``id``           of the request, ``row`` in it from 0
``time``         when it was answered (UTC)
``revision``     a number of the service's, ``version`` of the model
``status``       of the answer, ``latency_ms``
``error``        its code, null where there was none
``problems``     bad inputs in JSON, ``{kind: {column: times}}``; null where there were none
``raw``          the row as it came, in JSON, where the request has bad inputs; of one that was refused, all its rows
``share``        of the requests that were kept at that time
``input``        the row as the model's inputs have read it; null where it was refused
``features``     what the transform made of it; absent without a transform
``prediction``   null where there is none
===============  =================================================================================================

``input`` and ``features`` have a field for each column. A field whose values have several types, or nested ones, is
JSON (``logged_types.AS_JSON``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, repeat
from typing import Any

from kfnb.server.column_reader import InputRows, Numbers
from kfnb.server.columns import Family, InputColumn, InputProblem
from kfnb.server.exchange import Exchange
from kfnb.server.frames import joined
from kfnb.server.inputs import ModelInputs
from kfnb.server.log_settings import LogSettings
from kfnb.server.logged_types import SettledTypes, json_text, unique
from kfnb.server.personal_columns import PersonalColumns

_LARGEST_RAW = 100_000
"""Bytes of a request that is kept as it came."""
_WIDEST = 200
"""Columns of an array that are a field each; those of a wider one are one list."""


class LoggedRows:
    """Makes blocks of the requests of one model."""

    def __init__(self, settings: LogSettings, inputs: ModelInputs, personal: PersonalColumns) -> None:
        self._settings, self._inputs, self._personal = settings, inputs, personal
        self._types = SettledTypes()

    def block(self, exchanges: Sequence[Exchange]) -> Any:
        """The rows of some requests as a ``RecordBatch``; of a refused one, one row."""
        import numpy as np
        import pyarrow as pa

        read = [(one, one.rows) for one in exchanges if one.rows is not None]
        refused = [one for one in exchanges if one.rows is None]
        ordered, rows = [one for one, _ in read] + refused, [some for _, some in read]
        counts = [some.count for some in rows] + [1] * len(refused)
        total = sum(counts)
        of_row = np.repeat(np.arange(len(counts)), counts)
        arrays = self._facts(ordered, of_row)
        arrays["row"] = pa.array(np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts), pa.int32())
        arrays["raw"] = pa.array(list(chain.from_iterable(map(self._raw, ordered, counts))), pa.string())
        fields = [pa.field(name, array.type) for name, array in arrays.items()]
        columns = {
            "input": dict(self._input_columns(rows)) if rows else {},
            "features": self._features([one for one, _ in read]),
        }
        for name, found in columns.items():
            self._add_struct(arrays, fields, name, found, len(refused))
        found, field = self._types.settle("prediction", _predictions(read, len(refused)))
        return pa.RecordBatch.from_arrays([*arrays.values(), found], schema=pa.schema([*fields, field]))

    def _facts(self, ordered: Sequence[Exchange], of_row: Any) -> dict[str, Any]:
        """What is the same for all rows of a request."""
        import pyarrow as pa

        count = len(ordered)
        facts = {
            "id": pa.array([one.id for one in ordered], pa.string()),
            "time": pa.array([int(one.at * 1e6) for one in ordered], pa.int64()).cast(
                pa.timestamp("us", tz="UTC")
            ),
            "revision": pa.array([self._settings.revision] * count, pa.int32()),
            "version": pa.array([self._settings.version] * count, pa.string()),
            "status": pa.array([one.status for one in ordered], pa.int16()),
            "latency_ms": pa.array([one.seconds * 1e3 for one in ordered], pa.float32()),
            "error": pa.array([one.code or None for one in ordered], pa.string()),
            "problems": pa.array([_problems(one.bad) for one in ordered], pa.string()),
            "share": pa.array([one.share for one in ordered], pa.float32()),
        }
        taken = pa.array(of_row)
        return facts if len(of_row) == count else {name: one.take(taken) for name, one in facts.items()}

    def _add_struct(
        self, arrays: dict[str, Any], fields: list[Any], name: str, columns: Mapping[str, Any], refused: int
    ) -> None:
        """Add a field for columns of the rows that were read; the others have null there."""
        import numpy as np
        import pyarrow as pa

        if not columns:
            return
        settled = [self._types.settle(f"{name}.{one}", values) for one, values in columns.items()]
        padded = [pa.concat_arrays([one, pa.nulls(refused, one.type)]) for one, _ in settled]
        mask = np.zeros(len(padded[0]), bool)
        mask[len(mask) - refused :] = True
        arrays[name] = pa.StructArray.from_arrays(
            padded, fields=[field for _, field in settled], mask=pa.array(mask)
        )
        fields.append(pa.field(name, arrays[name].type))

    # -- inputs

    def _input_columns(self, rows: Sequence[InputRows]) -> Iterator[tuple[str, Any]]:
        """The values of each column of the model's inputs, without those that are dropped."""
        if not self._inputs.parts:
            for name, found in table_columns(self._inputs.join(rows)).items():
                yield from self._kept(name, found)
            return
        for part, values in zip(self._inputs.parts, joined(self._inputs.parts, rows), strict=True):
            some = values if isinstance(part, Numbers) else [values]
            for column, found in zip(part.columns, some, strict=True):
                yield from self._kept(column.name or "value", _typed(column, found))

    def _kept(self, name: str, values: Any) -> Iterator[tuple[str, Any]]:
        if self._personal.hashes(name):
            plain = values.to_pylist() if hasattr(values, "to_pylist") else values
            yield name, list(map(self._personal.digest, plain))
        elif not self._personal.drops(name):
            yield name, values

    def _raw(self, one: Exchange, rows: int) -> Iterator[str | None]:
        """A request with bad inputs as it came: by row, or all of it on the one row of a refused request."""
        given = self._given(one.body) if one.body and len(one.body) <= _LARGEST_RAW else None
        if given is None:
            return repeat(None, rows)
        if one.rows is not None and len(given) == rows:
            return map(json_text, given)
        return iter([json_text(given), *[None] * (rows - 1)])

    def _given(self, body: bytes) -> list[Any] | None:
        """The rows of a request in V1; None of any other."""
        with suppress(ValueError, KeyError, TypeError):
            given = json.loads(body)["instances"]
            if isinstance(given, list):
                return [self._personal.row(row, self._inputs.names) for row in given]
        return None

    # -- features

    def _features(self, read: Sequence[Exchange]) -> dict[str, Any]:
        """What the transform made of the rows, by column; nothing unless it is known of all."""
        pieces = []
        for one in read:
            if one.predicted is None or one.predicted.features is None or one.rows is None:
                return {}
            whole, start, count = one.predicted.features, one.predicted.start, one.rows.count
            pieces.append(whole if count == len(whole) else whole[start : start + count])
        columns = table_columns(together(pieces)) if pieces else {}
        return {name: some for column in columns.items() for name, some in self._kept(*column)}


def _typed(column: InputColumn, values: Any) -> Any:
    """The values of a column that was read; times and durations are counted in its unit there."""
    import pyarrow as pa

    if column.family not in (Family.TIME, Family.SPAN):
        return values if isinstance(values, list) else pa.array(values, from_pandas=True)
    kind = pa.timestamp(column.unit, "UTC" if column.zoned else None)
    return pa.array(values, pa.int64()).cast(
        kind if column.family is Family.TIME else pa.duration(column.unit)
    )


def _predictions(read: Sequence[tuple[Exchange, InputRows]], refused: int) -> list[Any]:
    found: list[Any] = []
    for one, rows in read:
        found += [None] * rows.count if one.predicted is None else one.predicted.values
    return found + [None] * refused


def _problems(bad: Mapping[tuple[InputProblem, str], int]) -> str | None:
    found: dict[str, dict[str, int]] = {}
    for (kind, column), times in bad.items():
        found.setdefault(kind.value, {})[column] = times
    return json.dumps(found) if found else None


def table_columns(table: Any) -> dict[str, Any]:
    """The columns of a DataFrame, a Series, an array or a list, by name."""
    import numpy as np

    if hasattr(table, "columns") and hasattr(table, "iloc"):
        names = unique(table.columns)
        return {name: table.iloc[:, place] for place, name in enumerate(names)}
    if hasattr(table, "columns"):
        return {one.name: one.to_arrow() for one in table.iter_columns()}
    if hasattr(table, "toarray"):  # sparse: as many columns as there are words
        return {}
    if isinstance(table, np.ndarray):
        return _array_columns(table)
    return {str(getattr(table, "name", None) or "value"): list(table)}


def _array_columns(array: Any) -> dict[str, Any]:
    import pyarrow as pa

    if array.dtype.kind not in "fiub":
        return {"value": array.tolist()}
    flat = array.reshape(len(array), -1)
    if flat.shape[1] <= _WIDEST:
        return {str(place): flat[:, place] for place in range(flat.shape[1])}
    return {"value": pa.FixedSizeListArray.from_arrays(pa.array(flat.reshape(-1)), flat.shape[1])}


def together(pieces: Sequence[Any]) -> Any:
    """Tables of one kind as one."""
    import numpy as np

    if len(pieces) == 1:
        return pieces[0]
    first = pieces[0]
    if hasattr(first, "iloc"):
        import pandas as pd

        return pd.concat(pieces, ignore_index=True, copy=False)
    if hasattr(first, "columns"):
        import polars as pl

        return pl.concat(pieces)
    return np.concatenate(pieces) if isinstance(first, np.ndarray) else list(chain.from_iterable(pieces))
