"""Folders and files that are their user's alone: what is in a home (values, logs, artifacts) is nobody else's business.

Whatever lies below a folder of these rights is shut off with it, so files that steps and libraries write there keep
the rights that these give them.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make(folder: Path) -> None:
    """Have a folder, with those above it that are not there yet: all of these are this user's alone.

    What was there already keeps its rights: a home may lie in any folder, and be one. Raises ``OSError``.
    """
    for one in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        one.mkdir(mode=0o700, exist_ok=True)


def shut(folder: Path) -> str:
    """Have a folder that is this user's alone; a note where others could see into it before. Raises ``OSError``."""
    make(folder)
    status = folder.stat()
    if os.name == "posix" and status.st_mode & _OTHERS and status.st_uid == os.geteuid():
        with suppress(OSError):  # a file system without rights
            folder.chmod(status.st_mode & ~_OTHERS & 0o7777)
            return f"others could see into {folder} until now; its rights are yours alone from here on"
    return ""


def write(file: Path, text: str) -> None:
    """Write a file that is this user's alone; it is there whole, or as it was before."""
    draft = file.with_name(f".{file.name}")
    draft.unlink(missing_ok=True)
    with open(draft, "w", encoding="utf-8", opener=opener) as new:
        new.write(text)
    draft.replace(file)


def append(file: Path, text: str) -> None:
    """Add to a file that, if it is new, is this user's alone."""
    with open(file, "a", encoding="utf-8", opener=opener) as more:
        more.write(text)


def let_in(folder: Path) -> None:
    """Let the user of a container's image, who may be any, read what is in ``folder``, which is mounted into that.

    Others of this machine still cannot: they do not get through the folders above.
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
    """For ``open``: a file that is new is this user's alone."""
    return os.open(path, flags, 0o600)
