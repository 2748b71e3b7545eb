"""What is in a value: a digest that shows whether it was changed, whose classes are in it, and what it shares.

A value is pickled into a hash. Where pickling would take long, ``Memory`` reads the value instead (numpy's arrays,
pandas' columns) or samples are taken (long lists), so that examining a large value costs no more than a small one.
"""

from __future__ import annotations

import hashlib
import io
import logging
import pickle
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import Enum
from functools import lru_cache
from itertools import count
from types import FunctionType, GeneratorType, ModuleType
from typing import Any

from kfnb import compat
from kfnb.capture.fingerprint import Memory, Thoroughness, place_of, positions
from kfnb.diagnostics import logger

_logger = logger(__package__)

_ATOMS = frozenset({int, float, str, bool, bytes, complex, type(None)})
_LONG = 1000
"""Items of a container that are always examined one by one."""
_MOST_ATOMS = 1_000_000
_MOST_ITEMS = 20_000
"""Of longer containers a sample is examined: pickling calls Python for each item."""
_SAMPLES = 10_000
_ATOM, _ITEM = 512, 16384
"""Bytes of an array that take as long to examine as an item of a list."""
_LARGE_WRITE = 2**20
_WITH_STABLE_DIGESTS = frozenset({
    "builtins", "collections", "copyreg", "datetime", "decimal", "fractions", "numpy", "pandas", "pathlib", "pyarrow",
    "scipy", "sklearn", "uuid",
})  # fmt: skip
"""Modules whose objects have the same digest as long as nothing changes them. A figure does not."""
_FIGURE_NUMBERS = count()
_Cached = type(lru_cache(int))
"""The type of a function with ``lru_cache``: pickled by its name, so the process that unpickles it must define it."""


@dataclass(frozen=True)
class Examined:
    """The result of examining a value.

    ``digest`` is None where the value cannot be passed to a step, and ``refusal`` says why. ``modules`` are those whose
    classes are in it. ``objects`` are the mutable objects in it, and ``lent`` is memory that pandas copies before it
    writes, both by id: references are kept, so that no other object can get such an id. Where ``sampled``, not all was
    examined: ``frames`` are the pandas objects for which that is true, ``unseen`` is the number of bytes elsewhere.
    ``steady``: examining the value again gives the same digest. ``named`` are the notebook's objects in it that are
    pickled only by name.
    """

    digest: bytes | None
    modules: frozenset[str] = frozenset()
    refusal: str = ""
    objects: Mapping[int, Any] = field(default_factory=dict)
    lent: Mapping[int, Any] = field(default_factory=dict)
    frames: tuple[Any, ...] = ()
    sampled: bool = False
    unseen: int = 0
    steady: bool = True
    named: frozenset[str] = frozenset()

    def shares_with(self, other: Examined) -> bool:
        """Whether a change in place to one of the two values can be a change to the other."""
        mine, theirs = self.objects.keys(), other.objects.keys()
        return bool(mine & theirs or mine & other.lent.keys() or self.lent.keys() & theirs)


def examine(value: Any, thoroughness: Thoroughness = Thoroughness.QUICK) -> Examined:
    """Examine a value: equal digests, of the same thoroughness, mean that no change was found."""
    if refusal := _refusal(value):
        return Examined(None, refusal=refusal)
    walk = _Walk(thoroughness)
    try:
        walk.take(value)
    except Exception as error:  # pickling runs code of any class, which may raise anything
        _logger.debug("A value cannot be pickled, so it cannot be an input of a step.", exc_info=True)
        reason = str(error).partition("\n")[0]
        return Examined(None, refusal=f"{type(value).__name__} cannot travel ({reason})")
    return Examined(
        walk.hash.digest(),
        frozenset(walk.modules),
        objects=walk.objects,
        lent=walk.lent,
        frames=tuple(walk.frames),
        sampled=walk.memory.sampled,
        unseen=walk.memory.unseen,
        steady=walk.steady,
        named=frozenset(walk.named),
    )


def _refusal(value: Any) -> str:
    if isinstance(value, ModuleType):
        return "a module cannot travel: import it in the cell"
    if isinstance(value, GeneratorType):
        return "a generator cannot travel: make it a list"
    if isinstance(value, io.IOBase):
        return "an open file cannot travel: read it, or pass its path"
    return ""


