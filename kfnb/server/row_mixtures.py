"""Rows whose values come from a row and from others, whatever the rows are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def places_of(sample: Any, count: int, row: Any) -> Any:
    """``row``, and below it ``count`` rows of a sample, evenly spread over it."""
    most = min(count, len(sample))
    places = sorted({index * (len(sample) - 1) // max(most - 1, 1) for index in range(most)})
    if hasattr(sample, "iloc"):
        import pandas as pd

        return pd.concat([row, sample.iloc[places]], ignore_index=True)
    if isinstance(sample, list):
        return [*row, *(sample[place] for place in places)]
    if hasattr(sample, "vstack"):
        return row.vstack(sample[places])
    import numpy as np

    return np.concatenate([row, sample[places]])


def mixed(pool: Any, masks: Any, which: Any) -> Any:
    """A row for each mask: where that is true the value of the pool's first row, elsewhere of the row ``which + 1``."""
    import numpy as np

    places = np.where(masks, 0, which[:, None] + 1)
    if isinstance(pool, list):
        return [pool[place] for place in places[:, 0]]
    if hasattr(pool, "iloc"):
        return _mixed_pandas(pool, places)
    if hasattr(pool, "vstack"):
        import polars as pl

        return pl.DataFrame([pool[name].gather(places[:, at]) for at, name in enumerate(pool.columns)])
    return pool[places[:, 0]] if pool.ndim == 1 else pool[places, np.arange(pool.shape[1])]


def _mixed_pandas(pool: Any, places: Any) -> Any:
    import numpy as np
    import pandas as pd

    if not hasattr(pool, "columns"):
        return pool.iloc[places[:, 0]].reset_index(drop=True)
    if len(set(pool.dtypes)) == 1 and isinstance(pool.dtypes.iloc[0], np.dtype):
        values = pool.to_numpy()[places, np.arange(pool.shape[1])]
        return pd.DataFrame(values, columns=pool.columns)
    columns = {at: pool.iloc[:, at].array.take(places[:, at]) for at in range(pool.shape[1])}
    frame = pd.DataFrame(columns)
    frame.columns = pool.columns
    return frame


def with_texts(row: Any, name: str, texts: Sequence[str]) -> Any:
    """A row once for each text, with that in the column ``name``."""
    if isinstance(row, list):
        return list(texts)
    if hasattr(row, "iloc"):
        import pandas as pd

        if not hasattr(row, "columns"):
            return pd.Series(texts, dtype=row.dtype, name=row.name)
        frame = row.iloc[[0] * len(texts)].reset_index(drop=True)
        return frame.assign(**{name: pd.array(texts, dtype=row[name].dtype)})
    import polars as pl

    return row[[0] * len(texts)].with_columns(pl.Series(name, texts))


def shuffled(rows: Any, place: int, order: Any) -> Any:
    """A copy of rows in which the values of one column have another order."""
    import numpy as np

    places = np.repeat(np.arange(len(rows))[:, None], rows.shape[1], axis=1)
    places[:, place] = order
    if hasattr(rows, "iloc"):
        return _mixed_pandas(rows, places)
    if hasattr(rows, "vstack"):
        import polars as pl

        return pl.DataFrame([rows[name].gather(places[:, at]) for at, name in enumerate(rows.columns)])
    return rows[places, np.arange(rows.shape[1])]
