"""Observes which files a cell reads and writes while it runs here.

Files count if they are below the notebook's folder, beside it in its project, or in the folder for temporary files.
Notebooks, files of tools in hidden folders, and files elsewhere (a library's data, a font) are not the notebook's
data; neither is code, unless the cell wrote it or read it as a file.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from kfnb.capture import audit
from kfnb.capture.files import Files
from kfnb.capture.inotify import Inotify
from kfnb.capture.project import top_of

_CODE = (".py", ".pyc", ".pyi", ".ipynb", ".so")
_NO_DATA = frozenset({"__pycache__", "site-packages", ".git", ".ipynb_checkpoints", ".venv"})
_WRITES = os.O_WRONLY | os.O_RDWR
_RELATIVE = {
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.mkdir": ((0, 2),),
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((0, 2), (1, 3)),
    "os.symlink": ((1, 2),),
}
"""The indices of a path among an event's arguments, and of the open folder that it is relative to; -1 for none."""


class FileWatch:
    """Observe the files of the running cell until ``stop``. A process has one watch at a time."""

    def __init__(
        self, folder: Path, *, above: bool = False, code: Collection[str] = (), apart: Iterable[Path] = ()
    ) -> None:
        """``above``: other programs may open files beside the folder; ``code``: modules that are data when read.

        Files in ``apart``, and these paths themselves, do not count: they are inputs already.
        """
        self._apart = tuple(os.path.realpath(path) for path in apart)
        self._folders = (os.path.realpath(folder), os.path.abspath(folder))  # noqa: PTH100 - links stay
        self._tops = tuple(os.fspath(top_of(Path(one))) for one in self._folders)
        self._temporary = os.path.realpath(tempfile.gettempdir())
        self._roots = (*self._tops, self._temporary, tempfile.gettempdir())
        self._at_home = os.path.realpath(Path.home()) == self._folders[0]
        self._code = code
        self._checked: set[str] = set()
        self._process = os.getpid()
        self._parents: dict[str, str] = {}
        self._names: dict[str, str | None] = {}
        self._reads: set[str] = set()
        self._checked_files: set[str] = set()
        self._missed: set[str] = set()
        self._writes: set[str] = set()
        self._removed: set[str] = set()
        self._listed: set[str] = set()
        self._mapped: set[str] = set()
        self._own: set[str] = set()
        self._made: set[str] = set()
        self._around: set[str] = set()
        self._handlers = {
            audit.CHECK: self._check,
            "os.remove": self._remove,
            "os.mkdir": self._make,
            "os.rmdir": self._remove_folder,
            "os.listdir": self._list,
            "os.scandir": self._list,
        }
        self._start = self._name(Path.cwd(), folder=True) or "."
        roots = [self._folders[0], *([self._tops[0]] if above else [])]
        self._inotify = Inotify(*map(Path, roots))
        self._seen: Files | None = None
        audit.listen(self.handle)

    def stop(self) -> Files:
        """Stop observing and return the files. Further calls return the same."""
        if self._seen is None:
            audit.listen(None)
            self._catch_up()
            self._inotify.close()
            self._seen = self._found()
        return self._seen

    def _found(self) -> Files:
        # a file that was opened but not read or written was mapped into memory
        reads = (
            self._reads | (self._mapped - self._writes) | (self._checked_files - self._writes - self._removed)
        )
        reads = {name for name in reads if not name.endswith(".py") or name in self._code}
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
            frozenset(self._missed),
        )

    def handle(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Handle one of Python's events about files, after those that other programs caused before."""
        if os.getpid() != self._process:
            return  # inotify reports a fork's files, and the fork must not consume the events
        if event == audit.CHECK and self._is_known(arguments[0]):
            return
        self._catch_up()
        given = _absolute(event, arguments)
        if event == "open":
            self._opened(given[0], given[2])
        elif event == "sqlite3.connect":
            self._opened(given[0], os.O_CREAT if self._inotify.sees else os.O_RDWR)
        elif event == "os.rename":
            self._rename(given[0], given[1])
        elif event in ("os.truncate", "os.link", "os.symlink"):
            self._write(given[0] if event == "os.truncate" else given[1])
            self._forget_names()
        else:
            self._handlers[event](given[0])

    def _is_known(self, path: Any) -> bool:
        """Whether a further check shows nothing new: there are thousands, so each must be cheap."""
        text = os.fspath(path)
        if isinstance(text, str) and os.path.isabs(text):  # noqa: PTH117 - many
            if not text.startswith(self._roots):
                return True
            checked = text
        else:
            checked = f"{os.getcwd()}/{os.fsdecode(text)}"  # noqa: PTH109 - many
        known = checked in self._checked
        self._checked.add(checked)
        return known

    def _catch_up(self) -> None:
        """Handle the events that Linux has reported since, which Python may not have caused."""
        for what, path in self._inotify.events():
            if what in ("created", "written"):
                if not path.endswith(".py"):  # probably written by an editor, not the cell
                    self._write(path, new=what == "created")
            elif what == "read":
                self._read(path)
            elif what == "removed":
                self._remove(path)
            elif what == "made":
                self._make(path, surely=True)
            elif (name := self._name(path)) is not None and name not in self._writes:
                self._mapped.add(name)

    def _opened(self, path: Any, flags: int) -> None:
        name = self._name(path)
        writes = flags & _WRITES
        if name is None or (name in self._reads and not writes):
            return
        there = os.path.exists(path)  # noqa: PTH110 - any kind of path
        if not there and not writes:
            self._miss(name)
        # a file that is appended to, or changed in place, is read
        if there and not (writes and flags & os.O_TRUNC):
            self._read(path)
        if writes or (not there and flags & os.O_CREAT):
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
        self._forget_names()

    def _check(self, path: Any) -> None:
        folder = os.path.isdir(path)  # noqa: PTH112 - any kind of path
        name = self._name(path, folder=folder)
        if name is None:
            return
        if folder:
            self._around |= {name} - self._made
        elif not self._path(name).exists():
            self._miss(name)
        elif name not in self._writes:
            self._checked_files.add(name)

    def _miss(self, name: str) -> None:
        """Record a missing file: unless the cell has removed it, it may exist when the step runs."""
        if name not in self._removed and not name.startswith(("/", "..")):
            self._missed.add(name)

    def _write(self, path: Any, *, new: bool = False) -> None:
        name = self._name(path)
        if name is None:
            return
        if new and name not in self._reads and name not in self._removed:
            self._own.add(name)
        self._removed.discard(name)
        self._writes.add(name)

    def _remove(self, path: Any) -> None:
        name = self._name(path)
        if name is None:
            return
        if name not in self._own:  # else only the cell knows it
            self._removed.add(name)
        self._writes.discard(name)

    def _make(self, path: Any, *, surely: bool = False) -> None:
        self._forget_names()
        name = self._name(path, folder=True)
        if name is None:
            return
        if surely or not self._path(name).exists():
            self._made.add(name)
        else:
            self._around |= {name} - self._made

    def _remove_folder(self, path: Any) -> None:
        self._forget_names()
        name = self._name(path, folder=True)
        if name is not None and name not in self._made:
            self._removed.add(f"{name}/")
            self._around.add(name)

    def _list(self, path: Any) -> None:
        name = self._name(path, folder=True)
        if name is not None and self._path(name).is_dir() and not self._is_walked(name):
            self._listed.add(name)

    def _is_walked(self, name: str) -> bool:
        """Whether a hidden folder, or a folder in it, was only listed with the folder around it: a tool's folder."""
        parts = name.split("/")
        hidden = next((index for index, part in enumerate(parts) if _is_hidden(part)), None)
        return hidden is not None and ("/".join(parts[:hidden]) or ".") in self._listed

    def _path(self, name: str) -> Path:
        return Path(self._folders[0], name)

    def _forget_names(self) -> None:
        self._parents.clear()
        self._names.clear()

    def _name(self, path: Any, *, folder: bool = False) -> str | None:
        """The name of a path in ``Files``; None for a path that does not count."""
        with suppress(OSError, ValueError, TypeError):
            text = os.fsdecode(os.fspath(path))
            key = text if text.startswith("/") else f"{os.getcwd()}/{text}"  # noqa: PTH109 - many
            if folder:
                return self._called(os.path.normpath(key), folder=True)
            if key not in self._names:
                given = os.path.normpath(key)
                self._names[key] = None if os.path.isdir(given) else self._called(given)  # noqa: PTH112 - many
            return self._names[key]
        return None

    def _called(self, given: str, *, folder: bool = False) -> str | None:
        whole = self._real(given, folder=folder)
        if any(whole == one or whole.startswith(f"{one}/") for one in self._apart):
            return None
        # a link in the folder is a file of the folder, whatever its target
        for roots in (self._folders, self._tops):
            for place in (whole, given):
                for root, start in zip(roots, self._folders, strict=True):
                    if place == root or place.startswith(f"{root}/"):
                        return self._counted(os.path.relpath(place, start), folder=folder)
        if not whole.startswith(f"{self._temporary}/"):
            return None
        return whole if folder or not whole.endswith(_CODE) else None

    def _counted(self, name: str, *, folder: bool) -> str | None:
        """The name, if it is data. In the home, hidden folders belong to tools."""
        folders = name.split("/") if folder else name.split("/")[:-1]
        known = name.removesuffix(".py")
        return name if counts(known, folder=folder) and not (self._at_home and any_hidden(folders)) else None

    def _real(self, path: str, *, folder: bool) -> str:
        if folder:
            return os.path.realpath(path)
        parent, _, name = path.rpartition("/")
        if parent not in self._parents:
            self._parents[parent] = os.path.realpath(parent or "/").rstrip("/")
        return f"{self._parents[parent]}/{name}"


def counts(name: str, *, folder: bool = False) -> bool:
    """Whether a path relative to the notebook's folder is data."""
    parts = name.split("/")
    if not folder and parts.pop().endswith(_CODE):
        return False
    return _NO_DATA.isdisjoint(parts)


def any_hidden(parts: Iterable[str]) -> bool:
    """Whether one of the parts of a path is hidden."""
    return any(map(_is_hidden, parts))


def _is_hidden(part: str) -> bool:
    return part.startswith(".") and part not in (".", "..")


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _absolute(event: str, given: tuple[Any, ...]) -> list[Any]:
    """The arguments of an event, with paths that are relative to an open folder made absolute."""
    found = list(given)
    for path, folder in _RELATIVE.get(event, ()):
        if found[folder] not in (-1, None):
            found[path] = Path(f"/proc/self/fd/{found[folder]}").readlink() / os.fsdecode(found[path])
    return found


def _renamed(source: Path, target: Path) -> Iterator[tuple[Path, Path]]:
    """The files that a rename moves; those of a folder, one by one."""
    if not source.is_dir():
        yield source, target
    for around, _, names in os.walk(source):
        for name in names:
            file = Path(around) / name
            yield file, target / file.relative_to(source)