class _Walk:
    """A file that only hashes what is written to it, filled by a pickler that calls this class for each object."""

    def __init__(self, thoroughness: Thoroughness) -> None:
        self.memory = Memory(thoroughness)
        self.hash = hashlib.blake2b(digest_size=16)
        self.modules: set[str] = set()
        self.objects: dict[int, Any] = {}
        self.lent: dict[int, Any] = {}
        self.frames: list[Any] = []
        self.steady = True
        self.named: set[str] = set()
        self.numbers: dict[int, int] = {}  # so that a shared object is hashed as shared
        self.codes: dict[int, bytes] = {}
        self.private = 0  # depth inside objects that only the enclosing object refers to

    def write(self, data: Any) -> int:
        """Hash what a pickler writes."""
        numpy = sys.modules.get("numpy")
        if len(data) >= _LARGE_WRITE and numpy is not None:
            data = self.memory.of(numpy.frombuffer(data, numpy.uint8))
        self.hash.update(data)
        return len(data)

    def buffer(self, buffer: pickle.PickleBuffer) -> bool:
        """Hash memory that a pickler does not copy: pyarrow's, which is immutable."""
        numpy = sys.modules.get("numpy")
        raw = buffer.raw()
        if len(raw) >= _LARGE_WRITE and numpy is not None:
            self.hash.update(self.memory.lent(numpy.frombuffer(raw, numpy.uint8)))
        else:
            self.hash.update(raw)
        return False

    def take(self, value: Any) -> None:
        """Hash a value."""
        _pickler(self).dump(value)

    def of_parts(self, *parts: Any, private: bool = False) -> bytes:
        """The digest of some values alone; ``private`` values are referred to by nothing else."""
        around, self.hash = self.hash, hashlib.blake2b(digest_size=16)
        self.private += private
        try:
            for part in parts:
                self.take(part)
            return self.hash.digest()
        finally:
            self.private -= private
            self.hash = around

    # -- what a pickler visits --------------------------------------------------------------------------------

    def met(self, value: Any) -> Any:
        """The replacement for ``value`` in the hash; None where it is pickled unchanged."""
        kind = type(value)
        if kind in _ATOMS:
            return None
        if root := root_of(value if isinstance(value, type) else kind):
            self.modules.add(root)
            self.steady &= root in _WITH_STABLE_DIGESTS
        if _is_drawn(value):  # hundreds of thousands of objects, with another digest each time
            self.steady = False
            figure = getattr(value, "figure", None) or value
            self.objects.setdefault(id(figure), figure)
            return "picture", next(_FIGURE_NUMBERS)
        if kind is _Cached and value.__module__ == "__main__":
            self.named.add(value.__name__)
        if not self.private and can_be_shared(value):
            self.objects.setdefault(id(owner_of(value)), owner_of(value))
        if kind in (list, tuple, set, frozenset, dict) and len(value) > _LONG:
            return self.container(value)
        if isinstance(value, type | FunctionType) and not self.private:
            return self.code(value)
        return self.library(value)

    def code(self, value: Any) -> Any:
        """A class or function: its content is shared by all users of it, here and in a step."""
        if id(value) not in self.codes:
            self.codes[id(value)] = self.of_parts(value, private=True)
        return "code", self.codes[id(value)]

    def library(self, value: Any) -> Any:
        """The replacement for values of numpy and pandas."""
        numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
        if numpy is not None and type(value) in (numpy.ndarray, numpy.memmap):
            return "array", self.number(value), self.array(value)
        if pandas is None:
            return None
        if type(value) in (pandas.DataFrame, pandas.Series):
            return "frame", self.number(value), self.frame(value)
        if isinstance(value, pandas.Index) and not self.private:
            return "index", self.of_parts(value, private=True)
        if isinstance(value, pandas.api.extensions.ExtensionArray):
            pickled = compat.without_notes(value.__reduce_ex__(5)[1:3])
            return type(value).__name__, self.number(value), self.of_parts(pickled)
        return None

    def number(self, value: Any) -> int:
        return self.numbers.setdefault(id(value), len(self.numbers))

    def container(self, value: Any) -> Any:
        """A long container, of whose items only a sample is examined if there are too many."""
        items = [*value, *value.values()] if isinstance(value, dict) else value
        if not isinstance(items, Sequence):
            items = list(items)
        digest = self.items(items)
        return None if digest is None else (type(value).__name__, self.number(value), len(items), digest)

    def items(self, items: Sequence[Any]) -> bytes | None:
        """The digest of many items; None where each must be pickled."""
        whole = self.memory.thoroughness is Thoroughness.WHOLE
        if whole or len(items) <= _MOST_ATOMS:
            if set(map(type, items)) <= _ATOMS:
                return hashlib.blake2b(pickle.dumps(items, 5), digest_size=16).digest()
            if whole or len(items) <= _MOST_ITEMS:
                return None
        sample = [items[place] for place in positions(len(items), _SAMPLES).tolist()]
        self.memory.skip(len(items) * (_ATOM if set(map(type, sample)) <= _ATOMS else _ITEM))
        return self.of_parts(sample)

    def array(self, array: Any) -> tuple[Any, ...]:
        """The type, shape and content of an array."""
        fortran = bool(array.flags.f_contiguous and not array.flags.c_contiguous)
        return array.dtype, array.shape, fortran, self.cells(array, lent=self.private > 0)

    def cells(self, array: Any, *, lent: bool) -> bytes:
        """The content of an array; ``lent`` where it is copied before it is written."""
        lent = lent and copies_on_write()
        if not array.nbytes:
            return b""
        if not array.dtype.hasobject:
            return self.memory.lent(array) if lent else self.memory.of(array)
        place = place_of(array) if lent and self.memory.thoroughness is Thoroughness.PLACE else b""
        if self.memory.thoroughness is not Thoroughness.WHOLE and array.size > _MOST_ATOMS:
            sample = [array.flat[place] for place in positions(array.size, _SAMPLES).tolist()]
            self.memory.skip(0 if lent else array.size * _ATOM)
            return place + self.of_parts(sample)
        known = array.ravel(order="K").tolist()
        return place + (self.items(known) or self.of_parts(known))

    # -- pandas -----------------------------------------------------------------------------------------------

    def frame(self, value: Any) -> bytes:
        """A DataFrame or Series: its metadata, and its columns one by one.

        Its pickle is not used: pandas rearranges its blocks even when they are only read.
        """
        pandas = sys.modules["pandas"]
        self.modules |= {"numpy"}
        frame = value.to_frame() if type(value) is pandas.Series else value
        sampled, self.memory.sampled = self.memory.sampled, False
        freq = str(getattr(frame.index, "freq", None))
        traits = type(value).__name__, freq, getattr(value, "name", None), dict(value.attrs)
        columns = [self.column(series.array) for _, series in frame.items()]
        digest = self.of_parts(traits, frame.columns, frame.index, columns, private=True)
        if self.memory.sampled:
            self.frames.append(value)
        self.memory.sampled |= sampled
        return digest

    def column(self, array: Any) -> Any:
        """The replacement for the cells of a column."""
        import numpy as np

        if type(array).__name__ not in ("NumpyExtensionArray", "PandasArray"):
            return self.of_parts(array, private=True)
        plain = np.asarray(array)
        if not self.private:
            owner = owner_of(plain)
            (self.lent if copies_on_write() else self.objects).setdefault(id(owner), owner)
        return plain.dtype, self.cells(plain, lent=True)


