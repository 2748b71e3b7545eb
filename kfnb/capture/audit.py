"""Python's file accesses as they happen: its audit events, and checks of whether a file exists.

Python calls audit hooks when it opens, lists, renames and removes files
(https://docs.python.org/3/library/audit_events.html). There is no event for ``os.path.exists`` and similar functions,
which all call ``os.stat``, ``os.lstat`` or ``os.access``: while a watch is active, those three are replaced by
functions that raise an event too.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

Listener = Callable[[str, tuple[Any, ...]], None]
CHECK = "check"
"""The event of a check of whether a file exists; its argument is the path."""

_EVENTS = frozenset(
    {
        "open",
        "sqlite3.connect",
        *(f"os.{name}" for name in ("rename", "remove", "mkdir", "rmdir", "listdir", "scandir")),
        *(f"os.{name}" for name in ("truncate", "link", "symlink")),
    }
)
_CHECKS = ("stat", "lstat", "access")
_IMPORTS = "<frozen importlib"
"""The import machinery: folders that Python searches for modules are not inputs of the cell."""

_listening: list[Listener | None] = []
_originals = {name: getattr(os, name) for name in _CHECKS}
_wrappers: dict[str, Callable[..., Any]] = {}
_reported = threading.local()


def listen(listener: Listener | None) -> None:
    """Pass the events to ``listener`` from now on; None stops that.

    An audit hook cannot be removed, so one hook serves all watches.
    """
    if not _listening:
        _listening.append(None)
        sys.addaudithook(_hook)
        _wrappers.update({name: _reporting(function) for name, function in _originals.items()})
    _listening[0] = listener
    for name, function in (_wrappers if listener is not None else _originals).items():
        setattr(os, name, function)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _listening[0] is not None and event in _EVENTS:
        _report(event, arguments)


def _report(event: str, arguments: tuple[Any, ...]) -> None:
    listener = _listening[0]
    # file accesses of the hook itself are not the cell's
    if listener is None or getattr(_reported, "now", False) or _is_import(sys._getframe(2)):  # noqa: SLF001
        return
    _reported.now = True
    try:
        with suppress(Exception):  # an error here would surface in the user's code
            listener(event, arguments)
    finally:
        _reported.now = False


def _is_import(frame: Any) -> bool:
    return str(frame.f_code.co_filename).startswith(_IMPORTS)


def _reporting(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ``function`` so that it raises an event with its path first."""

    @wraps(function)
    def reporting(path: Any, *more: Any, **options: Any) -> Any:
        if not isinstance(path, int) and options.get("dir_fd") is None:
            _report(CHECK, (path,))
        return function(path, *more, **options)

    for abilities in (
        os.supports_dir_fd,
        os.supports_fd,
        os.supports_follow_symlinks,
        os.supports_effective_ids,
    ):
        if function in abilities:
            abilities.add(reporting)  # shutil checks
    return reporting
