"""The requests that a service has kept: which are meant, and how they are read.

They are read as blocks, ``RecordBatch`` of Arrow's, each with the columns that ``kfnb.server.logged_rows`` describes,
and with ``label``: what was true of the row, as JSON, null where that is not known. Blocks of different versions may
have different fields in ``input`` and ``features``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kfnb.extras import require
from kfnb.server.logged_types import AS_JSON

Moment = str | float | datetime | None

REQUEST_COLUMNS = (
    "id",
    "time",
    "revision",
    "version",
    "status",
    "latency_ms",
    "error",
    "problems",
    "share",
    "row",
    "raw",
    "input",
    "features",
    "prediction",
    "label",
)
"""All columns, in their order."""

_TEXTS = ("problems", "raw", "label")
"""Columns that are always JSON."""
_AS_JSON = {name.encode(): text.encode() for name, text in AS_JSON.items()}


@dataclass(frozen=True)
class RequestWindow:
    """Those that were answered from ``since`` on and before ``until`` (seconds since 1970, None for any).

    ``version`` is a role, a number or a reference of one that is or was served (``canary``, ``7``, ``churn@7``); empty
    for any. ``columns`` are those that are read, all by default: without ``features``, a third of the bytes.
    """

    since: float | None = None
    until: float | None = None
    version: str = ""
    columns: tuple[str, ...] = ()

    def wants(self, column: str) -> bool:
        """Whether a column is read."""
        return not self.columns or column in self.columns


@dataclass(frozen=True)
class LabelledRow:
    """A row that was predicted, and what turned out to be true; ``at`` is when that became known.

    ``inputs`` are its columns, where they were asked for and are still kept.
    """

    at: float
    request: str
    row: int
    prediction: Any
    label: Any
    inputs: Mapping[str, Any] = field(default_factory=dict)


def is_json(field: Any) -> bool:
    """Whether the values of a field are JSON."""
    metadata = field.metadata or {}
    return all(metadata.get(name) == text for name, text in _AS_JSON.items())


def values_of(array: Any, field: Any) -> list[Any]:
    """The values of a column; those in JSON as what they are."""
    values: list[Any] = array.to_pylist()
    return [None if one is None else json.loads(one) for one in values] if is_json(field) else values


def frame_of(blocks: Iterable[Any]) -> Any:
    """Blocks as a pandas DataFrame: ``input.age`` and ``features.age`` are columns, and JSON is read."""
    require("pandas", "requests")
    require("pyarrow", "requests")
    import pandas as pd
    import pyarrow as pa

    # integers some of which are missing: as floats, those beyond 2**53 would be others
    nullable = {pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}

    def series(column: Any, field: Any) -> Any:
        if is_json(field) or field.name in _TEXTS:
            read = [None if one is None else json.loads(one) for one in column.to_pylist()]
            return pd.Series(read, dtype=object)
        return column.to_pandas(types_mapper=nullable.get if column.null_count else None)

    frames = []
    for block in blocks:
        flat = pa.Table.from_batches([block]).flatten()
        frames.append(pd.DataFrame({field.name: series(flat[field.name], field) for field in flat.schema}))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["id", "row", "time"])
