"""The columns of a table of any library, each as numbers, times and counted words: what profiles are made of.

numpy is needed, and beside it only the library of the table. Types are called as Arrow calls them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kfnb.capture.embedded.column import kfnb_Column
from kfnb.capture.embedded.objects import kfnb_of_objects


def kfnb_table_columns(table: Any) -> dict[str, Any]:  # noqa: PLR0911 - a return for each kind
    """The columns of a table by their names, as its library has them.

    A table is a DataFrame or Series of pandas or polars, an Arrow table, an array, a list of dicts or a dict of
    columns. Columns of an array are called ``0``, ``1``, ...; one column without a name is called ``values``. Raises
    ``TypeError`` for anything else and ``ValueError`` for two columns of one name.
    """
    library = type(table).__module__.partition(".")[0]
    if type(table).__name__ == "LazyFrame":
        raise TypeError("a LazyFrame is a query that has not run: pass its .collect()")
    if hasattr(table, "to_frame") and not hasattr(table, "columns"):  # a Series
        return {str(table.name) if table.name not in (None, "") else "values": table}
    if library == "pandas" and hasattr(table, "iloc"):
        if not table.columns.is_unique:
            return kfnb_by_name([(str(name), None) for name in table.columns])
        index = [name for name in table.index.names if name is not None]
        pairs = [(str(name), table.index.get_level_values(name).to_series()) for name in index]
        return kfnb_by_name([*pairs, *((str(name), table[name]) for name in table.columns)])
    if library == "polars" and hasattr(table, "get_columns"):
        return {column.name: column for column in table.get_columns()}
    if library == "pyarrow" and hasattr(table, "column_names"):
        return kfnb_by_name(list(zip(table.column_names, table.columns)))  # noqa: B905 - also Python 3.9
    if hasattr(table, "dtype") and hasattr(table, "ndim"):
        if table.dtype.names:
            return {name: table[name] for name in table.dtype.names}
        return (
            {str(place): table[:, place] for place in range(table.shape[1])}
            if table.ndim == 2  # noqa: PLR2004 - rows and columns
            else {"values": table.reshape(len(table), -1)[:, 0] if table.ndim == 1 else table}
        )
    if isinstance(table, dict):
        return {str(name): column for name, column in table.items()}
    if isinstance(table, (list, tuple)) and all(isinstance(row, dict) for row in table):
        names = dict.fromkeys(name for row in table for name in row)
        return kfnb_by_name([(str(name), [row.get(name) for row in table]) for name in names])
    raise TypeError(
        "a table is a DataFrame of pandas or polars, an Arrow table, a numpy array, a list of dicts or a dict of"
        f" columns, not {type(table).__name__}"
    )


def kfnb_by_name(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Columns by their names. Raises ``ValueError`` if two have the same one."""
    found: dict[str, Any] = {}
    for name, column in pairs:
        if name in found:
            raise ValueError(f"the table has two columns called {name!r}: rename one of them")
        found[name] = column
    return found


def kfnb_column_of(raw: Any) -> kfnb_Column:
    """The values of a column as its library has it."""
    library = type(raw).__module__.partition(".")[0]
    if library == "pyarrow":
        return kfnb_of_arrow(raw)
    if library == "pandas":
        return kfnb_of_pandas(raw)
    if library == "polars":
        return kfnb_of_polars(raw)
    if hasattr(raw, "dtype"):
        return kfnb_of_numpy(raw)
    return kfnb_of_objects(list(raw))


