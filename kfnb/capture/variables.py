"""The environment variables that a component's own code reads, observed while its cell runs here.

A read counts if the notebook's code makes it, or a module beside the notebook: ``os.environ["STAGE"]``,
``os.getenv``, ``in``, ``os.path.expandvars``. Reads of libraries do not. ``variable_lookups.py`` finds reads in the
text, for branches that did not run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, KeysView
from contextlib import suppress
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

from kfnb import compat

_MAPPINGS = "collections.abc"
_HANDS_ON = {_MAPPINGS: "", "os": "getenv getenvb", "posixpath": "expandvars repl", "string": ""}
"""Modules that look a variable up for their caller, with the functions that do; empty for all."""

_SETTINGS_READERS = frozenset({"decouple", "environ", "environs"})
"""Packages that do nothing else."""

_FROM_FILES = "dotenv"
"""The package that sets variables from a file, which steps do not have: what it sets counts as read."""


@dataclass(frozen=True)
class Variables:
    """Names of environment variables that code reads, and ``own``: those that it has set or removed itself.

    ``copied``: it takes a copy of them all. ``all``: it iterates over them, or over a copy, so any may count.
    ``computed``: it looks up computed names, so its parameters may name others. ``defaulted``: it sets them where they
    have no value (``setdefault``), so whether they have a value counts.
    """

    names: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    copied: bool = False
    all: bool = False
    computed: bool = False
    defaulted: frozenset[str] = frozenset()

    def then(self, later: Variables) -> Variables:
        """The variables of both, where the code of ``later`` runs after this."""
        return Variables(
            self.names | (later.names - self.own),
            self.own | later.own,
            self.copied or later.copied,
            self.all or later.all,
            self.computed or later.computed,
            self.defaulted | (later.defaulted - self.own),
        )

    def __bool__(self) -> bool:
        return bool(self.names or self.all)


NO_VARIABLES = Variables()


class VariableWatch:
    """Observe the environment variables that are read, in any thread, until ``stop``.

    ``is_own`` decides by the globals of code whether the code is the notebook's.
    """

    def __init__(self, is_own: Callable[[dict[str, Any]], bool]) -> None:
        self._is_own = is_own
        self._known: dict[CodeType, bool] = {}
        self._before = dict(os.environ)
        self._names: set[str] = set()
        self._set: set[str] = set()
        self._defaulted: set[str] = set()
        self._all = False
        self._copied = False
        self._copying: tuple[int, int] | None = None
        _begin(self)

    def stop(self) -> Variables:
        """Stop observing and return the variables. Further calls return the same."""
        _end(self)
        return Variables(
            frozenset(self._names),
            frozenset(self._set),
            self._copied,
            self._all,
            defaulted=frozenset(self._defaulted - self._names),
        )

    def read(self, name: str, frame: FrameType) -> None:
        """Record that ``name`` was looked up."""
        reader = self._reader(frame)
        if reader is None or self._all or _is_one_of_all(frame) or not name.isprintable() or not name:
            return
        if self._copying == (id(reader), reader.f_lasti):
            return  # dict(os.environ) looks up all names at one line, which is not a read
        self._copying = None
        if name not in self._set:
            self._names.add(name)

    def defaulted(self, name: str, frame: FrameType) -> None:
        """Record that ``name`` got a default value."""
        if name not in self._set and self._reader(frame) is not None:
            self._defaulted.add(name)

    def read_all(self, frame: FrameType) -> None:
        """Record an iteration over the names."""
        if _module(frame) != _MAPPINGS or _is_one_of_all(frame):
            self._all = self._all or self._reader(frame) is not None

    def copied(self, frame: FrameType) -> None:
        """Record a copy of all variables: what is read from the copy is found in the text."""
        reader = self._reader(frame)
        self._copying = (id(reader), reader.f_lasti) if reader is not None else None
        self._copied = self._copied or reader is not None

    def written(self, name: str, frame: FrameType, value: str | None) -> None:
        """Record that ``name`` was set, or removed where ``value`` is None."""
        if self._reader(frame) is not None:
            self._set.add(name)
        elif _root(frame) != _FROM_FILES:
            # a library that restores the former value leaves no trace
            self._set.discard(name)
            self._set |= {name} if value != self._before.get(name) else set()

    def _reader(self, frame: FrameType) -> FrameType | None:
        """The frame of the notebook's code that looks a variable up through ``frame``; None for other code."""
        reader: FrameType | None = frame
        while reader is not None and _hands_on(reader):
            reader = reader.f_back
        if reader is None or _root(reader) == "kfnb":
            return None
        code = reader.f_code
        if code not in self._known:
            self._known[code] = self._is_own(reader.f_globals)
        return reader if self._known[code] else None


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _root(frame: FrameType) -> str:
    return _module(frame).partition(".")[0]


