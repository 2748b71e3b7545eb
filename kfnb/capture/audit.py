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

Heard = Callable[[str, tuple[Any, ...]], None]
LOOK = "look"
"""The event of a check of whether a file exists; its argument is the path."""

_EVENTS = frozenset(
    {
        "open",
        "sqlite3.connect",
        *(f"os.{name}" for name in ("rename", "remove", "mkdir", "rmdir", "listdir", "scandir")),
        *(f"os.{name}" for name in ("truncate", "link", "symlink")),
    }
)
_LOOKS = ("stat", "lstat", "access")
_IMPORTS = "<frozen importlib"
"""The import machinery: folders that Python searches for modules are not inputs of the cell."""

_listening: list[Heard | None] = []
_originals = {name: getattr(os, name) for name in _LOOKS}
_telling: dict[str, Callable[..., Any]] = {}
_hearing = threading.local()


def listen(heard: Heard | None) -> None:
    """Pass the events to ``heard`` from now on; None stops that.

    An audit hook cannot be removed, so one hook serves all watches.
    """
    if not _listening:
        _listening.append(None)
        sys.addaudithook(_hook)
        _telling.update({name: _teller(look) for name, look in _originals.items()})
    _listening[0] = heard
    for name, look in (_telling if heard is not None else _originals).items():
        setattr(os, name, look)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _listening[0] is not None and event in _EVENTS:
        _tell(event, arguments)


def _tell(event: str, arguments: tuple[Any, ...]) -> None:
    heard = _listening[0]
    # file accesses of the hook itself are not the cell's
    if heard is None or getattr(_hearing, "now", False) or _is_import(sys._getframe(2)):  # noqa: SLF001
        return
    _hearing.now = True
    try:
        with suppress(Exception):  # an error here would surface in the user's code
            heard(event, arguments)
    finally:
        _hearing.now = False


def _is_import(frame: Any) -> bool:
    return str(frame.f_code.co_filename).startswith(_IMPORTS)


def _teller(look: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ``look`` so that it raises an event with its path first."""

    @wraps(look)
    def telling(path: Any, *more: Any, **options: Any) -> Any:
        if not isinstance(path, int) and options.get("dir_fd") is None:
            _tell(LOOK, (path,))
        return look(path, *more, **options)

    for abilities in (
        os.supports_dir_fd,
        os.supports_fd,
        os.supports_follow_symlinks,
        os.supports_effective_ids,
    ):
        if look in abilities:
            abilities.add(telling)  # shutil checks
    return telling
