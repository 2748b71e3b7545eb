"""The profile of Parquet files that may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kfnb.capture.embedded.counting import kfnb_Counter
from kfnb.capture.embedded.profiles import kfnb_profile
from kfnb.entities.profile import ColumnProfile, TableProfile
from kfnb.extras import require

_SAMPLE = 2**20
"""Rows of which the bins are made."""
_BATCH = 2**16


def parquet_files(path: Path) -> list[Path]:
    """The Parquet files of a path, which is one or a folder of them. Raises ``ValueError`` for another path."""
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not files or not all(file.is_file() and file.suffix == ".parquet" for file in files):
        raise ValueError(f"{path} is neither a Parquet file nor a folder of Parquet files")
    return files


def profile_parquet(files: Sequence[Path], *, data: str = "", transform: str = "") -> TableProfile:
    """The profile of Parquet files with the same columns. Of more than a million rows, bins are made of a sample.

    All rows are counted into them, in a second pass, so that memory is bounded.
    """
    require("pyarrow", "profiling a Parquet file")
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
    require("pyarrow", "profiling a Parquet file")
    import pyarrow.parquet as pq

    for file in files:
        yield from pq.ParquetFile(file).iter_batches(_BATCH)


def _thinned(batch: Any, every: int) -> Any:
    """Every n-th row of a batch, as a table."""
    require("pyarrow", "profiling a Parquet file")
    import numpy as np
    import pyarrow as pa

    table = pa.Table.from_batches([batch])
    return table if every == 1 else table.take(np.arange(0, len(table), every))


def _closed(column: ColumnProfile) -> ColumnProfile:
    """A column that was counted into the bins of a sample of it: what was beyond them is in the first and the last."""
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