def kfnb_of_arrow(column: Any) -> kfnb_Column:
    """The values of a column of Arrow."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    column = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    kind, rows, present = column.type, len(column), column.drop_null()
    found = kfnb_Column(str(kind), rows, rows - len(present))
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_boolean)
    if any(one(inner) for one in texts) or str(inner) == "string_view":
        counted = pc.value_counts(present.cast(pa.large_string()))
        words = zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist())  # noqa: B905
        found.words = dict(words)
    elif pa.types.is_integer(kind):
        found.numbers = present.to_numpy()
    elif pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        found.numbers = present.cast(pa.float64()).to_numpy()
    elif pa.types.is_timestamp(kind):
        found.ticks, found.unit = present.cast(pa.int64()).to_numpy(), kind.unit
    elif pa.types.is_date(kind):
        found.ticks = present.cast(pa.date32()).cast(pa.int32()).to_numpy().astype(np.int64)
        found.unit = "D"
    else:
        found.others = len(present)
    return found


def kfnb_of_pandas(series: Any) -> kfnb_Column:
    """The values of a Series of pandas."""
    import numpy as np

    kind = type(series.dtype).__name__
    if kind == "CategoricalDtype":
        return kfnb_of_categories(series)
    if kind == "ArrowDtype" or getattr(series.dtype, "storage", "") == "pyarrow":
        import pyarrow as pa

        return kfnb_of_arrow(pa.array(series, from_pandas=True))
    if kind == "DatetimeTZDtype":
        found = kfnb_of_numpy(series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())
        found.kind = f"timestamp[{found.unit}, tz={series.dtype.tz}]"
        return found
    if isinstance(series.dtype, np.dtype):
        return kfnb_of_numpy(series.to_numpy())
    if hasattr(series.dtype, "numpy_dtype"):  # numbers and truth values with a mask
        present = series.dropna()
        found = kfnb_of_numpy(present.to_numpy(dtype=series.dtype.numpy_dtype))
        found.rows, found.nulls = len(series), len(series) - len(present)
        return found
    return kfnb_of_objects(series.astype(object).tolist())


def kfnb_of_categories(series: Any) -> kfnb_Column:
    """The values of a Series of categories."""
    import numpy as np

    codes = series.cat.codes.to_numpy()
    categories = series.cat.categories
    present = codes[codes >= 0]
    inner = kfnb_column_of(categories.to_series())
    if inner.numbers is not None or inner.ticks is not None:  # categories that are numbers or times
        found = kfnb_column_of(categories.to_series().iloc[present])
        found.rows, found.nulls = len(codes), len(codes) - len(present)
        return found
    counts = np.bincount(present, minlength=len(categories)).tolist()
    words = {str(value): count for value, count in zip(categories, counts) if count}  # noqa: B905
    return kfnb_Column("dictionary<values=string>", len(codes), len(codes) - len(present), words=words)


def kfnb_of_polars(series: Any) -> kfnb_Column:
    """The values of a Series of polars."""
    import polars as pl

    kind, present = series.dtype, series.drop_nulls()
    name = str(kind.base_type())
    found = kfnb_Column(name.lower(), len(series), len(series) - len(present))
    if kind.is_integer() or kind.is_float():
        found.kind = {"Float64": "double", "Float32": "float"}.get(name, name.lower())
        found.numbers = present.to_numpy()
    elif kind.is_decimal():
        found.numbers = present.cast(pl.Float64).to_numpy()
    elif name in ("String", "Categorical", "Enum", "Boolean"):
        found.kind = {"Boolean": "bool", "String": "string"}.get(name, "dictionary<values=string>")
        counted = present.cast(pl.String).value_counts()
        columns = counted.get_columns()
        found.words = dict(zip(columns[0].to_list(), columns[1].to_list()))  # noqa: B905
    elif name in ("Datetime", "Date"):
        found.ticks = present.to_physical().cast(pl.Int64).to_numpy()
        found.unit = "D" if name == "Date" else kind.time_unit
        zone = f", tz={kind.time_zone}" if getattr(kind, "time_zone", None) else ""
        found.kind = "date32[day]" if name == "Date" else f"timestamp[{kind.time_unit}{zone}]"
    elif name == "Object":
        return kfnb_of_objects(series.to_list())
    else:
        found.others = len(present)
    return found


def kfnb_of_numpy(array: Any) -> kfnb_Column:
    """The values of an array of one dimension; of another, rows that hold several."""
    import numpy as np

    array = np.asarray(array)
    kind, rows = array.dtype.kind, len(array)
    if array.ndim > 1 or kind in "cVm":
        return kfnb_Column(f"{array.dtype}[{' x '.join(map(str, array.shape[1:]))}]", rows, others=rows)
    if kind == "b":
        true = int(array.sum())
        words = {"true": true, "false": rows - true}
        return kfnb_Column("bool", rows, words={word: count for word, count in words.items() if count})
    if kind in "iuf":
        names = {"float64": "double", "float32": "float", "float16": "halffloat"}
        numbers = array.astype(array.dtype.newbyteorder("="), copy=False)
        return kfnb_Column(names.get(array.dtype.name, array.dtype.name), rows, numbers=numbers)
    if kind == "M":
        unit = np.datetime_data(array.dtype)[0]
        unit = unit if unit in ("D", "s", "ms", "us", "ns") else "s"
        present = array[~np.isnat(array)].astype(f"datetime64[{unit}]")
        name = "date32[day]" if unit == "D" else f"timestamp[{unit}]"
        return kfnb_Column(name, rows, rows - len(present), ticks=present.astype(np.int64), unit=unit)
    return kfnb_of_objects(array.tolist())
