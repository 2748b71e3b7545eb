"""The rows of two versions, compared by a key."""

from __future__ import annotations

from typing import Any

from kfnb.errors import UsageError
from kfnb.extras import require
from kfnb.resources.datasets.exact import same_cell
from kfnb.resources.datasets.model import RowChanges


def compared_rows(before: Any, after: Any, key: str, names: tuple[str, str]) -> RowChanges:
    """Compare the rows of two Arrow tables. The column ``key`` identifies a row.

    ``names`` are those of the versions. Raises ``UsageError`` if a table has no such column, or a value in it twice.
    """
    require("pandas", "comparing rows")
    import numpy as np

    old, new = (_by_key(table, key, name) for table, name in zip((before, after), names, strict=True))
    kept = old.index.intersection(new.index)
    old_kept, new_kept = old.loc[kept], new.loc[kept]
    both = [name for name in old.columns if name in new.columns]
    differs = {name: _differs(old_kept[name], new_kept[name]) for name in both}
    changed = sum(differs.values(), start=np.zeros(len(kept), dtype=bool)).astype(bool)
    counts = sorted(((name, int(one.sum())) for name, one in differs.items()), key=lambda pair: -pair[1])
    return RowChanges(
        key,
        added=len(new.index.difference(old.index)),
        removed=len(old.index.difference(new.index)),
        changed=int(changed.sum()),
        unchanged=int((~changed).sum()),
        columns=tuple((name, count) for name, count in counts if count),
    )


def _by_key(table: Any, key: str, name: str) -> Any:
    import pyarrow as pa

    frame = table.to_pandas()
    if key in frame.index.names:
        frame = frame.reset_index()
    if key not in frame.columns:
        known = ", ".join(map(str, frame.columns[:10]))
        raise UsageError(f"{name} has no column {key}; its columns are {known}", ref=key)
    if key in table.column_names and pa.types.is_nested(table.schema.field(key).type):
        raise UsageError(
            f"{key} is not a key of {name}: it holds {table.schema.field(key).type}",
            hint="use a column of numbers, texts or times",
            ref=key,
        )
    twice = frame[key][frame[key].duplicated()]
    if len(twice):
        [value] = twice.head(1).tolist()  # a value of Python, not of numpy
        raise UsageError(f"{key} is not a key of {name}: {value!r} is in several rows", ref=key)
    return frame.set_index(key)


def _differs(before: Any, after: Any) -> Any:
    """For each row, whether two columns differ; two missing values are the same. An array of truth values."""
    import numpy as np

    missing = before.isna().to_numpy() & after.isna().to_numpy()
    pairs = zip(before.astype(object), after.astype(object), strict=True)
    return np.array([not _same(one, other) for one, other in pairs], dtype=bool) & ~missing


def _same(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except (TypeError, ValueError):  # arrays in the cells
        return same_cell(one, other)
