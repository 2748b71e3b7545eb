"""How a training hands the names that its cell has written back to the notebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kfnb.capture.embedded.values import (
    kfnb_save,
    kfnb_write_array,
    kfnb_write_arrow,
    kfnb_write_estimator,
    kfnb_write_json,
    kfnb_write_pandas,
    kfnb_write_polars,
)


def kfnb_keep(
    names: Sequence[str], values: Mapping[str, Any], artifact: Any, classes: Mapping[str, Any]
) -> None:
    """Write the values of those ``names`` that have one into the folder ``artifact``, with an index.

    A value that cannot be written has the reason in the index.
    """
    import json
    import os
    from types import ModuleType, SimpleNamespace

    os.makedirs(artifact.path, exist_ok=True)
    index: dict[str, dict[str, str]] = {}
    for number, name in enumerate(name for name in names if name in values):
        value = values[name]
        if isinstance(value, ModuleType):
            index[name] = {"module": value.__name__}
            continue
        file = SimpleNamespace(path=os.path.join(artifact.path, str(number)), metadata={})
        try:
            kfnb_save(value, file, classes, kfnb_writer(value))
            index[name] = {"file": str(number), **file.metadata}
        except Exception as error:  # a lock, a socket, an open file: pickling raises anything
            index[name] = {"refused": f"{type(error).__name__}: {error}".split("\n")[0][:200]}
    with open(os.path.join(artifact.path, "names.json"), "w", encoding="utf-8") as written:
        json.dump(index, written)


def kfnb_writer(value: Any) -> Callable[..., str] | None:
    """What writes a value in the format of its kind; None where it is pickled."""
    writers = {
        "builtins": kfnb_write_json,
        "pandas": kfnb_write_pandas,
        "polars": kfnb_write_polars,
        "pyarrow": kfnb_write_arrow,
        "numpy": kfnb_write_array,
        "sklearn": kfnb_write_estimator,
    }
    return writers.get(type(value).__module__.partition(".")[0])
