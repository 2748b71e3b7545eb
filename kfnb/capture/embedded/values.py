"""How a step loads and saves values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def kfnb_load(artifact: Any, classes: Mapping[str, Any]) -> Any:
    """Read the value of an artifact; ``classes`` are the notebook's classes in this step, by name."""
    import json
    from pkgutil import resolve_name

    if artifact is None:
        return None
    path = artifact.path
    # a file from elsewhere: the format is that of its name
    form = artifact.metadata.get("format") or artifact.uri.rpartition(".")[2].lower()
    if form == "cloudpickle":
        return kfnb_unpickle(path, classes)
    if form == "json":
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    readers = {
        "parquet": "pandas.read_parquet",
        "series-parquet": "pandas.read_parquet",
        "csv": "pandas.read_csv",
        "polars-parquet": "polars.read_parquet",
        "arrow-parquet": "pyarrow.parquet.read_table",
        "npy": "numpy.load",
        "skops": "skops.io.load",
    }
    if form not in readers:
        raise ValueError(f"{artifact.uri} has an unknown format; give a .parquet, .csv, .npy or .json file")
    value = resolve_name(readers[form])(path)
    return value.iloc[:, 0].rename(value.columns[0] or None) if form == "series-parquet" else value


def kfnb_save(
    value: Any, artifact: Any, classes: Mapping[str, Any], write: Callable[..., str] | None = None
) -> None:
    """Write a value to an artifact with ``write`` if that preserves the value; else as a pickle."""
    try:
        form = write(value, artifact.path) if write else ""
    except Exception:
        form = ""  # the format cannot hold it, or its library is not here
    form = form or kfnb_pickle(value, artifact.path, classes)
    kind = type(value)
    artifact.metadata.update(format=form, python_type=f"{kind.__module__}.{kind.__name__}")
    if hasattr(value, "shape"):
        artifact.metadata["shape"] = " x ".join(map(str, value.shape))


def kfnb_write_pandas(value: Any, path: str) -> str:
    """Write a pandas DataFrame or Series as Parquet; return the format, empty where Parquet cannot hold the value."""
    import pandas

    def like(axis: Any) -> Any:
        return type(axis), list(axis.names), getattr(axis, "freq", None)

    def simple(frame: Any) -> bool:
        objects = [name for name in frame.columns if str(frame[name].dtype) == "object"]
        return all(type(item) in (str, bool, type(None)) for name in objects for item in frame[name])

    def same(one: Any, two: Any) -> bool:
        same_axes = one.columns.equals(two.columns) and one.index.equals(two.index)
        same_kinds = like(one.index) == like(two.index) and like(one.columns) == like(two.columns)
        same_types = list(one.dtypes) == list(two.dtypes) and simple(one) and simple(two)
        return same_axes and same_kinds and same_types and bool(one.equals(two)) and not one.attrs

    form, frame = "parquet", value
    if type(value) is pandas.Series and (value.name is None or type(value.name) is str):
        form, frame = "series-parquet", value.to_frame("" if value.name is None else value.name)
    if type(frame) is not pandas.DataFrame:
        return ""
    frame.to_parquet(path, engine="pyarrow")
    return form if same(frame, pandas.read_parquet(path, engine="pyarrow")) else ""


def kfnb_write_polars(value: Any, path: str) -> str:
    """Write a polars DataFrame as Parquet."""
    import polars

    if type(value) is not polars.DataFrame:
        return ""
    value.write_parquet(path)
    return "polars-parquet" if polars.read_parquet(path).equals(value) else ""


def kfnb_write_arrow(value: Any, path: str) -> str:
    """Write an Arrow table as Parquet."""
    import pyarrow.parquet

    if type(value) is not pyarrow.Table:
        return ""
    pyarrow.parquet.write_table(value, path)
    return "arrow-parquet" if pyarrow.parquet.read_table(path).equals(value) else ""


def kfnb_write_array(value: Any, path: str) -> str:
    """Write a numpy array in numpy's format."""
    import numpy

    if type(value) is not numpy.ndarray:
        return ""
    with open(path, "wb") as file:
        numpy.save(file, value, allow_pickle=False)
    return "npy"


def kfnb_write_estimator(value: Any, path: str) -> str:
    """Write a scikit-learn estimator with skops."""
    import skops.io
    from sklearn.base import BaseEstimator

    if not isinstance(value, BaseEstimator):
        return ""
    with open(path, "wb") as file:
        file.write(skops.io.dumps(value))
    # a file with types that skops does not trust is as unsafe as a pickle
    return "" if skops.io.get_untrusted_types(file=path) else "skops"


