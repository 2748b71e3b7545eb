"""The state of a transform as files: ``state.json``, with tables, arrays and estimators in their own formats beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kfnb.capture.embedded.exact_tables import (
    kfnb_read_column,
    kfnb_read_table,
    kfnb_same_table,
    kfnb_write_column,
    kfnb_write_table,
)
from kfnb.capture.embedded.exact_values import kfnb_decode, kfnb_encode
from kfnb.capture.embedded.models import kfnb_model_format, kfnb_read_model, kfnb_write_model
from kfnb.capture.embedded.values import (
    kfnb_load,
    kfnb_write_array,
    kfnb_write_arrow,
    kfnb_write_pandas,
    kfnb_write_polars,
)


def kfnb_write_state(state: Any, folder: str, trust: Sequence[str] = (), *, pickle: bool = False) -> set[str]:
    """Write a state into a new folder; the packages that are needed to read it.

    Raises ``TypeError`` for a part without a safe format, unless ``pickle`` allows a pickle.
    """
    import json
    import os

    os.makedirs(folder)
    count = 0
    packages: set[str] = set()

    def put(value: Any) -> Any:
        nonlocal count
        packages.add(type(value).__module__.partition(".")[0])
        inline = kfnb_put_inline(value)
        if inline is not None:
            return inline
        count += 1
        path = os.path.join(folder, str(count))
        form = kfnb_put_table(value, path)
        if not form and kfnb_model_format(value) in ("skops", "xgboost", "lightgbm"):
            packages.update(kfnb_write_model(value, path, trust=trust)["packages"])
            form = "model"
        if not form and pickle:
            import cloudpickle

            with open(path, "wb") as target:
                target.write(cloudpickle.dumps(value))
            form = "pickle"
        packages.update(["pyarrow"] if form.endswith("parquet") else ["cloudpickle"] if form == "pickle" else [])
        trusted = {"trust": sorted(trust)} if form == "model" else {}
        return {"$": "file", "format": form, "file": str(count), **trusted} if form else None

    text = json.dumps(kfnb_encode(state, put), indent=1, allow_nan=False)
    with open(os.path.join(folder, "state.json"), "w", encoding="utf-8") as file:
        file.write(text)
    return packages | ({"numpy"} if '"$": "numpy"' in text else set())


def kfnb_put_table(value: Any, path: str) -> str:
    """Write a table or an array into a file; its format, empty for any other value, and where it would not come back."""
    import os

    writers = {
        "pandas.DataFrame": kfnb_write_pandas,
        "pandas.Series": kfnb_write_pandas,
        "polars.DataFrame": kfnb_write_polars,
        "pyarrow.Table": kfnb_write_arrow,
        "numpy.ndarray": kfnb_write_array,
    }
    write = writers.get(f"{type(value).__module__.partition('.')[0]}.{type(value).__name__}")
    try:
        form = write(value, path) if write else ""
    except ImportError:
        raise
    except Exception:  # whatever its library raises of a value that its format does not hold
        form = ""
    if not form and os.path.exists(path):
        os.remove(path)
    return form


def kfnb_put_inline(value: Any) -> Any:
    """Categories, an index or an array of texts within the JSON; None for any other value."""
    root, name = type(value).__module__.partition(".")[0], type(value).__name__
    if root == "numpy" and name == "ndarray" and value.dtype.kind == "O":
        return {"$": "file", "format": "objects", "table": kfnb_write_table(value)}
    if root != "pandas" or name in ("DataFrame", "Series", "MultiIndex"):
        return None
    import pandas

    if name == "CategoricalDtype":
        column = pandas.Series(value.categories)
    elif isinstance(value, (pandas.Index, pandas.api.extensions.ExtensionArray)):
        column = pandas.Series(value)
    else:
        return None
    stored = kfnb_write_column(column)
    if not kfnb_same_table(column, kfnb_read_column(stored)):
        return None
    form = {"CategoricalDtype": "categories"}.get(name) or ("index" if hasattr(value, "get_loc") else "array")
    labels = {"ordered": bool(value.ordered)} if form == "categories" else {"label": getattr(value, "name", None)}
    return {"$": "file", "format": form, "column": stored, **labels}


def kfnb_get_inline(stored: dict[str, Any]) -> Any:
    """What ``kfnb_put_inline`` wrote."""
    import pandas

    form = stored["format"]
    if form == "objects":
        return kfnb_read_table(stored["table"])
    column = kfnb_read_column(stored["column"])
    if form == "categories":
        return pandas.CategoricalDtype(pandas.Index(column), stored["ordered"])
    return pandas.Index(column, name=stored["label"]) if form == "index" else column.array


def kfnb_read_state(folder: str, *, pickle: bool = False) -> Any:
    """The state that ``kfnb_write_state`` wrote; a pickle in it is read only with ``pickle``."""
    import json
    import os
    from types import SimpleNamespace

    def get(stored: Any) -> Any:
        form = stored["format"]
        if "file" not in stored:
            return kfnb_get_inline(stored)
        path = os.path.join(folder, os.path.basename(stored["file"]))
        if form == "model":
            return kfnb_read_model(path, trust=stored["trust"])
        if form != "pickle":
            return kfnb_load(SimpleNamespace(path=path, metadata={"format": form}, uri=path), {})
        if not pickle:
            raise TypeError("the state of the transform has a pickle, which executes code when it is loaded")
        import cloudpickle

        with open(path, "rb") as file:
            return cloudpickle.load(file)

    with open(os.path.join(folder, "state.json"), encoding="utf-8") as file:
        return kfnb_decode(json.load(file), get)
