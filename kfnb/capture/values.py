"""The KFP type of a value: a parameter or an artifact type, and the requirements for loading the value."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kfnb.capture.content import root_of
from kfnb.capture.embedded.transforms import kfnb_Transform

PARAMETER_TYPES = ("int", "float", "str", "bool", "list", "dict")
"""KFP's parameter types, as Python annotations."""

LARGEST_PARAMETER = 16 * 1024
"""Bytes of JSON above which a value is passed as an artifact: parameters are passed on command lines, which Linux
caps at 128 KiB a word, and a list that is small in a notebook grows in production."""

_LONGEST_WHERE = 500
"""Maximum characters of the description of where floats are in a list or dict: the step includes it."""

_EXACT_INT = 2**53
"""KFP keeps numbers as doubles; a larger integer would not come back the same."""

_DATASETS = {
    ("pandas", "DataFrame"): (("pandas", "pyarrow"), "kfnb_write_pandas"),
    ("pandas", "Series"): (("pandas", "pyarrow"), "kfnb_write_pandas"),
    ("polars", "DataFrame"): (("polars",), "kfnb_write_polars"),
    ("pyarrow", "Table"): (("pyarrow",), "kfnb_write_arrow"),
    ("numpy", "ndarray"): (("numpy",), "kfnb_write_array"),
}
"""The modules that a table or an array needs, and the function that writes it."""


@dataclass(frozen=True)
class ValueKind:
    """``type`` is a parameter's Python type (``int`` ...) or an artifact's KFP class (``Dataset`` ...).

    ``modules`` are those that a step must be able to import to load the value; ``note`` is shown to the user.
    ``restore`` is the function that gives a parameter its Python type back: KFP knows only doubles. ``items`` is the
    type that all elements of a list have: without one, KFP makes texts of them in a loop. ``writer`` is the embedded
    function that writes an artifact in the format of its kind, empty for one that is pickled.
    """

    type: str
    modules: tuple[str, ...] = ()
    note: str = ""
    restore: str = ""
    items: str = ""
    writer: str = ""

    @property
    def annotation(self) -> str:
        """The type as an annotation."""
        return f"{self.type}[{self.items}]" if self.items else self.type

    @property
    def parameter(self) -> bool:
        """Whether the value is passed as a KFP parameter."""
        return self.type in PARAMETER_TYPES


def kind_of(value: Any) -> ValueKind:
    """The kind as which ``value`` is passed between steps. ``examine`` finds values that cannot be passed."""
    known = _scalar(value) or _transform(value)
    if known is not None:
        return known
    if type(value) in (list, dict) or type(value).__name__ == "SList":
        return _json(value)
    root, name = root_of(type(value)), type(value).__name__
    if (root, name) in _DATASETS:
        modules, writer = _DATASETS[root, name]
        return ValueKind("Dataset", modules, writer=writer)
    if _is_instance(value, "sklearn.base", "BaseEstimator"):
        return ValueKind("Model", (root, *_installed("skops"), "cloudpickle"), writer="kfnb_write_estimator")
    if _is_instance(value, "torch.nn", "Module"):
        return ValueKind(
            "Model", ("torch", "cloudpickle"), "pickled: load it only where you trust its origin"
        )
    writer = "kfnb_write_json" if type(value) in (str, int, type(None)) else ""
    return ValueKind("Artifact", ("cloudpickle",), f"{name} travels pickled (cloudpickle)", writer=writer)


def _transform(value: Any) -> ValueKind | None:
    """The kind of a transform; its modules are those of its code and of its state."""
    if not isinstance(value, kfnb_Transform):
        return None
    needed = {module for part in _parts(value.state) for module in kind_of(part).modules}
    return ValueKind("Artifact", tuple(sorted({*value.packages, *needed})), writer="kfnb_write_transform")