def kfnb_write_json(value: Any, path: str) -> str:
    """Write lists, dicts, texts, integers and None as JSON."""
    import json

    def same(one: Any, two: Any) -> bool:
        if type(one) is not type(two):
            return False
        if type(one) is list:
            return len(one) == len(two) and all(map(same, one, two))
        if type(one) is dict:
            return list(one) == list(two) and all(same(one[key], two[key]) for key in one)
        return bool(one == two)

    def containers(value: Any) -> list[int]:
        """The ids of all lists and dicts in a value: an id that occurs twice is a shared object, which JSON copies."""
        if type(value) not in (list, dict):
            return []
        parts = value.values() if type(value) is dict else value
        return [id(value), *(one for part in parts for one in containers(part))]

    if type(value) not in (dict, list, str, int, type(None)):
        return ""
    text = json.dumps(value, allow_nan=False)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    found = containers(value)
    return "json" if same(value, json.loads(text)) and len(set(found)) == len(found) else ""


def kfnb_pickle(value: Any, path: str, classes: Mapping[str, Any]) -> str:
    """Write a pickle with the notebook's classes and functions by name, and by value for a step without them.

    So an instance has, in the next step, that step's own class. ``classes`` are those of this step, with its functions.
    """
    import io
    import sys
    from types import FunctionType

    import cloudpickle

    # definitions of this file are in no other step: they are pickled by value
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    by_class = {known: name for name, known in classes.items() if isinstance(known, type | FunctionType)}
    done: dict[Any, bytes] = {}

    def dumps(value: Any, busy: tuple[Any, ...] = ()) -> bytes:
        class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
            def persistent_id(self, item: Any) -> Any:
                if not isinstance(item, type | FunctionType) or item in busy:
                    return None
                name = by_class.get(item) or vars(item).get("__kfnb_name__")
                if name is None:
                    return None
                if item not in done:
                    done[item] = dumps(item, (*busy, item))
                return name, done[item]

        file = io.BytesIO()
        Pickler(file).dump(value)
        return file.getvalue()

    with open(path, "wb") as file:
        file.write(dumps(value))
    return "cloudpickle"


def kfnb_unpickle(path: str, classes: Mapping[str, Any]) -> Any:
    """Read what ``kfnb_pickle`` wrote, with this step's own ``classes`` where it has them."""
    import io
    import pickle
    import sys

    main = sys.modules["__main__"]
    loaded: dict[str, Any] = dict(classes)

    def loads(data: bytes) -> Any:
        class Unpickler(pickle.Unpickler):
            def persistent_load(self, known: Any) -> Any:
                name, by_value = known
                if name not in loaded:
                    loaded[name] = loads(by_value)
                    loaded[name].__kfnb_name__ = name
                    # plain pickle refers to it by name, so it must be found there, as in the notebook
                    vars(main).setdefault(name, loaded[name])
                return loaded[name]

        return Unpickler(io.BytesIO(data)).load()

    with open(path, "rb") as file:
        return loads(file.read())


def kfnb_value(value: Any, kind: type, name: str) -> Any:
    """Check an output that is a parameter against the type that it had when the cell ran in the notebook."""
    import json

    def kept(value: Any) -> bool:
        if type(value) is list:
            return all(map(kept, value))
        if type(value) is dict:
            return all(type(key) is str and kept(item) for key, item in value.items())
        if type(value) is int:
            return abs(value) <= 2**53
        return type(value) in (str, bool, type(None)) or (type(value) is float and value - value == 0.0)

    value = value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value
    value = list(value) if kind is list and isinstance(value, list) else value
    value = float(value) if kind is float and type(value) is int else value
    if type(value) is not kind:
        raise TypeError(
            f"{name} was {kind.__name__} when its cell ran in the notebook, and is {value!r} here"
        )
    if not kept(value):
        raise ValueError(
            f"{name} is {str(value)[:200]}: a KFP parameter holds JSON values with finite numbers only"
        )
    if len(json.dumps(value)) > 10**6:
        raise ValueError(f"{name} is too long for a KFP parameter: make it an array, a table or a file")
    return value


def kfnb_floats(value: Any, *, where: Any = True) -> Any:
    """Restore the floats of a list or dict that KFP may have written as integers.

    ``where`` they are: True is everywhere; a dict gives it by keys or indices, ``"*"`` for all of them.
    """
    if not where:
        return value

    def inside(key: Any) -> Any:
        return where if where is True else where.get("*", where.get(key))

    if isinstance(value, list):
        return [kfnb_floats(item, where=inside(place)) for place, item in enumerate(value)]
    if isinstance(value, dict):
        return {key: kfnb_floats(item, where=inside(key)) for key, item in value.items()}
    return float(value) if where is True and type(value) is int else value
