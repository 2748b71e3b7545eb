"""What a value is to KFP: a parameter, or an artifact of which type; and what it takes to load it elsewhere."""

from __future__ import annotations

import hashlib
import io
import json
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import FunctionType, GeneratorType, ModuleType
from typing import Any

PARAMETER_TYPES = ("int", "float", "str", "bool", "list", "dict")
"""KFP's parameter types, as Python annotations."""

LARGEST_PARAMETER = 16 * 1024
"""Bytes of JSON above which a value travels as an artifact: parameters are passed on command lines, which Linux
caps at 128 KiB a word, and a list that is small in a notebook grows in production."""

_LONGEST_WHERE = 500
"""Characters of what tells where in a list or dict floats are: it stands in the step."""

_EXACT_INT = 2**53
"""KFP keeps numbers as doubles; a larger integer would not come back the same."""

_DATASETS = {
    ("pandas", "DataFrame"): (("pandas", "pyarrow"), "kfnb_write_pandas"),
    ("pandas", "Series"): (("pandas", "pyarrow"), "kfnb_write_pandas"),
    ("polars", "DataFrame"): (("polars",), "kfnb_write_polars"),
    ("pyarrow", "Table"): (("pyarrow",), "kfnb_write_arrow"),
    ("numpy", "ndarray"): (("numpy",), "kfnb_write_array"),
}
"""The modules that a table or an array needs, and what writes it."""


@dataclass(frozen=True)
class Kind:
    """``type`` is a parameter's Python type (``int`` ...) or an artifact's KFP class (``Dataset`` ...).

    ``modules`` are what a step must be able to import to load the value; ``note`` what the user should know.
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
        """Whether the value travels as a KFP parameter."""
        return self.type in PARAMETER_TYPES


def kind_of(value: Any) -> Kind:
    """How ``value`` travels between steps. What cannot travel at all is for ``examine`` to say."""
    scalar = _scalar(value)
    if scalar is not None:
        return scalar
    if type(value) in (list, dict) or type(value).__name__ == "SList":
        return _json(value)
    root, name = _root(type(value)), type(value).__name__
    if (root, name) in _DATASETS:
        modules, writer = _DATASETS[root, name]
        return Kind("Dataset", modules, writer=writer)
    if _is_instance(value, "sklearn.base", "BaseEstimator"):
        return Kind("Model", (root, *_installed("skops"), "cloudpickle"), writer="kfnb_write_estimator")
    if _is_instance(value, "torch.nn", "Module"):
        return Kind("Model", ("torch", "cloudpickle"), "pickled: load it only where you trust its origin")
    writer = "kfnb_write_json" if type(value) in (str, int, type(None)) else ""
    return Kind("Artifact", ("cloudpickle",), f"{name} travels pickled (cloudpickle)", writer=writer)


def _scalar(value: Any) -> Kind | None:
    python = _as_python_scalar(value)
    exact = type(python) is bool or (type(python) is int and abs(python) <= _EXACT_INT)
    real = type(python) is float and math.isfinite(python)
    text = type(python) is str and _encodes(python) and len(python.encode()) <= LARGEST_PARAMETER
    if not (exact or real or text):
        return None
    kind = type(python).__name__
    if type(value) is type(python):
        return Kind(kind, restore="float" if real else "")
    name = type(value).__name__
    if text:  # numpy's str_ is Python's own, with methods that nobody calls
        return Kind(kind, note=f"{name} travels as {kind}")
    name = "bool_" if kind == "bool" else name
    return Kind(kind, modules=("numpy",), note=f"{name} travels as {kind}", restore=f"numpy.{name}")


def _as_python_scalar(value: Any) -> Any:
    """A numpy scalar as Python's own; anything else unchanged."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.bool_ | numpy.integer | numpy.floating | numpy.str_):
        return value.item()
    return value


def _json(value: Any) -> Kind:
    name = "dict" if isinstance(value, Mapping) else "list"
    if len(value) > LARGEST_PARAMETER // 2:  # a comma each
        return Kind("Artifact", ("cloudpickle",), writer="kfnb_write_json")
    if not is_tree(value) or not keeps_in_json(value):
        note = f"a {name} with more than JSON in it"
        return Kind("Artifact", ("cloudpickle",), note, writer="kfnb_write_json")
    if len(json.dumps(value)) > LARGEST_PARAMETER:
        return Kind("Artifact", ("cloudpickle",), writer="kfnb_write_json")
    numbers, items = list(_numbers(value)), _items(value)
    floats = [number for number in numbers if type(number) is float]
    if len(floats) == len(numbers):
        return Kind(name, restore="kfnb_floats" if floats else "", items=items)
    where = repr(_where_floats(value))
    if len(where) > _LONGEST_WHERE:
        return Kind(name, note="1.0 among integers comes back as 1 in a step", items=items)
    restore = f"(lambda value: kfnb_floats(value, where={where}))" if floats else ""
    return Kind(name, restore=restore, items=items)


def _where_floats(value: Any) -> Any:
    """Where in a list or dict floats are, as ``kfnb_floats`` takes it."""
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
    """Whether the value is one of Python's own containers that can be changed in place."""
    return isinstance(value, list | dict | set | bytearray)