def _pickler(walk: _Walk) -> Any:
    import cloudpickle

    class HashPickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
        def persistent_id(self, value: Any) -> Any:
            return walk.met(value)

    return HashPickler(walk, protocol=5, buffer_callback=walk.buffer)


# -- objects --------------------------------------------------------------------------------------------------


def copies_on_write() -> bool:
    """Whether pandas copies memory that two of its objects share before it writes to it."""
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return False
    return int(pandas.__version__.partition(".")[0]) >= 3 or bool(  # noqa: PLR2004 - pandas 3 always does
        pandas.options.mode.copy_on_write is True
    )


def can_be_shared(value: Any) -> bool:
    """Whether it matters that two names refer to one such object: it can be changed through either."""
    if isinstance(value, type | ModuleType | FunctionType | Enum | tzinfo | logging.Logger):
        return False
    if type(value) in (list, dict, set, bytearray):
        return True
    if not hasattr(value, "__dict__"):
        return _is_array(value)
    return not (_is_frozen(value) or any(isinstance(value, kind) for kind in _constants()))


def _is_frozen(value: Any) -> bool:
    params = getattr(type(value), "__dataclass_params__", None)
    return bool(getattr(params, "frozen", False))


def _constants() -> Iterator[type]:
    """Classes of libraries whose objects are not changed, or are shared by the whole kernel."""
    if (numpy := sys.modules.get("numpy")) is not None:
        yield from (numpy.dtype, numpy.ufunc)
    if (pandas := sys.modules.get("pandas")) is not None:
        yield from (pandas.Index, pandas.api.extensions.ExtensionDtype)


def _is_drawn(value: Any) -> bool:
    """Whether a value is a figure of matplotlib or a part of a figure."""
    artist = sys.modules.get("matplotlib.artist")
    return artist is not None and isinstance(value, artist.Artist)


def _is_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def owner_of(value: Any) -> Any:
    """The array whose memory a view uses; any other object itself."""
    while _is_array(value) and value.base is not None:
        value = value.base
    return value


def root_of(kind: type) -> str:
    """The package that a class comes from; empty where it is unknown."""
    module: Any = kind.__module__  # Cython's classes have anything there
    return module.partition(".")[0] if isinstance(module, str) else ""
