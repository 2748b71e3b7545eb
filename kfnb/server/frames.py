"""Columns that were read become what the model takes: a DataFrame, a Series, or a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from kfnb.server.column_reader import InputRows, Numbers, Part
from kfnb.server.columns import Family, InputColumn

_NAT = -(2**63)


class Frames:
    """Makes DataFrames of pandas; ``labels`` are the names of all columns, as the sample has them."""

    def __init__(self, columns: Sequence[InputColumn], parts: Sequence[Part], labels: Any = None) -> None:
        import pandas as pd

        self._columns, self._parts = columns, parts
        self._labels = pd.Index([one.name for one in columns]) if labels is None else labels

    def __call__(self, batch: Sequence[InputRows]) -> Any:
        """The rows of several requests, in their order."""
        import pandas as pd

        parts = joined(self._parts, batch)
        if len(parts) == 1 and isinstance(self._parts[0], Numbers):
            return pd.DataFrame(parts[0].T, columns=self._labels, copy=False)
        arrays: dict[str, Any] = {}
        for part, values in zip(self._parts, parts, strict=True):
            if isinstance(part, Numbers):
                arrays.update(zip([one.name for one in part.columns], values, strict=True))
            else:
                arrays[part.column.name] = array_of(part.column, values)
        frame = pd.DataFrame({one.name: arrays[one.name] for one in self._columns}, copy=False)
        frame.columns = self._labels
        return frame


class PolarsFrames:
    """Makes DataFrames of polars."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts

    def __call__(self, batch: Sequence[InputRows]) -> Any:
        """The rows of several requests, in their order."""
        import polars as pl

        found = []
        for part, values in zip(self._parts, joined(self._parts, batch), strict=True):
            (column,) = part.columns
            counted = column.family in (Family.TIME, Family.SPAN)
            series = pl.Series(column.name, values, pl.Int64 if counted else column.dtype)
            found.append(series.cast(column.dtype))
        return pl.DataFrame(found)


def first_column(
    frames: Callable[[Sequence[InputRows]], Any], label: Any
) -> Callable[[Sequence[InputRows]], Any]:
    """Make Series of frames with one column."""

    def series(batch: Sequence[InputRows]) -> Any:
        return frames(batch).iloc[:, 0].rename(label)

    return series


def plain_list(batch: Sequence[InputRows]) -> list[Any]:
    """The values of one column as a list."""
    return [value for rows in batch for value in rows.parts[0]]


def joined(parts: Sequence[Part], batch: Sequence[InputRows]) -> list[Any]:
    """The values of each part over several requests."""
    if len(batch) == 1:
        return list(batch[0].parts)
    import numpy as np

    columns = zip(*(rows.parts for rows in batch), strict=True)
    return [
        np.concatenate(values, axis=1) if isinstance(part, Numbers) else list(chain.from_iterable(values))
        for part, values in zip(parts, columns, strict=True)
    ]


def array_of(column: InputColumn, values: Sequence[Any]) -> Any:
    """The values of a column in an array of its dtype."""
    import pandas as pd

    if column.family is Family.CATEGORY:
        dtype = (
            column.dtype if hasattr(column.dtype, "categories") else pd.CategoricalDtype(column.categories)
        )
        places = {value: place for place, value in enumerate(column.categories)}
        return pd.Categorical.from_codes([places.get(one, -1) for one in values], dtype=dtype)
    if column.family in (Family.TIME, Family.SPAN):
        return _times(column, values)
    if column.dtype is None or column.type == "object":
        return _objects(column, values)
    return pd.array(values, dtype=column.dtype)


def _times(column: InputColumn, values: Sequence[Any]) -> Any:
    import numpy as np
    import pandas as pd

    units = np.array([_NAT if one is None else one for one in values], "int64")
    array = units.view(f"{'datetime64' if column.family is Family.TIME else 'timedelta64'}[{column.unit}]")
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return pd.DatetimeIndex(array).tz_localize("UTC").tz_convert(column.dtype.tz)
    if isinstance(column.dtype, np.dtype):
        return array
    zoned = pd.Series(array).dt.tz_localize("UTC") if column.zoned else array  # pyarrow's times
    return pd.array(zoned, dtype=column.dtype)


def _objects(column: InputColumn, values: Sequence[Any]) -> Any:
    """An array of objects; of numbers where nothing is known of the column and that is what there is."""
    import numpy as np

    if not column.type and {type(one) for one in values} <= {int, float, bool, type(None)}:
        return np.array(values, "float64" if None in values else None)
    array = np.empty(len(values), object)
    array[:] = values
    return array
