"""The profile of a table, of an array, and of Parquet files that may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kfnb.capture.embedded.columns import kfnb_of_arrow, kfnb_of_numpy
from kfnb.capture.embedded.counting import kfnb_Counter
from kfnb.capture.embedded.profiles import kfnb_measure, kfnb_profile
from kfnb.entities.profile import ColumnProfile, TableProfile
from kfnb.errors import UsageError

_MOST_COLUMNS = 1000
"""Columns of a data version that are measured; of further ones, the type and the nulls are kept."""
_SAMPLE = 2**20
"""Rows of which the bins of Parquet files are made; all rows are counted into them."""
_BATCH = 2**16


def profile_of(value: Any, *, data: str = "", transform: str = "") -> TableProfile:
    """The profile of a table, or of the path of a Parquet file or of a folder of such files.

    ``data`` and ``transform`` are the digests of the data version and of the transform that made the table. Raises
    ``UsageError`` for what is not a table.
    """
    try:
        if isinstance(value, str | Path):
            return _profile_files(_parquet_files(Path(value)), data, transform)
        return TableProfile.from_json(kfnb_profile(value, data, transform))
    except (TypeError, ValueError) as error:
        raise UsageError(f"cannot make a profile: {error}") from None


def profile_table(table: Any, prefix: str = "") -> tuple[ColumnProfile, ...]:
    """The profiles of the columns of a ``pyarrow.Table``, whose names begin with ``prefix``."""
    pairs = zip(table.column_names, table.columns, strict=True)
    return tuple(
        ColumnProfile.from_json(kfnb_measure(f"{prefix}{name}", kfnb_of_arrow(column)))
        if place < _MOST_COLUMNS
        else ColumnProfile(f"{prefix}{name}", str(column.type), rows=len(column), nulls=column.null_count)
        for place, (name, column) in enumerate(pairs)
    )


def profile_array(array: Any, name: str = "values") -> tuple[ColumnProfile, ...]:
    """The profile of a numpy array's values: one column, whatever its shape."""
    import numpy as np

    kind = f"{array.dtype}[{' x '.join(map(str, array.shape))}]"
    flat = np.asarray(array).reshape(-1)
    if flat.dtype.kind not in "iufb":
        known = flat.dtype.kind in "SU"  # texts; of others, a value may stand for a missing one
        return (ColumnProfile(name, kind, rows=flat.size, nulls=0 if known else None),)
    found = kfnb_measure(name, kfnb_of_numpy(flat))
    return (ColumnProfile.from_json({**found, "type": kind}),)


def _parquet_files(path: Path) -> list[Path]:
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not files or not all(file.is_file() and file.suffix == ".parquet" for file in files):
        raise ValueError(f"{path} is neither a Parquet file nor a folder of Parquet files")
    return files


def _profile_files(files: Sequence[Path], data: str, transform: str) -> TableProfile:
    """Two passes, so that memory is bounded: bins are made of a sample, and all rows are counted into them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = sum(pq.ParquetFile(file).metadata.num_rows for file in files)
    every = max(1, -(-rows // _SAMPLE))
    sample = pa.concat_tables([_thinned(batch, every) for batch in _batches(files)])
    reference = kfnb_profile(sample, data, transform)
    if every == 1:
        return TableProfile.from_json(reference)
    counter = kfnb_Counter(reference)
    for batch in _batches(files):
        counter.add(batch)
    pairs = zip(reference["columns"], counter.profile()["columns"], strict=False)
    columns = tuple(
        _closed(ColumnProfile.from_json({**old, **new, "type": old["type"]})) for old, new in pairs
    )
    return TableProfile(columns, rows, data, transform)


def _batches(files: Sequence[Path]) -> Iterator[Any]:
    import pyarrow.parquet as pq

    for file in files:
        yield from pq.ParquetFile(file).iter_batches(_BATCH)


def _thinned(batch: Any, every: int) -> Any:
    """Every so many-th row of a batch, as a table."""
    import numpy as np
    import pyarrow as pa

    table = pa.Table.from_batches([batch])
    return table if every == 1 else table.take(np.arange(0, len(table), every))


def _closed(column: ColumnProfile) -> ColumnProfile:
    """A column that was counted into the bins of its own sample: what was beyond them is in the first and the last."""
    from dataclasses import replace

    edges, counts = list(column.edges), list(column.counts)
    if counts:
        counts[0] += column.below
        counts[-1] += column.above
        if isinstance(column.minimum, int | float) and isinstance(column.maximum, int | float):
            edges[0], edges[-1] = min(edges[0], column.minimum), max(edges[-1], column.maximum)
    top = sorted([*column.top, *column.unseen], key=lambda pair: (-pair[1], pair[0]))
    return replace(
        column,
        edges=tuple(edges),
        counts=tuple(counts),
        below=0,
        above=0,
        top=tuple(top),
        other=column.other - sum(count for _, count in column.unseen),
        unseen=(),
        distinct=None if column.distinct is None or column.unseen else column.distinct,
    )
