"""How a training hands the names that its cell has written back to the notebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kfnb.capture.embedded.values import (
    kfnb_pickle,
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

    Values that share an object are written together, so that they still do when they are read. A value that cannot be
    written has the reason in the index, an array that uses the memory of another the name of that.
    """
    import json
    import os
    from types import ModuleType

    os.makedirs(artifact.path, exist_ok=True)
    index: dict[str, dict[str, str]] = {}
    known: dict[str, Any] = {}
    for name in (name for name in names if name in values):
        if isinstance(values[name], ModuleType):
            index[name] = {"module": values[name].__name__}
        else:
            known[name] = values[name]
    for number, group in enumerate(kfnb_sharing(known)):
        together = len(group) > 1 and kfnb_kept_together(group, str(number), artifact.path, classes)
        for name, value in group.items():
            index[name] = together or kfnb_kept(value, f"{number}-{name}", artifact.path, classes)
    for name, other in kfnb_views(known).items():
        index[name]["memory"] = other
    with open(os.path.join(artifact.path, "names.json"), "w", encoding="utf-8") as written:
        json.dump(index, written)


def kfnb_kept(value: Any, file: str, folder: str, classes: Mapping[str, Any]) -> dict[str, str]:
    """Write a value into a ``file`` of the folder, in the format of its kind; what the index says of it."""
    import os
    from types import SimpleNamespace

    target = SimpleNamespace(path=os.path.join(folder, file), metadata={})
    try:
        kfnb_save(value, target, classes, kfnb_writer(value))
    except Exception as error:  # a lock, a socket, an open file: pickling raises anything
        return {"refused": f"{type(error).__name__}: {error}".split("\n")[0][:200]}
    return {"file": file, **target.metadata}


def kfnb_kept_together(
    group: Mapping[str, Any], file: str, folder: str, classes: Mapping[str, Any]
) -> dict[str, str] | None:
    """Write several values by name into one pickle; what the index says of each, None where one cannot be pickled."""
    import os

    try:
        form = kfnb_pickle(dict(group), os.path.join(folder, file), classes)
    except Exception:  # pickling raises anything
        return None
    return {"file": file, "format": form, "together": "yes"}


def kfnb_sharing(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The values in groups of those that share an object: a change of it through one name is seen through another."""
    parts = {name: kfnb_parts(value) for name, value in values.items()}
    groups: list[dict[str, Any]] = []
    for name, value in values.items():
        same = [one for one in groups if any(parts[name].keys() & parts[other].keys() for other in one)]
        groups = [one for one in groups if one not in same]
        groups.append({key: item for one in (*same, {name: value}) for key, item in one.items()})
    return groups


def kfnb_parts(value: Any) -> dict[int, Any]:
    """The objects in a value that can be changed in place, by their ids; of tables and arrays only themselves."""
    import cloudpickle

    if type(value).__module__.partition(".")[0] in ("numpy", "pandas", "polars", "pyarrow"):
        return {id(value): value}

    class Nowhere:
        def write(self, data: Any) -> int:
            return len(data)

    pickler = cloudpickle.Pickler(Nowhere(), protocol=5, buffer_callback=lambda _: False)
    try:
        pickler.dump(value)
    except Exception:  # pickling raises anything
        return {}
    return {id(one): one for _, one in pickler.memo.copy().values() if kfnb_can_change(one)}


def kfnb_can_change(value: Any) -> bool:
    """Whether an object can be changed in place, as far as its type tells."""
    import logging
    from datetime import tzinfo
    from enum import Enum
    from types import FunctionType, ModuleType

    if isinstance(value, (type, ModuleType, FunctionType, Enum, tzinfo, logging.Logger)):
        return False
    array = type(value).__module__ == "numpy" and type(value).__name__ == "ndarray"
    return array or type(value) in (list, dict, set, bytearray) or hasattr(value, "__dict__")


def kfnb_views(values: Mapping[str, Any]) -> dict[str, str]:
    """The arrays that use the memory of another one, which pickles do not keep: name -> the other's."""
    found: dict[str, str] = {}
    owners: dict[int, str] = {}
    for name, value in values.items():
        owner = value
        while type(owner).__module__ == "numpy" and isinstance(getattr(owner, "base", None), type(owner)):
            owner = owner.base
        first = owners.setdefault(id(owner), name)
        if values[first] is not value:
            found[name] = first
    return found


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