def _parts(value: Any) -> Iterator[Any]:
    """The values in Python's containers."""
    if isinstance(value, list | tuple | set | frozenset | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _parts(item)
    else:
        yield value


def _scalar(value: Any) -> ValueKind | None:
    python = _as_python_scalar(value)
    exact = type(python) is bool or (type(python) is int and abs(python) <= _EXACT_INT)
    real = type(python) is float and math.isfinite(python)
    text = type(python) is str and _encodes(python) and len(python.encode()) <= LARGEST_PARAMETER
    if not (exact or real or text):
        return None
    kind = type(python).__name__
    if type(value) is type(python):
        return ValueKind(kind, restore="float" if real else "")
    name = type(value).__name__
    if text:  # numpy's str_ is a Python str with rarely used methods
        return ValueKind(kind, note=f"{name} travels as {kind}")
    name = "bool_" if kind == "bool" else name
    return ValueKind(kind, modules=("numpy",), note=f"{name} travels as {kind}", restore=f"numpy.{name}")


def _as_python_scalar(value: Any) -> Any:
    """Convert a numpy scalar to Python; anything else is unchanged."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.bool_ | numpy.integer | numpy.floating | numpy.str_):
        return value.item()
    return value


def _json(value: Any) -> ValueKind:
    name = "dict" if isinstance(value, Mapping) else "list"
    if len(value) > LARGEST_PARAMETER // 2:  # a comma each
        return ValueKind("Artifact", ("cloudpickle",), writer="kfnb_write_json")
    if not is_tree(value) or not survives_json(value):
        note = f"a {name} with values that JSON does not have"
        return ValueKind("Artifact", ("cloudpickle",), note, writer="kfnb_write_json")
    if len(json.dumps(value)) > LARGEST_PARAMETER:
        return ValueKind("Artifact", ("cloudpickle",), writer="kfnb_write_json")
    numbers, items = list(_numbers(value)), _items(value)
    floats = [number for number in numbers if type(number) is float]
    if len(floats) == len(numbers):
        return ValueKind(name, restore="kfnb_floats" if floats else "", items=items)
    where = repr(_where_floats(value))
    if len(where) > _LONGEST_WHERE:
        return ValueKind(name, note="1.0 among integers comes back as 1 in a step", items=items)
    restore = f"(lambda value: kfnb_floats(value, where={where}))" if floats else ""
    return ValueKind(name, restore=restore, items=items)


def _where_floats(value: Any) -> Any:
    """The positions of floats in a list or dict, in the form that ``kfnb_floats`` takes."""
    if isinstance(value, Mapping):
        return {key: where for key, item in value.items() if (where := _where_floats(item))}
    if isinstance(value, list):
        places = [_where_floats(item) for item in value]
        if places and all(where == places[0] for where in places):
            return {"*": places[0]} if places[0] else {}
        return {place: where for place, where in enumerate(places) if where}
    return type(value) is float


def _items(value: Any) -> str:
    """The type of all elements of a list, if they have one."""
    types = {type(item).__name__ for item in value} if isinstance(value, list) else set()
    if types == {"int", "float"}:
        return "float"
    return types.pop() if len(types) == 1 and types <= {*PARAMETER_TYPES} else ""


def _numbers(value: Any) -> Iterator[int | float]:
    if isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _numbers(item)
    elif type(value) in (int, float):
        yield value


def is_mutable(value: Any) -> bool:
    """Whether the value is a Python container that can be changed in place."""
    return isinstance(value, list | dict | set | bytearray)


def is_tree(value: Any, seen: set[int] | None = None) -> bool:
    """Whether a value has no shared parts, so that a change to one part does not change another."""
    if not isinstance(value, list | dict | set | tuple):
        return True
    seen = set() if seen is None else seen
    if is_mutable(value):
        if id(value) in seen:
            return False
        seen.add(id(value))
    return all(is_tree(item, seen) for item in (value.values() if isinstance(value, dict) else value))


def survives_json(value: Any) -> bool:
    """Whether JSON preserves the value: types, keys and all."""
    if value is None or type(value) is bool or type(value) is str:
        return type(value) is not str or _encodes(value)
    if type(value) is int:
        return abs(value) <= _EXACT_INT
    if type(value) is float:
        return math.isfinite(value)
    if isinstance(value, list) and type(value).__name__ in {"list", "SList"}:
        return all(survives_json(item) for item in value)
    if type(value) is dict:
        return all(type(key) is str and _encodes(key) and survives_json(item) for key, item in value.items())
    return False


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_instance(value: Any, module: str, name: str) -> bool:
    """``isinstance`` against a class of a library, without importing the library."""
    owner = sys.modules.get(module)
    return owner is not None and isinstance(value, getattr(owner, name, ()))


def _installed(module: str) -> tuple[str, ...]:
    from importlib.util import find_spec

    return (module,) if find_spec(module) else ()
