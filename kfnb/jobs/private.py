"""Folders and files that only their user can access, since a home holds values, logs and artifacts.

A folder's permissions protect everything below it, so files that steps and libraries write there keep their own
permissions.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make(folder: Path) -> None:
    """Create a folder, with its missing parents, that only this user can access.

    Existing folders keep their permissions: a home may be any folder, or be in any. Raises ``OSError``.
    """
    for one in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        one.mkdir(mode=0o700, exist_ok=True)


def shut(folder: Path) -> str:
    """Create a folder that only this user can access; a note if others could read it before. Raises ``OSError``."""
    make(folder)
    status = folder.stat()
    if os.name == "posix" and status.st_mode & _OTHERS and status.st_uid == os.geteuid():
        with suppress(OSError):  # a file system without permissions
            folder.chmod(status.st_mode & ~_OTHERS & 0o7777)
            return f"other users could read {folder} until now; from now on only you can"
    return ""


def write(file: Path, text: str) -> None:
    """Write a file that only this user can access, atomically. Of several who write it at once, one is the last."""
    descriptor, name = mkstemp(prefix=f".{file.name}.", dir=file.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as new:
            new.write(text)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def append(file: Path, text: str) -> None:
    """Append to a file that, if it is new, only this user can access."""
    with open(file, "a", encoding="utf-8", opener=opener) as more:
        more.write(text)


def let_in(folder: Path) -> None:
    """Let the user of a container's image, who may be any, read ``folder``, which is mounted into the container.

    Other users of this machine still cannot: the folders above are closed to them.
    """
    for path, _, files in os.walk(folder):
        with suppress(OSError):
            Path(path).chmod(Path(path).stat().st_mode | 0o055)
        for name in files:
            file = Path(path, name)
            if not file.is_symlink():
                with suppress(OSError):
                    file.chmod(file.stat().st_mode | 0o044)


def opener(path: str, flags: int) -> int:
    """For ``open``: only this user can access a new file."""
    return os.open(path, flags, 0o600)
