"""Tables, arrays and lists as JSON, by column, that come back unchanged: the rows of ``sample.json``.

``{"kind": "pandas", "rows": 2, "columns": [{"name": "age", "type": "Int64", "values": [30, null]}, ...]}``. A missing value is
null, a time the number of its dtype's units since 1970 in UTC, a category its position in ``categories``.
"""

from __future__ import annotations

from typing import Any

from kfnb.capture.embedded.exact_values import kfnb_decode, kfnb_encode, kfnb_of_zone


def kfnb_spread(value: Any, most: int = 100) -> Any:
    """At most ``most`` rows of a table, an array or a list, evenly spread over it, without the table's index."""
    count = len(value)
    places = sorted({index * (count - 1) // max(most - 1, 1) for index in range(most)}) if count > most else range(count)
    return kfnb_take(value, list(places))


def kfnb_take(value: Any, places: list[int]) -> Any:
    """The rows of a table, an array or a list at ``places``."""
    if hasattr(value, "iloc"):
        return value.iloc[places].reset_index(drop=True)
    return [value[place] for place in places] if isinstance(value, list) else value[places]


def kfnb_write_table(value: Any) -> dict[str, Any]:
    """A DataFrame, Series, array or list as JSON. Raises ``TypeError`` if it would not come back unchanged."""
    kind, library = type(value).__name__, type(value).__module__.partition(".")[0]
    stored: dict[str, Any] = {"kind": f"{library}.{kind}", "rows": len(value)}
    if stored["kind"] == "pandas.DataFrame":
        columns = [value.iloc[:, place] for place in range(value.shape[1])]
        stored["columns"] = [kfnb_write_column(one) for one in columns]
    elif stored["kind"] == "pandas.Series":
        stored["columns"] = [kfnb_write_column(value)]
    elif stored["kind"] == "polars.DataFrame":
        stored["columns"] = [kfnb_write_polars_column(one) for one in value.get_columns()]
    elif stored["kind"] == "numpy.ndarray":
        stored.update(type=value.dtype.str, shape=list(value.shape), values=kfnb_array_values(value))
    elif stored["kind"] == "builtins.list":
        stored["values"] = kfnb_encode(value, lambda _: None, "rows")
    else:
        raise TypeError(f"a {stored['kind']} is not kept: give a DataFrame, an array or a list")
    back = kfnb_read_table(stored)
    if not kfnb_same_table(value, back):
        names = list(value.columns) if hasattr(value, "columns") else []
        lost = [name for name in names if not kfnb_same_table(value[name], back[name])]
        raise TypeError(f"{', '.join(map(str, lost)) or 'it'} would not come back as it is")
    return stored


def kfnb_read_table(stored: dict[str, Any]) -> Any:
    """What ``kfnb_write_table`` wrote."""
    if stored["kind"] == "builtins.list":
        return kfnb_decode(stored["values"], lambda _: None)
    if stored["kind"] == "numpy.ndarray":
        import numpy

        values = kfnb_decode(stored["values"], lambda _: None)
        kind = stored["type"]
        if kind == "|O":
            array = numpy.empty(len(values), object)
            array[:] = values
        else:
            array = numpy.array(values, "int64" if kind[1] in "Mm" else kind).astype(kind)
        return array.reshape(stored["shape"])
    if stored["kind"] == "polars.DataFrame":
        import polars

        return polars.DataFrame([kfnb_read_polars_column(one) for one in stored["columns"]])
    import pandas

    found = [kfnb_read_column(one) for one in stored["columns"]]
    names = [kfnb_decode(one["name"], lambda _: None) for one in stored["columns"]]
    if stored["kind"] == "pandas.Series":
        return found[0].rename(names[0])
    frame = pandas.DataFrame(dict(enumerate(found)), index=range(stored["rows"]))
    frame.columns = pandas.Index(names)
    return frame


def kfnb_array_values(value: Any) -> list[Any]:
    """The values of an array, as nested lists; of one of objects, in one list."""
    if value.dtype.kind in "Mm":
        return value.astype("int64").tolist()
    flat = value.ravel() if value.dtype.kind == "O" else value
    return kfnb_encode(flat.tolist(), lambda _: None, "rows")


def kfnb_write_column(series: Any) -> dict[str, Any]:
    """A column of pandas."""
    import pandas

    kind = series.dtype
    stored: dict[str, Any] = {"name": kfnb_encode(series.name, lambda _: None, "a name"), "type": str(kind)}
    if isinstance(kind, pandas.CategoricalDtype):
        stored["type"] = "category"
        stored["categories"] = kfnb_write_column(kind.categories.to_series(index=range(len(kind.categories))))
        stored["ordered"] = bool(kind.ordered)
        stored["values"] = [None if code < 0 else code for code in series.cat.codes.tolist()]
    elif kind.kind in "mM" and "arrow" not in stored["type"]:
        unit = stored["type"].partition("[")[2].partition(",")[0].rstrip("]")
        array = series.to_numpy(f"{'datetime' if kind.kind == 'M' else 'timedelta'}64[{unit}]")
        whole, lowest = array.view("int64").tolist(), -(2**63)
        stored["values"] = [None if item == lowest else item for item in whole]
    elif stored["type"] == "object":
        stored["values"] = [kfnb_encode(item, lambda _: None, str(series.name)) for item in series]
    else:
        items = [None if missing else item for item, missing in zip(series.tolist(), series.isna())]  # noqa: B905
        stored["values"] = [kfnb_encode(item, lambda _: None, str(series.name)) for item in items]
    return stored


def kfnb_read_column(stored: dict[str, Any]) -> Any:
    """The column of pandas that ``kfnb_write_column`` wrote."""
    import pandas

    kind, values = stored["type"], stored["values"]
    if kind == "category":
        categories = pandas.Index(kfnb_read_column(stored["categories"]))
        codes = [-1 if item is None else item for item in values]
        return pandas.Series(
            pandas.Categorical.from_codes(codes, dtype=pandas.CategoricalDtype(categories, stored["ordered"]))
        )
    if kind.startswith(("datetime64", "timedelta64")):
        unit, _, zone = kind.partition("[")[2].rstrip("]").partition(", ")
        whole = pandas.array([-(2**63) if item is None else item for item in values], "int64")
        series = pandas.Series(whole.to_numpy().view(f"{'M8' if kind[0] == 'd' else 'm8'}[{unit}]"))
        return series.dt.tz_localize("UTC").dt.tz_convert(kfnb_of_zone(zone)) if zone else series
    decoded = [kfnb_decode(item, lambda _: None) for item in values]
    return pandas.Series(decoded, dtype=kind)


def kfnb_write_polars_column(series: Any) -> dict[str, Any]:
    """A column of polars."""
    name = type(series.dtype).__name__
    stored: dict[str, Any] = {"name": series.name, "type": name}
    if name in ("Datetime", "Duration"):
        stored.update(unit=series.dtype.time_unit, zone=getattr(series.dtype, "time_zone", None))
        series = series.to_physical()
    elif name in ("Enum", "Categorical"):
        stored.update({"categories": list(series.dtype.categories)} if name == "Enum" else {})
        series = series.cast(str)
    stored["values"] = kfnb_encode(series.to_list(), lambda _: None, series.name)
    return stored


def kfnb_read_polars_column(stored: dict[str, Any]) -> Any:
    """The column of polars that ``kfnb_write_polars_column`` wrote."""
    import polars

    name, values = stored["type"], kfnb_decode(stored["values"], lambda _: None)
    if name == "Datetime":
        kind = polars.Datetime(stored["unit"], stored["zone"])
        return polars.Series(stored["name"], values, polars.Int64).cast(kind)
    if name == "Duration":
        return polars.Series(stored["name"], values, polars.Int64).cast(polars.Duration(stored["unit"]))
    kind = polars.Enum(stored["categories"]) if name == "Enum" else getattr(polars, name)
    return polars.Series(stored["name"], values, kind)


def kfnb_same_table(one: Any, two: Any) -> bool:
    """Whether two tables, arrays or lists are the same: values, types, names and order."""
    if type(one) is not type(two):
        return False
    if hasattr(one, "equals"):
        if hasattr(one, "dtypes") and hasattr(one, "columns"):
            same = list(one.columns) == list(two.columns) and list(one.dtypes) == list(two.dtypes)
            return same and bool(one.reset_index(drop=True).equals(two) if hasattr(one, "iloc") else one.equals(two))
        return bool(one.reset_index(drop=True).equals(two)) and one.dtype == two.dtype
    if hasattr(one, "dtype"):
        import numpy

        nan = one.dtype.kind in "fcmMO"
        return one.dtype == two.dtype and bool(numpy.array_equal(one, two, equal_nan=nan and one.dtype.kind != "O"))
    return repr(one) == repr(two)
