"""Sees which files a cell reads and writes while it runs here.

Files count where they lie below the notebook's folder, or in the folder for temporary files. Code, notebooks,
hidden folders and what lies elsewhere (a library's data, a font) are not the notebook's data.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from kfnb.capture import audit
from kfnb.capture.files import Files
from kfnb.capture.inotify import Inotify

_CODE = frozenset({".py", ".pyc", ".pyi", ".ipynb", ".so"})
_NO_DATA = frozenset({"__pycache__", "site-packages"})
_WRITES = os.O_WRONLY | os.O_RDWR
_RELATIVE = {
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.mkdir": ((0, 2),),
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((0, 2), (1, 3)),
    "os.symlink": ((1, 2),),
}
"""Where among the arguments of an event a path stands, and the open folder that it is relative to; -1 is none."""


class FileWatch:
    """Sees the files of the cell that runs from now on, until ``stop``. There is one at a time in a process."""

    def __init__(self, folder: Path) -> None:
        self._folders = (Path(os.path.realpath(folder)), Path(os.path.abspath(folder)))  # noqa: PTH100 - links stay
        self._temporary = Path(os.path.realpath(tempfile.gettempdir()))
        self._roots = tuple(str(one) for one in (*self._folders, self._temporary, tempfile.gettempdir()))
        self._looked: set[str] = set()
        self._process = os.getpid()
        self._parents: dict[str, Path] = {}
        self._reads: set[str] = set()
        self._looks: set[str] = set()
        self._writes: set[str] = set()
        self._removed: set[str] = set()
        self._listed: set[str] = set()
        self._mapped: set[str] = set()
        self._own: set[str] = set()
        self._made: set[str] = set()
        self._around: set[str] = set()
        self._heard = {
            audit.LOOK: self._look,
            "os.remove": self._remove,
            "os.mkdir": self._make,
            "os.rmdir": self._remove_folder,
            "os.listdir": self._list,
            "os.scandir": self._list,
        }
        self._start = self._name(Path.cwd(), folder=True) or "."
        self._inotify = Inotify(self._folders[0])
        self._seen: Files | None = None
        audit.listen(self.hear)

    def stop(self) -> Files:
        """See no more; what was seen. Again it is the same."""
        if self._seen is None:
            audit.listen(None)
            self._catch_up()
            self._inotify.close()
            self._seen = self._found()
        return self._seen

    def _found(self) -> Files:
        # what was opened and never read or written was mapped into memory
        reads = self._reads | (self._mapped - self._writes) | (self._looks - self._writes - self._removed)
        left = {name for name in self._writes if self._path(name).is_file()}
        below = (name for name in self._made if not name.startswith("/"))
        left |= {f"{name}/" for name in below if _is_empty(self._path(name))}
        gone = {name for name in self._removed if not self._path(name).exists()}
        there = {name for name in reads if name in gone or self._path(name).is_file()}
        return Files(
            frozenset(there),
            frozenset(left),
            frozenset(gone),
            frozenset(self._listed),
            frozenset(self._made),
            frozenset(self._around),
            self._start if self._start != "." else "",
        )

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """One of Python's events about files; what other programs did before it comes first."""
        if os.getpid() != self._process:
            return  # inotify tells of a fork's files, and the fork must not take its events away
        if event == audit.LOOK and self._is_known(arguments[0]):
            return
        self._catch_up()
        given = _absolute(event, arguments)
        if event == "open":
            self._opened(given[0], given[2])
        elif event == "sqlite3.connect":
            self._opened(given[0], os.O_RDONLY if self._inotify.sees else os.O_RDWR)
        elif event == "os.rename":
            self._rename(given[0], given[1])
        elif event in ("os.truncate", "os.link", "os.symlink"):
            self._write(given[0] if event == "os.truncate" else given[1])
            self._parents.clear()
        else:
            self._heard[event](given[0])

    def _is_known(self, path: Any) -> bool:
        """Whether a further look tells nothing: looks come by the thousands, and must cost little."""
        text = os.fspath(path)
        if isinstance(text, str) and os.path.isabs(text):  # noqa: PTH117 - many
            if not text.startswith(self._roots):
                return True
            looked = text
        else:
            looked = f"{os.getcwd()}/{os.fsdecode(text)}"  # noqa: PTH109 - many
        known = looked in self._looked
        self._looked.add(looked)
        return known

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

    def _rename(self, source: Any, target: Any) -> None:
        for old, new in _renamed(Path(os.fsdecode(source)), Path(os.fsdecode(target))):
            self._read(old)
            self._remove(old)
            self._write(new)
        self._parents.clear()

    def _look(self, path: Any) -> None:
        folder = os.path.isdir(path)  # noqa: PTH112 - any kind of path
        name = self._name(path, folder=folder)
        if name is None:
            return
        if folder:
            self._around |= {name} - self._made
        elif name not in self._writes and self._path(name).exists():
            self._looks.add(name)

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
        if name is None:
            return
        if surely or not self._path(name).exists():
            self._made.add(name)
        else:
            self._around |= {name} - self._made

    def _remove_folder(self, path: Any) -> None:
        name = self._name(path, folder=True)
        if name is not None and name not in self._made:
            self._removed.add(f"{name}/")
            self._around.add(name)

    def _list(self, path: Any) -> None:
        name = self._name(path, folder=True)
        if name is not None and self._path(name).is_dir():
            self._listed.add(name)

    def _path(self, name: str) -> Path:
        return self._folders[0] / name

    def _name(self, path: Any, *, folder: bool = False) -> str | None:
        """What a path is called among ``Files``; None for one that does not count."""
        with suppress(OSError, ValueError, TypeError):
            given = Path(os.path.abspath(os.fsdecode(os.fspath(path))))  # noqa: PTH100 - links stay
            if not folder and given.is_dir():
                return None
            whole = self._real(given, folder=folder)
            # a link in the folder is a file of the folder, wherever it leads
            for place in (whole, given):
                for root in self._folders:
                    if place.is_relative_to(root):
                        below = place.relative_to(root)
                        return below.as_posix() if counts(below, folder=folder) else None
            if whole.is_relative_to(self._temporary) and whole != self._temporary:
                return whole.as_posix() if folder or whole.suffix not in _CODE else None
        return None

    def _real(self, path: Path, *, folder: bool) -> Path:
        if folder:
            return Path(os.path.realpath(path))
        parent = os.fspath(path.parent)
        if parent not in self._parents:
            self._parents[parent] = Path(os.path.realpath(parent))
        return self._parents[parent] / path.name


def counts(path: Path, *, folder: bool = False) -> bool:
    """Whether a path below the notebook's folder is one of data. What lies in a hidden folder is a tool's."""
    folders = path.parts if folder else path.parts[:-1]
    hidden = any(part.startswith(".") or part in _NO_DATA for part in folders)
    return not hidden and (folder or path.suffix not in _CODE)


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _absolute(event: str, given: tuple[Any, ...]) -> list[Any]:
    """The arguments of an event, with paths that are relative to an open folder made whole."""
    found = list(given)
    for path, folder in _RELATIVE.get(event, ()):
        if found[folder] not in (-1, None):
            found[path] = Path(f"/proc/self/fd/{found[folder]}").readlink() / os.fsdecode(found[path])
    return found


def _renamed(source: Path, target: Path) -> Iterator[tuple[Path, Path]]:
    """The files that a renaming renames; those of a folder, one by one."""
    if not source.is_dir():
        yield source, target
    for around, _, names in os.walk(source):
        for name in names:
            file = Path(around) / name
            yield file, target / file.relative_to(source)