def is_tree(value: Any, seen: set[int] | None = None) -> bool:
    """Whether no part of a value is there twice: a change to one of two equal parts then is no change to the other."""
    if not isinstance(value, list | dict | set | tuple):
        return True
    seen = set() if seen is None else seen
    if is_mutable(value):
        if id(value) in seen:
            return False
        seen.add(id(value))
    return all(is_tree(item, seen) for item in (value.values() if isinstance(value, dict) else value))


def keeps_in_json(value: Any) -> bool:
    """Whether JSON gives the value back unchanged: types, keys and all."""
    if value is None or type(value) is bool or type(value) is str:
        return type(value) is not str or _encodes(value)
    if type(value) is int:
        return abs(value) <= _EXACT_INT
    if type(value) is float:
        return math.isfinite(value)
    if isinstance(value, list) and type(value).__name__ in {"list", "SList"}:
        return all(keeps_in_json(item) for item in value)
    if type(value) is dict:
        return all(type(key) is str and _encodes(key) and keeps_in_json(item) for key, item in value.items())
    return False


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _root(kind: type) -> str:
    module: Any = kind.__module__  # Cython's classes have anything there
    return module.partition(".")[0] if isinstance(module, str) else ""


def _is_instance(value: Any, module: str, name: str) -> bool:
    """``isinstance`` against a class of a library, without importing the library."""
    owner = sys.modules.get(module)
    return owner is not None and isinstance(value, getattr(owner, name, ()))


def _installed(module: str) -> tuple[str, ...]:
    from importlib.util import find_spec

    return (module,) if find_spec(module) else ()


@dataclass(frozen=True)
class Examined:
    """A value looked at as a whole: a digest of its content, the modules whose classes are in it, or why it cannot
    travel. The digest is None when it cannot travel. ``objects`` are the identities of what in it could be changed.
    """

    digest: bytes | None
    modules: frozenset[str] = frozenset()
    refusal: str = ""
    objects: frozenset[int] = frozenset()


def examine(value: Any) -> Examined:
    """Pickle a value into a digest: equal digests mean that nothing in it has changed."""
    if isinstance(value, ModuleType):
        return Examined(None, refusal="a module cannot travel: import it in the cell")
    if isinstance(value, GeneratorType):
        return Examined(None, refusal="a generator cannot travel: make it a list")
    if isinstance(value, io.IOBase):
        return Examined(None, refusal="an open file cannot travel: read it, or pass its path")
    sink = _Digest()
    try:
        sink.take(value)
    except Exception as error:  # pickling runs any class's code, and fails in any way
        reason = str(error).partition("\n")[0]
        return Examined(None, refusal=f"{type(value).__name__} cannot travel ({reason})")
    return Examined(sink.digest, frozenset(sink.modules), objects=frozenset(sink.objects))


class _Digest:
    """A file that only hashes what is written to it, filled by a pickler that notes whose classes it meets."""

    def __init__(self) -> None:
        self.hash = hashlib.blake2b(digest_size=16)
        self.modules: set[str] = set()
        self.objects: set[int] = set()

    @property
    def digest(self) -> bytes:
        return self.hash.digest()

    def write(self, data: Any) -> int:
        self.hash.update(data)
        return len(data)

    def take(self, value: Any) -> None:
        pandas = sys.modules.get("pandas")
        if pandas is not None and type(value) in (pandas.DataFrame, pandas.Series):
            # pandas rearranges its blocks when merely read, so its pickle is no measure of its content
            frame = value.to_frame() if type(value) is pandas.Series else value
            self.objects.add(id(value))
            self.take(_frame_traits(frame, value))
            plain = [place for place, kind in enumerate(frame.dtypes) if str(kind) != "object"]
            self.write(pandas.util.hash_pandas_object(frame.iloc[:, plain], index=True).to_numpy().tobytes())
            self.take(
                [frame.iloc[:, place].tolist() for place in range(frame.shape[1]) if place not in plain]
            )
            return
        _pickler(self).dump(value)


def _frame_traits(frame: Any, value: Any) -> tuple[Any, ...]:
    """All of a pandas DataFrame but its cells."""
    kinds = [
        (str(kind), *(([*kind.categories], kind.ordered) if hasattr(kind, "categories") else ()))
        for kind in frame.dtypes
    ]
    index, columns = frame.index, frame.columns
    freq = str(getattr(index, "freq", None))
    names = (list(index.names), list(columns.names), getattr(value, "name", None))
    return list(columns), kinds, str(index.dtype), type(index).__name__, freq, names, dict(value.attrs)


def _can_be_shared(value: Any) -> bool:
    """Whether it matters that two names reach one such object: it can be changed through either."""
    if isinstance(value, type | ModuleType | FunctionType | Enum):
        return False
    return type(value) in (list, dict, set, bytearray) or hasattr(value, "__dict__") or _is_array(value)


def _is_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def _owner(value: Any) -> Any:
    """The array whose memory a view looks at; any other object itself."""
    while _is_array(value) and value.base is not None:
        value = value.base
    return value


def _pickler(sink: _Digest) -> Any:
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
        def persistent_id(self, value: Any) -> None:
            if _can_be_shared(value):
                sink.objects.add(id(_owner(value)))
            if root := _root(value if isinstance(value, type) else type(value)):
                sink.modules.add(root)

    return Pickler(sink, protocol=5, buffer_callback=lambda buffer: sink.write(buffer.raw()) is None)
