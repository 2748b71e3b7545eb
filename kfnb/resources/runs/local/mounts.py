"""Folders mounted for one step (``/data``), invisible to the rest of the machine.

A step's process gets its own view of the file system (a Linux mount namespace, with a user namespace unless it is
root's). If the kernel forbids that, or is not Linux, a pipeline with mounts is refused. A path that does not exist is
created as an empty folder, as docker does; if the user may not create it, only within the view.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

_NEW_MOUNTS, _NEW_USER = 0x00020000, 0x10000000
_BIND, _RECURSIVE, _UNBINDABLE, _PRIVATE = 0x1000, 0x4000, 0x20000, 0x40000


@dataclass(frozen=True)
class ProcessMount:
    """At ``path`` the process sees ``folder``; without one, ``files`` with these contents, kept only in memory."""

    path: str
    folder: Path | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


@lru_cache(maxsize=1)
def possible() -> bool:
    """Whether a process may mount here."""
    if sys.platform != "linux":
        return False
    done = subprocess.run([sys.executable, "-I", __file__], capture_output=True, check=False)
    return done.returncode == 0


def enter(mounts: Sequence[ProcessMount], scratch: Path) -> None:
    """Give this single-threaded process a view with ``mounts``. ``scratch`` is a folder that it may use."""
    if mounts:
        here = Path.cwd()
        _own_view()
        for mount in sorted(mounts, key=lambda mount: mount.path):
            _make(Path(mount.path), scratch)
            _attach(mount)
        os.chdir(here)  # the working directory may be below a mount now


def _own_view() -> None:
    user, group = os.geteuid(), os.getegid()
    if user or not _succeeds("unshare", _NEW_MOUNTS):
        _call("unshare", _NEW_USER | _NEW_MOUNTS)
        with suppress(OSError):
            Path("/proc/self/setgroups").write_bytes(b"deny")
        Path("/proc/self/uid_map").write_bytes(b"%d %d 1" % (user, user))
        Path("/proc/self/gid_map").write_bytes(b"%d %d 1" % (group, group))
    _mount(None, "/", None, _RECURSIVE | _PRIVATE)


def _attach(mount: ProcessMount) -> None:
    if mount.folder is not None:
        _mount(mount.folder, mount.path, None, _BIND | _RECURSIVE)
        return
    _mount("none", mount.path, "tmpfs", 0)
    for name, content in mount.files.items():
        (Path(mount.path) / name).write_bytes(content)


def _make(point: Path, scratch: Path) -> None:
    try:
        point.mkdir(parents=True, exist_ok=True)
    except OSError:
        above = next(parent for parent in point.parents if parent.is_dir())
        scratch.mkdir(parents=True, exist_ok=True)
        room = scratch / str(len(list(scratch.iterdir())))
        room.mkdir()
        _rebuild(above, room)
        point.mkdir(parents=True)


def _rebuild(folder: Path, room: Path) -> None:
    """Replace ``folder`` in the view by a writable folder with the same content."""
    _mount("none", room, "tmpfs", 0)
    _mount(None, room, None, _UNBINDABLE)  # to avoid a mount within itself
    for entry in os.scandir(folder):
        copy = room / entry.name
        if entry.is_symlink():
            copy.symlink_to(os.readlink(entry.path))  # noqa: PTH115 - a str, unchanged
            continue
        copy.mkdir() if entry.is_dir() else copy.touch()
        with suppress(OSError):  # what is unreadable now stays unreadable
            _mount(entry.path, copy, None, _BIND | _RECURSIVE)
    if folder == Path("/"):
        os.chroot(room)
    else:
        _mount(None, room, None, _PRIVATE)
        _mount(room, folder, None, _BIND | _RECURSIVE)


def _mount(source: str | Path | None, target: str | Path, kind: str | None, flags: int) -> None:
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind)]
    _call("mount", *words, ctypes.c_ulong(flags), None)


def _call(function: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, function)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def _succeeds(function: str, *arguments: object) -> bool:
    try:
        _call(function, *arguments)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    _own_view()
