"""The state of a transform as files: ``state.json``, and tables, arrays and estimators in their own formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kfnb.capture.embedded.exact_tables import (
    kfnb_read_column,
    kfnb_read_table,
    kfnb_write_column,
    kfnb_write_table,
)
from kfnb.capture.embedded.exact_values import kfnb_decode, kfnb_encode
from kfnb.capture.embedded.models import kfnb_model_format, kfnb_read_model, kfnb_write_model
from kfnb.capture.embedded.values import (
    kfnb_load,
    kfnb_write_array,
    kfnb_write_arrow,
    kfnb_write_estimator,
    kfnb_write_pandas,
    kfnb_write_polars,
)


def kfnb_write_state(state: Any, folder: str, write: Callable[[Any, str], str]) -> dict[str, str]:
    """Write a state into a new folder; the packages that reading it needs, by module.

    ``write`` writes an estimator to a path, and returns the format, empty for what it does not write. Raises
    ``TypeError`` for a part without a safe format.
    """
    import json
    import os

    os.makedirs(folder)
    found: list[str] = []

    def put(value: Any) -> Any:
        root = type(value).__module__.partition(".")[0]
        stored = kfnb_put_inline(value, root)
        if stored is None:
            file = f"{sum(one.isdigit() for one in found) + 1}"
            form = kfnb_put_table(value, os.path.join(folder, file)) or write(
                value, os.path.join(folder, file)
            )
            if not form:
                return None
            stored = {"$": "file", "format": form, "file": file}
            found.extend(
                [file, *(["pyarrow"] if form.endswith("parquet") else ["skops"] if form == "skops" else [])]
            )
        found.append(root)
        return stored

    text = json.dumps(kfnb_encode(state, "state", put), indent=1, allow_nan=False)
    with open(os.path.join(folder, "state.json"), "w", encoding="utf-8") as file:
        file.write(text)
    tags = {
        "numpy": "numpy",
        "Timestamp": "pandas",
        "Timedelta": "pandas",
        "NaTType": "pandas",
        "NAType": "pandas",
    }
    found += [root for tag, root in tags.items() if f'"$": "{tag}"' in text]
    modules = {one for one in found if not one.isdigit()} - {"builtins", "__main__"}
    return {module: "scikit-learn" if module == "sklearn" else module for module in sorted(modules)}


def kfnb_put_table(value: Any, path: str) -> str:
    """Write a table or an array into a file; its format, empty for other values, and where it would not come back."""
    import os

    writers: dict[str, Callable[..., str]] = {
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


def kfnb_put_inline(value: Any, root: str) -> Any:
    """Categories, an index, or an array of texts or other objects, within the JSON; None for any other value."""
    name = type(value).__name__
    if root == "numpy" and name == "ndarray" and value.dtype.kind == "O":
        return {"$": "file", "format": "objects", "table": kfnb_write_table(value)}
    if root != "pandas" or name in ("DataFrame", "Series", "MultiIndex"):
        return None
    import pandas

    stored: dict[str, Any] = {"$": "file"}
    if name == "CategoricalDtype":
        value, stored["format"], stored["ordered"] = value.categories, "categories", bool(value.ordered)
    elif isinstance(value, pandas.Index):
        stored["format"], stored["label"] = "index", value.name
    elif isinstance(value, pandas.api.extensions.ExtensionArray):
        stored["format"] = "array"
    else:
        return None
    return {**stored, "column": kfnb_write_column(pandas.Series(value))}


def kfnb_read_state(folder: str, read: Callable[[str, str], Any]) -> Any:
    """The state in a folder; ``read`` reads what ``write`` has written, by format and path."""
    import json
    import os
    from types import SimpleNamespace

    def get(stored: Any) -> Any:
        form = stored["format"]
        if "file" in stored:
            path = os.path.join(folder, os.path.basename(stored["file"]))
            if form.endswith("parquet") or form == "npy":
                return kfnb_load(SimpleNamespace(path=path, metadata={"format": form}, uri=path), {})
            return read(form, path)
        if form == "objects":
            return kfnb_read_table(stored["table"])
        import pandas

        column = kfnb_read_column(stored["column"])
        if form == "categories":
            return pandas.CategoricalDtype(pandas.Index(column), stored["ordered"])
        return pandas.Index(column, name=stored["label"]) if form == "index" else column.array

    with open(os.path.join(folder, "state.json"), encoding="utf-8") as file:
        return kfnb_decode(json.load(file), get)


def kfnb_state_writer(trust: Sequence[str] = ()) -> Callable[[Any, str], str]:
    """What writes the estimators in the state of a model's transform: as a model folder each."""

    def write(value: Any, path: str) -> str:
        if kfnb_model_format(value) not in ("skops", "xgboost", "lightgbm"):
            return ""
        kfnb_write_model(value, path, trust=trust)
        return "model"

    return write


def kfnb_state_reader(trust: Sequence[str] = ()) -> Callable[[str, str], Any]:
    """What reads the estimators in the state of a model's transform."""

    def read(form: str, path: str) -> Any:
        if form != "model":
            raise ValueError(f"the state has a part in the format {form!r}, which this version does not know")
        return kfnb_read_model(path, trust=trust)

    return read


def kfnb_carry(value: Any, path: str) -> str:
    """Write what is in a state that goes from step to step: an estimator, or a pickle."""
    try:
        form = kfnb_write_estimator(value, path)
    except Exception:
        form = ""
    if not form:
        import cloudpickle

        with open(path, "wb") as file:
            file.write(cloudpickle.dumps(value))
    return form or "pickle"


def kfnb_carried(form: str, path: str) -> Any:
    """Read what is in such a state."""
    import pickle

    if form == "skops":
        import skops.io

        return skops.io.load(path)
    if form != "pickle":
        raise ValueError(f"the state has a part in the format {form!r}, which this version does not know")
    with open(path, "rb") as file:
        return pickle.load(file)
