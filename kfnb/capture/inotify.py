"""Files that are opened and changed below a folder, as reported by Linux, also by code other than Python's.

Python's audit events cover what Python opens. Arrow, HDF5, polars and shell commands open files themselves; inotify
reports those. On systems other than Linux, nothing is observed.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_ACCESS, _MODIFY, _CLOSE_WRITE, _OPEN = 0x1, 0x2, 0x8, 0x20
_MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x40, 0x80, 0x100, 0x200
_MASK = _ACCESS | _MODIFY | _CLOSE_WRITE | _OPEN | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
_IS_FOLDER, _OVERFLOW = 0x40000000, 0x4000
_HEADER = struct.Struct("iIII")
_MOST = 2000
"""The maximum number of folders that are watched; a user has 8,192 watches or more."""
_LONGEST = 0.1
"""The maximum seconds for finding folders: the notebook's folder may be a home with a million files."""
_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})


class Inotify:
    """Watch the folders below ``roots``; ``events`` returns what has happened in them."""

    def __init__(self, *roots: Path) -> None:
        self._folders: dict[int, str] = {}
        self._fd = -1
        if sys.platform != "linux":
            return
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        for folder in _folders(*roots):
            if self._fd >= 0:
                self._watch(folder)

    @property
    def sees(self) -> bool:
        """Whether any folder is watched."""
        return self._fd >= 0

    def _watch(self, folder: Path) -> None:
        watch = self._libc.inotify_add_watch(self._fd, os.fsencode(folder), _MASK)
        if watch >= 0:
            self._folders[watch] = os.fspath(folder)

    def events(self) -> Iterator[tuple[str, str]]:
        """The events in order: ``created``, ``written``, ``read``, ``opened`` or ``removed`` with the path of a file,
        or ``made`` with that of a folder.

        A file that is mapped into memory is opened, and never read.
        """
        while self._fd >= 0:
            try:
                data = os.read(self._fd, 1 << 16)
            except BlockingIOError:
                return
            yield from self._parsed(data)

    def _parsed(self, data: bytes) -> Iterator[tuple[str, str]]:
        place = 0
        while place < len(data):
            watch, mask, _, length = _HEADER.unpack_from(data, place)
            name = data[place + _HEADER.size : place + _HEADER.size + length].rstrip(b"\0")
            place += _HEADER.size + length
            folder = self._folders.get(watch)
            if folder is None or not name or mask & _OVERFLOW:
                continue
            path = f"{folder}/{os.fsdecode(name)}"
            if mask & _IS_FOLDER:
                yield from self._entered(Path(path), mask)
            elif mask & (_DELETE | _MOVED_FROM):
                yield "removed", path
            elif mask & _CREATE:
                yield "created", path
            elif mask & (_MODIFY | _CLOSE_WRITE | _MOVED_TO):
                yield "written", path
            else:
                yield "read" if mask & _ACCESS else "opened", path

    def _entered(self, folder: Path, mask: int) -> Iterator[tuple[str, str]]:
        """Watch a new folder: what is in it was written before it could be watched."""
        if not mask & (_CREATE | _MOVED_TO) or folder.name in _SKIPPED:
            return
        for inner in _folders(folder):
            yield "made", os.fspath(inner)
            self._watch(inner)
            for file in sorted(inner.iterdir()) if inner.is_dir() else ():
                if file.is_file():
                    yield "created", os.fspath(file)

    def close(self) -> None:
        """Stop watching."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _folders(*roots: Path) -> Iterator[Path]:
    """``roots`` and the folders below them, except hidden ones and those of code; the first root's come first."""
    seen, until = set(roots), time.monotonic() + _LONGEST
    yield from roots
    for root in roots:
        for path, names, _ in os.walk(root):
            names[:] = [
                name
                for name in sorted(names)
                if not name.startswith(".")
                and name not in _SKIPPED
                and not (Path(path) / name / "pyvenv.cfg").exists()
            ]
            for folder in (Path(path) / name for name in names):
                if len(seen) >= _MOST or time.monotonic() > until:
                    return
                if folder not in seen:
                    seen.add(folder)
                    yield folder
