"""What Parquet files state of their columns, without reading their values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from kfnb.entities.profile import ColumnProfile


def profile_footers(files: Sequence[Any]) -> tuple[tuple[ColumnProfile, ...], int]:
    """What Parquet files, paths or open ones, state of themselves: profiles, and the number of rows of all.

    Raises ``ValueError`` if the files have different columns.
    """
    import pyarrow.parquet as pq

    readers = [pq.ParquetFile(file) for file in files]
    schema = readers[0].schema_arrow
    if any(one.schema_arrow.names != schema.names for one in readers):
        raise ValueError("the files have different columns")
    rows = sum(one.metadata.num_rows for one in readers)
    states = [dict(_statistics(one.metadata)) for one in readers]
    return tuple(_stated(field, rows, states) for field in schema), rows


def _statistics(metadata: Any) -> Iterator[tuple[str, list[Any]]]:
    """By column, the statistics of its row groups."""
    for place in range(metadata.num_columns):
        groups = [metadata.row_group(group).column(place) for group in range(metadata.num_row_groups)]
        path = metadata.schema.column(place).path
        yield path, [one.statistics if one.is_stats_set else None for one in groups]


def _stated(field: Any, rows: int, states: Sequence[Any]) -> ColumnProfile:
    found = [one for state in states for one in state.get(field.name, [None])]
    if not found or any(one is None or not one.has_null_count for one in found):
        return ColumnProfile(field.name, str(field.type), rows=rows, nulls=None)
    ranges = [one for one in found if one.has_min_max]
    numbers = ranges and all(isinstance(one.min, int | float) for one in ranges)
    return ColumnProfile(
        field.name,
        str(field.type),
        rows=rows,
        nulls=sum(one.null_count for one in found),
        minimum=_finite(min(one.min for one in ranges)) if numbers else None,
        maximum=_finite(max(one.max for one in ranges)) if numbers else None,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
