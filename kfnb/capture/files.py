"""The files that a cell reads and writes while it runs here: what a step must have, and what it leaves.

Files count where they lie below the notebook's folder, or in the folder for temporary files. Code, notebooks, hidden
files and what lies elsewhere (a library's data, a font) are not the notebook's data.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.capture.inotify import Inotify

_CODE = frozenset({".py", ".pyc", ".pyi", ".ipynb", ".so"})
_NO_DATA = frozenset({"__pycache__", "site-packages"})
_WRITES = os.O_WRONLY | os.O_RDWR
_HEARD = frozenset(
    {
        "open",
        "sqlite3.connect",
        *(f"os.{name}" for name in ("rename", "remove", "mkdir", "listdir", "scandir")),
    }
    | {f"os.{name}" for name in ("truncate", "link", "symlink")}
)
"""Python's audit events that are about files: https://docs.python.org/3/library/audit_events.html"""


@dataclass(frozen=True)
class Files:
    """Paths below the notebook's folder (``data/train.csv``), or absolute ones of temporary files.

    ``reads`` are files that were there before the cell began, ``listed`` folders whose content it looked at (``.`` is
    the notebook's own), ``writes`` what it left, ``removed`` what it removed, ``made`` the folders that it made.
    """

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    listed: frozenset[str] = frozenset()
    made: frozenset[str] = frozenset()

    def then(self, later: Files) -> Files:
        """What is left of both, where the code of ``later`` follows."""
        return Files(
            reads=self.reads | (later.reads - self.writes),
            writes=(self.writes - later.removed) | later.writes,
            removed=(self.removed - later.writes) | later.removed,
            listed=self.listed | later.listed,
            made=self.made | later.made,
        )

    @property
    def leaves(self) -> bool:
        """Whether there is something that a later step may want."""
        return bool(self.writes or self.removed)

    def __bool__(self) -> bool:
        return bool(self.reads or self.listed or self.leaves)


NONE = Files()


class FileWatch:
    """Sees the files of the cell that runs from now on, until ``stop``. There is one at a time in a process."""

    def __init__(self, folder: Path) -> None:
        self._folder = Path(os.path.realpath(folder))
        self._temporary = Path(os.path.realpath(tempfile.gettempdir()))
        self._reads: set[str] = set()
        self._writes: set[str] = set()
        self._removed: set[str] = set()
        self._listed: set[str] = set()
        self._mapped: set[str] = set()
        self._own: set[str] = set()
        self._made: set[str] = set()
        self._inotify = Inotify(self._folder)
        self._seen: Files | None = None
        _hear(self.hear)

    def stop(self) -> Files:
        """See no more; what was seen. Again it is the same."""
        if self._seen is None:
            _hear(None)
            self._catch_up()
            self._inotify.close()
            # what was opened and never read or written was mapped into memory
            reads = self._reads | (self._mapped - self._writes)
            left = {name for name in self._writes if self._path(name).is_file()}
            gone = {name for name in self._removed if not self._path(name).exists()}
            there = {name for name in reads if name in gone or self._path(name).is_file()}
            found = (there, left, gone, self._listed, self._made)
            self._seen = Files(*map(frozenset, found))
        return self._seen

    def hear(self, event: str, given: tuple[Any, ...]) -> None:
        """One of Python's audit events; what other programs did before it comes first."""
        self._catch_up()
        if event == "open":
            self._opened(given[0], given[2])
        elif event == "sqlite3.connect":
            self._opened(given[0], os.O_RDONLY if self._inotify.sees else os.O_RDWR)
        elif event == "os.rename":
            self._read(given[0])
            self._remove(given[0])
            self._write(given[1])
        elif event == "os.remove":
            self._remove(given[0])
        elif event == "os.mkdir":
            self._make(given[0])
        elif event in ("os.listdir", "os.scandir"):
            self._list(given[0])
        elif event in ("os.truncate", "os.link", "os.symlink"):
            self._write(given[0] if event == "os.truncate" else given[1])

    def _catch_up(self) -> None:
        """Take in what Linux has told since, which Python need not have seen."""
        for what, path in self._inotify.events():
            if what in ("created", "written"):
                self._write(path, new=what == "created")
            elif what == "read":
                self._read(path)
            elif what == "removed":
                self._remove(path)
            elif what == "made":
                self._make(path, surely=True)
            elif (name := self._name(path)) is not None and name not in self._writes:
                self._mapped.add(name)

    def _opened(self, path: Any, flags: Any) -> None:
        writes = isinstance(flags, int) and flags & _WRITES
        there = os.path.exists(path)  # noqa: PTH110 - any kind of path
        # a file that is appended to, or changed in place, is read
        if there and not (writes and flags & os.O_TRUNC):
            self._read(path)
        if writes or not there:
            self._write(path, new=not there)

    def _read(self, path: Any) -> None:
        name = self._name(path)
        if name is not None and name not in self._writes:
            self._reads.add(name)

    def _write(self, path: Any, *, new: bool = False) -> None:
        name = self._name(path)
        if name is None:
            return
        if new and name not in self._reads | self._removed:
            self._own.add(name)
        self._removed.discard(name)
        self._writes.add(name)

    def _remove(self, path: Any) -> None:
        name = self._name(path)
        if name is None:
            return
        if name not in self._own:  # else nobody else has seen it
            self._removed.add(name)
        self._writes.discard(name)

    def _make(self, path: Any, *, surely: bool = False) -> None:
        name = self._name(path, folder=True)
        if name is not None and (surely or not self._path(name).exists()):
            self._made.add(name)

    def _list(self, path: Any) -> None:
        name = self._name(path, folder=True)
        if name is not None and self._path(name).is_dir():
            self._listed.add(name)

    def _path(self, name: str) -> Path:
        return self._folder / name

    def _name(self, path: Any, *, folder: bool = False) -> str | None:
        """What a path is called among ``Files``; None for one that does not count."""
        with suppress(OSError, ValueError, TypeError):
            given = Path(os.fsdecode(os.fspath(path)))
            # a link in the folder is a file of the folder
            whole = given.resolve() if folder else given.parent.resolve() / given.name
            if not folder and (whole.suffix in _CODE or whole.is_dir()):
                return None
            if whole.is_relative_to(self._folder):
                name = whole.relative_to(self._folder)
                hidden = any(part.startswith(".") or part in _NO_DATA for part in name.parts)
                return None if hidden else name.as_posix()
            if whole.is_relative_to(self._temporary) and whole != self._temporary:
                return whole.as_posix()
        return None


_listening: list[Callable[[str, tuple[Any, ...]], None] | None] = []


def _hear(heard: Callable[[str, tuple[Any, ...]], None] | None) -> None:
    """Hand the audit events to ``heard`` from now on. A hook cannot be taken away again, so there is one for all."""
    if not _listening:
        _listening.append(None)
        sys.addaudithook(_hook)
    _listening[0] = heard


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    heard = _listening[0]
    if heard is not None and event in _HEARD:
        with suppress(Exception):  # an error here would be the user's
            heard(event, arguments)
