"""The profile of a table: what is known of each column's values, small enough to be kept with a version."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from kfnb.resources.datasets.model import ColumnProfile

QUANTILES = 20
_TOP = 20
_MOST_DISTINCT = 10_000
_MOST_COLUMNS = 1000
"""Columns that are measured; of further ones, the type and the nulls are kept."""
_LONGEST = 100
_EXACT = 2**53
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


def profile_table(table: Any, prefix: str = "") -> tuple[ColumnProfile, ...]:
    """The profiles of the columns of a ``pyarrow.Table``, whose names begin with ``prefix``."""
    pairs = zip(table.column_names, table.columns, strict=True)
    return tuple(
        _column(f"{prefix}{name}", column, measured=place < _MOST_COLUMNS)
        for place, (name, column) in enumerate(pairs)
    )


def profile_array(array: Any, name: str = "values") -> tuple[ColumnProfile, ...]:
    """The profile of a numpy array's values: one column, whatever its shape."""
    import numpy as np
    import pyarrow as pa

    kind = f"{array.dtype}[{' x '.join(map(str, array.shape))}]"
    flat = np.asarray(array).reshape(-1)
    if flat.dtype.kind not in "iufb":
        known = flat.dtype.kind in "SU"  # texts; of others, a value may stand for a missing one
        return (ColumnProfile(name, kind, rows=flat.size, nulls=0 if known else None),)
    found = _column(name, pa.chunked_array([pa.array(flat.astype(flat.dtype.newbyteorder("=")))]))
    return (ColumnProfile(**{**vars(found), "type": kind}),)


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


def _column(name: str, column: Any, *, measured: bool = True) -> ColumnProfile:
    import pyarrow.types as kinds

    kind = column.type
    plain = ColumnProfile(name, str(kind), rows=len(column), nulls=column.null_count)
    if not measured or not len(column):
        return plain
    if kinds.is_timestamp(kind) or kinds.is_date(kind):
        return _times(plain, column)
    if kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_decimal(kind):
        return _numbers(plain, column)
    if kinds.is_dictionary(kind) and (
        kinds.is_string(kind.value_type) or kinds.is_large_string(kind.value_type)
    ):
        return _words(plain, column.cast(kind.value_type))
    texts = (kinds.is_string, kinds.is_large_string, kinds.is_boolean)
    if any(one(kind) for one in texts) or str(kind) == "string_view":
        return _words(plain, column)
    return plain


def _numbers(plain: ColumnProfile, column: Any) -> ColumnProfile:
    import numpy as np
    import pyarrow as pa

    present = column.drop_null()
    whole = pa.types.is_integer(column.type)
    values = np.sort((present if whole else present.cast(pa.float64())).to_numpy())
    missing = infinite = 0
    nulls = column.null_count
    if not whole:
        missing, infinite = int(np.isnan(values).sum()), int(np.isinf(values).sum())
        values = values[np.isfinite(values)]
    if not values.size:
        return ColumnProfile(**{**vars(plain), "nulls": nulls + missing, "infinite": infinite})
    edges, counts = _bins(values)
    first, last = values[0].item(), values[-1].item()
    with np.errstate(all="ignore"):
        mean = _finite(float(values.mean(dtype="float64")))
        median = _finite(float(np.median(values)))
    return ColumnProfile(
        plain.name,
        plain.type,
        rows=plain.rows,
        nulls=nulls + missing,
        distinct=_limited(1 + int(np.count_nonzero(values[1:] != values[:-1]))),
        minimum=first,
        maximum=last,
        mean=mean,
        median=median,
        infinite=infinite,
        edges=edges,
        counts=counts,
        top=_few(values),
    )


def _few(values: Any) -> tuple[tuple[str, int], ...]:
    """Sorted numbers that have few different values (flags, grades) with their counts; empty for others."""
    import numpy as np

    starts = np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1])
    if starts.size > _TOP:
        return ()
    counts = np.diff(np.concatenate([starts, [values.size]]))
    pairs = [
        (_numeral(values[start].item()), int(count)) for start, count in zip(starts, counts, strict=True)
    ]
    return tuple(sorted(pairs, key=lambda pair: -pair[1]))


def _numeral(value: float) -> str:
    """``1`` for both 1 and 1.0: a column's type may change from one version to the next."""
    return str(int(value)) if abs(value) < _EXACT and value == int(value) else repr(value)


def _times(plain: ColumnProfile, column: Any) -> ColumnProfile:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    present = column.drop_null()
    if not len(present):
        return plain
    limits = pc.min_max(present)
    if pa.types.is_timestamp(column.type):
        ticks, seconds = present.cast(pa.int64()), _SECONDS[column.type.unit]
    else:
        ticks, seconds = present.cast(pa.date32()).cast(pa.int32()).cast(pa.int64()), 86400.0
    values = np.sort(ticks.to_numpy())
    edges, counts = _bins(values)
    return ColumnProfile(
        plain.name,
        plain.type,
        rows=plain.rows,
        nulls=plain.nulls,
        distinct=_limited(1 + int(np.count_nonzero(values[1:] != values[:-1]))),
        minimum=str(limits["min"].cast(pa.string())),
        maximum=str(limits["max"].cast(pa.string())),
        edges=tuple(edge * seconds for edge in edges),
        counts=counts,
    )


def _words(plain: ColumnProfile, column: Any) -> ColumnProfile:
    import pyarrow as pa
    import pyarrow.compute as pc

    present = column.drop_null()
    if str(present.type) == "string_view":
        present = present.cast(pa.large_string())
    found = pc.value_counts(present)
    values, counts = found.field("values"), found.field("counts")
    # equal counts in the order of the values, so that a profile does not depend on the order of the rows
    order = pc.sort_indices(
        pa.table({"count": counts, "value": values}),
        sort_keys=[("count", "descending"), ("value", "ascending")],
    )[:_TOP]
    top = tuple((_word(values[place.as_py()].as_py()), int(counts[place.as_py()].as_py())) for place in order)
    return ColumnProfile(
        plain.name,
        plain.type,
        rows=plain.rows,
        nulls=plain.nulls,
        distinct=_limited(len(values)),
        top=top,
        other=len(present) - sum(count for _, count in top),
    )


def _bins(values: Any) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """The edges of the quantiles of sorted values, each once, and how many values each bin has."""
    import numpy as np

    places = np.linspace(0, values.size - 1, QUANTILES + 1).round().astype(int)
    edges = np.unique(values[places])
    if edges.size == 1:
        return (float(edges[0]), float(edges[0])), (int(values.size),)
    borders = np.searchsorted(values, edges[1:-1], side="left")
    counts = np.diff(np.concatenate([[0], borders, [values.size]]))
    return tuple(float(edge) for edge in edges), tuple(int(count) for count in counts)


def _limited(distinct: int) -> int | None:
    return distinct if distinct <= _MOST_DISTINCT else None


def _word(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
