"""Tables, arrays and lists as JSON, by column, that come back unchanged: the rows of ``sample.json``.

``{"kind": "pandas.DataFrame", "rows": 2, "columns": [{"name": "age", "type": "Int64", "values": [30, null]}, ...]}``.
A missing value is null, a time the number of its dtype's units since 1970 in UTC, a category its position in
``categories``.
"""

from __future__ import annotations

from typing import Any

from kfnb.capture.embedded.exact_values import kfnb_decode, kfnb_encode, kfnb_of_zone


def kfnb_write_table(value: Any) -> dict[str, Any]:
    """A DataFrame, Series, array or list as JSON. Raises ``TypeError`` where it would not come back unchanged."""
    kind = f"{type(value).__module__.partition('.')[0]}.{type(value).__name__}"
    stored: dict[str, Any] = {"kind": kind, "rows": len(value)}
    if kind in ("pandas.DataFrame", "pandas.Series"):
        several = kind == "pandas.DataFrame"
        columns = [value.iloc[:, place] for place in range(value.shape[1])] if several else [value]
        stored["columns"] = [kfnb_write_column(one) for one in columns]
    elif kind == "polars.DataFrame":
        stored["columns"] = [kfnb_write_polars_column(one) for one in value.get_columns()]
    elif kind == "numpy.ndarray" and value.dtype.kind in "biufUMmO":
        times, objects = value.dtype.kind in "Mm", value.dtype.kind == "O"
        items = (value.astype("int64") if times else value.ravel() if objects else value).tolist()
        stored.update(type=value.dtype.str, shape=list(value.shape), values=kfnb_encode(items, "a value"))
    elif kind == "builtins.list":
        stored["values"] = kfnb_encode(value, "a value")
    else:
        raise TypeError(f"a {kind} is not kept: give a DataFrame, an array or a list")
    return stored


def kfnb_write_column(series: Any) -> dict[str, Any]:
    """A column of pandas."""
    import re

    kind, name = str(series.dtype), series.name
    stored: dict[str, Any] = {"name": kfnb_encode(name, "a name"), "type": kind}
    if kind == "category":
        categories = series.dtype.categories
        stored["categories"] = kfnb_write_column(categories.to_series(index=range(len(categories))))
        stored["ordered"] = bool(series.dtype.ordered)
        stored["values"] = [None if code < 0 else code for code in series.cat.codes.tolist()]
        return stored
    if re.match("(datetime|timedelta)64", kind):
        units = series.to_numpy(kind.partition(",")[0].rstrip("]") + "]").view("int64").tolist()
        stored["values"] = [None if item == -(2**63) else item for item in units]
        return stored
    exact = r"bool(ean)?|object|str(ing)?|U?[Ii]nt\d+|[Ff]loat(16|32|64)"
    if not re.fullmatch(exact + r"|uint\d+|(string|u?int\d+|float|double|bool)\[pyarrow\]", kind):
        raise TypeError(f"column {name} has the type {kind}, which is not kept")
    items = series.tolist()
    if kind != "object":
        items = [None if missing else item for item, missing in zip(items, series.isna())]  # noqa: B905 - Python 3.9
    stored["values"] = kfnb_encode(items, f"column {name}")
    return stored


def kfnb_write_polars_column(series: Any) -> dict[str, Any]:
    """A column of polars."""
    kind = type(series.dtype).__name__
    stored: dict[str, Any] = {"name": series.name, "type": kind}
    if kind == "Datetime":
        stored.update(unit=series.dtype.time_unit, zone=series.dtype.time_zone)
        series = series.to_physical()
    elif not kind.startswith(("Int", "UInt", "Float", "Bool", "Str", "Date", "Categorical")):
        raise TypeError(f"column {series.name} has the type {kind}, which is not kept")
    stored["values"] = kfnb_encode(series.to_list(), series.name)
    return stored


def kfnb_read_table(stored: dict[str, Any]) -> Any:
    """The DataFrame, Series, array or list of such JSON."""
    kind = stored["kind"]
    if kind == "builtins.list":
        return kfnb_decode(stored["values"])
    if kind == "numpy.ndarray":
        import numpy

        values, kind = kfnb_decode(stored["values"]), stored["type"]
        array = numpy.array(values, "int64" if kind[1] in "Mm" else kind) if kind != "|O" else None
        if array is None:  # what is a list in it stays one
            array = numpy.empty(len(values), object)
            array[:] = values
        return array.astype(kind).reshape(stored["shape"])
    if kind == "polars.DataFrame":
        import polars

        return polars.DataFrame([kfnb_read_polars_column(one) for one in stored["columns"]])
    import pandas

    found = [kfnb_read_column(one) for one in stored["columns"]]
    names = [kfnb_decode(one["name"]) for one in stored["columns"]]
    if kind == "pandas.Series":
        return found[0].rename(names[0])
    frame = pandas.DataFrame(dict(enumerate(found)), index=range(stored["rows"]))
    frame.columns = pandas.Index(names)
    return frame


def kfnb_read_column(stored: dict[str, Any]) -> Any:
    """A column of pandas, of its JSON."""
    import pandas

    kind, values = stored["type"], stored["values"]
    if kind == "category":
        categories = pandas.CategoricalDtype(
            pandas.Index(kfnb_read_column(stored["categories"])), stored["ordered"]
        )
        codes = [-1 if item is None else item for item in values]
        return pandas.Series(pandas.Categorical.from_codes(codes, dtype=categories))
    if kind.startswith(("datetime64", "timedelta64")):
        import numpy

        unit, _, zone = kind.rstrip("]").partition(", ")
        whole = numpy.array([-(2**63) if item is None else item for item in values], "int64")
        series = pandas.Series(whole.view(f"{unit.rstrip(']')}]"))
        return series.dt.tz_localize("UTC").dt.tz_convert(kfnb_of_zone(zone)) if zone else series
    return pandas.Series(kfnb_decode(values), dtype=kind)


def kfnb_read_polars_column(stored: dict[str, Any]) -> Any:
    """A column of polars, of its JSON."""
    import polars

    name, values = stored["name"], kfnb_decode(stored["values"])
    if stored["type"] == "Datetime":
        return polars.Series(name, values, polars.Int64).cast(polars.Datetime(stored["unit"], stored["zone"]))
    return polars.Series(name, values, getattr(polars, stored["type"]))