def _hands_on(frame: FrameType) -> bool:
    functions = _HANDS_ON.get(_module(frame))
    if functions is None:
        return _root(frame) in _SETTINGS_READERS
    return not functions or frame.f_code.co_name in functions.split()


def _is_one_of_all(frame: FrameType) -> bool:
    """Whether code iterates over a mapping's items or values."""
    return _module(frame) == _MAPPINGS and frame.f_code.co_name in ("__iter__", "popitem")


# -- Python's own environment, watched ------------------------------------------------------------------------

_watching: list[VariableWatch] = []
_Plain: Any = compat.Environ
_frame = sys._getframe  # noqa: SLF001 - inspect's way to the caller reads its source too


class _WatchedEnviron(_Plain):  # type: ignore[misc]
    """``os.environ`` while it is watched: the same mapping, which also reports each access."""

    def __getitem__(self, key: Any) -> Any:
        frame = _frame(1)
        _notify(lambda watch: watch.read(_text(key), frame))
        return super().__getitem__(key)

    def __iter__(self) -> Iterator[Any]:
        frame = _frame(1)
        _notify(lambda watch: watch.read_all(frame))
        return iter(list(super().__iter__()))

    def copy(self) -> Any:
        frame = _frame(1)
        _notify(lambda watch: watch.copied(frame))
        return super().copy()

    def __or__(self, other: Any) -> Any:
        frame = _frame(1)
        _notify(lambda watch: watch.copied(frame))
        return super().__or__(other)

    def __ror__(self, other: Any) -> Any:
        frame = _frame(1)
        _notify(lambda watch: watch.copied(frame))
        return super().__ror__(other)

    def keys(self) -> Any:
        return _Keys(self, _frame(1))

    def setdefault(self, key: Any, value: Any) -> Any:
        frame = _frame(1)
        there = key in self
        now = super().__getitem__(key) if there else value
        _notify(lambda watch: (watch.read if now != value else watch.defaulted)(_text(key), frame))
        if not there:
            super().__setitem__(key, value)
            _notify(lambda watch: watch.written(_text(key), frame, _text(value)))
        return now

    def __setitem__(self, key: Any, value: Any) -> None:
        frame = _frame(1)
        super().__setitem__(key, value)
        _notify(lambda watch: watch.written(_text(key), frame, _text(value)))

    def __delitem__(self, key: Any) -> None:
        frame = _frame(1)
        super().__delitem__(key)
        _notify(lambda watch: watch.written(_text(key), frame, None))

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle as a plain environment."""
        return object.__new__, (_Plain,), vars(self)


_WatchedEnviron.__name__ = _WatchedEnviron.__qualname__ = _Plain.__name__
_WatchedEnviron.__module__ = _Plain.__module__


class _Keys(KeysView[Any]):
    """The names, requested by ``frame``: ``dict(os.environ)`` requests and iterates over them at one line."""

    def __init__(self, environment: _WatchedEnviron, frame: FrameType) -> None:
        super().__init__(environment)
        self._environment, self._requested = environment, (id(frame), frame.f_lasti)

    def __iter__(self) -> Iterator[Any]:
        frame = _frame(1)
        copied = (id(frame), frame.f_lasti) == self._requested
        _notify(lambda watch: watch.copied(frame) if copied else watch.read_all(frame))
        return iter(list(_Plain.__iter__(self._environment)))


def _text(value: Any) -> str:
    return os.fsdecode(value) if isinstance(value, bytes) else str(value)


def _notify(report: Callable[[VariableWatch], None]) -> None:
    for watch in tuple(_watching):
        with suppress(Exception):  # an error here would surface in the user's code
            report(watch)


def _begin(watch: VariableWatch) -> None:
    _watching.append(watch)
    _swap(_Plain, _WatchedEnviron)


def _end(watch: VariableWatch) -> None:
    if watch in _watching:
        _watching.remove(watch)
    if not _watching:
        _swap(_WatchedEnviron, _Plain)


def _swap(old: Any, new: Any) -> None:
    for environment in _environments:
        if type(environment) is old:
            environment.__class__ = new


_environments: tuple[Any, ...] = (os.environ, *([os.environb] if os.supports_bytes_environ else []))
