"""The disk that kfnb's home is on: how much room there is, what takes it, and how it is freed."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

FULL = 2**20
"""Bytes without which nothing can be relied on: a run needs some to say how it ended."""
LOW = 100 * 10**6
"""Bytes below which a run may well not come to its end."""

_PATIENCE = 2.0
"""Seconds for which it is added up what takes the room."""
_UNITS = ("B", "kB", "MB", "GB", "TB")
_THOUSAND = 1000
_SHOWN = 4
_NAMED = {
    "runs": ("runs", "kfnb runs prune --keep 5"),
    "studies": ("studies", "kfnb studies show NAME --delete"),
    "cache": ("the cache", "rm -r {}"),
    "envs": ("environments of steps", "rm -r {}"),
    "clusters": ("logs of clusters", ""),
}


def free(home: Path) -> int:
    """The bytes that may still be written under ``home``; 0 too where there can be no further file."""
    for one in (home, *home.parents):
        with suppress(OSError, ValueError):  # of a name that no file can have
            found = os.statvfs(one)
            return found.f_bavail * found.f_frsize if found.f_favail or not found.f_files else 0
    return 0


def unusable(home: Path) -> str:
    """Why nothing can be kept in ``home`` whatever room there is; empty if something can."""
    there = next((one for one in (home, *home.parents) if one.exists()), home)
    if not there.is_dir():
        return f"{there} is not a folder"
    return "" if os.access(there, os.W_OK | os.X_OK) else f"{there} may not be written to"


def shortage(home: Path) -> str:
    """That the disk of ``home`` is full, what takes the room, and how to free it; empty while it is not full."""
    left = free(home)
    return (
        f"no space left on the disk of {home} ({size(left)} free); {described(home)}" if left < FULL else ""
    )


def described(home: Path) -> str:
    """What takes the room in ``home``, and the commands that free some."""
    found = taken(home)
    if not found:
        return f"nothing in {home} takes much of it"
    parts = [f"{_NAMED.get(name, (name, ''))[0]} {size(many)}" for name, many in found[:_SHOWN]]
    ways = [_NAMED.get(name, ("", "look into {}"))[1].format(home / name) for name, _ in found[:_SHOWN]]
    return f"it holds {', '.join(parts)}; to free space: {', or '.join(filter(None, ways))}"


def taken(home: Path) -> list[tuple[str, int]]:
    """The bytes that each thing in ``home`` takes, the largest first; of many files, as far as a moment reaches."""
    until = time.monotonic() + _PATIENCE
    sizes: list[tuple[str, int]] = []
    with suppress(OSError):
        sizes = [(one.name, _bytes(Path(one), until)) for one in os.scandir(home)]
    return sorted(((name, many) for name, many in sizes if many), key=lambda item: -item[1])


def size(many: int) -> str:
    """A number of bytes in words."""
    number, unit = float(many), 0
    while number >= _THOUSAND and unit < len(_UNITS) - 1:
        number, unit = number / _THOUSAND, unit + 1
    return f"{number:.1f} {_UNITS[unit]}" if unit else f"{many} B"


def _bytes(top: Path, until: float) -> int:
    """What the files below ``top`` take on the disk, as far as they are looked at by then."""
    if not top.is_dir() or top.is_symlink():
        return _blocks(top)
    total = 0
    for folder, _, files in os.walk(top, onerror=lambda _error: None):
        total += sum(_blocks(Path(folder, name)) for name in files)
        if time.monotonic() > until:
            break
    return total


def _blocks(file: Path) -> int:
    with suppress(OSError):
        return file.lstat().st_blocks * 512
    return 0
