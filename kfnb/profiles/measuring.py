"""The profile of a table or an array."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kfnb.capture.embedded.columns import kfnb_of_arrow, kfnb_of_numpy
from kfnb.capture.embedded.profiles import kfnb_measure, kfnb_profile
from kfnb.entities.profile import ColumnProfile, TableProfile
from kfnb.errors import UsageError
from kfnb.profiles.parquet import parquet_files, profile_parquet

_MOST_COLUMNS = 1000
"""Columns of a data version that are measured; of further ones, the type and the nulls are kept."""


def profile_of(value: Any, *, data: str = "", transform: str = "") -> TableProfile:
    """The profile of a table, or of the path of a Parquet file or of a folder of such files.

    ``data`` and ``transform`` are the digests of the data version and of the transform that made the table. Raises
    ``UsageError`` for what is not a table.
    """
    try:
        if isinstance(value, str | Path):
            return profile_parquet(parquet_files(Path(value)), data=data, transform=transform)
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
