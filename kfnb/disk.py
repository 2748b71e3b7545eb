"""The disk that kfnb's home is on: how much space is free, what uses it, and how to free it."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

FULL = 2**20
"""Bytes below which nothing is reliable: a run needs some to record how it ended."""
LOW = 100 * 10**6
"""Bytes below which a run may not finish."""

_TIMEOUT = 2.0
"""Seconds for adding up what uses the space."""
_UNITS = ("B", "kB", "MB", "GB", "TB")
_THOUSAND = 1000
_SHOWN = 4
_NAMED = {
    "runs": ("runs", "kfnb runs prune --keep 5"),
    "services": ("services", "kfnb services delete NAME"),
    "schedules": ("schedules", "kfnb schedules delete NAME"),
    "studies": ("studies", "kfnb studies show NAME --delete"),
    "data": ("versions of data sets", "kfnb data prune"),
    "data-files": ("files of data sets in use", "rm -r {}"),
    "cache": ("the cache", "rm -r {}"),
    "envs": ("environments of steps", "rm -r {}"),
    "clusters": ("logs of clusters", ""),
}


def free(home: Path) -> int:
    """The bytes that can be written under ``home``; also 0 if no more files can be created."""
    for one in (home, *home.parents):
        with suppress(OSError, ValueError):  # of an invalid file name
            found = os.statvfs(one)
            return found.f_bavail * found.f_frsize if found.f_favail or not found.f_files else 0
    return 0


def unusable(home: Path) -> str:
    """Why ``home`` cannot be written, apart from free space; empty if it can."""
    there = next((one for one in (home, *home.parents) if one.exists()), home)
    if not there.is_dir():
        return f"{there} is not a folder"
    return "" if os.access(there, os.W_OK | os.X_OK) else f"{there} is not writable"


def shortage(home: Path) -> str:
    """A message if the disk of ``home`` is full, with what uses the space and how to free it; else empty."""
    left = free(home)
    return (
        f"no space left on the disk of {home} ({size(left)} free); {described(home)}" if left < FULL else ""
    )


def described(home: Path) -> str:
    """What uses the space in ``home``, and the commands that free some."""
    found = taken(home)
    if not found:
        return f"{home} uses little of it"
    parts = [f"{_NAMED.get(name, (name, ''))[0]} {size(many)}" for name, many in found[:_SHOWN]]
    ways = [_NAMED.get(name, ("", "check {}"))[1].format(home / name) for name, _ in found[:_SHOWN]]
    return f"it holds {', '.join(parts)}; to free space: {', or '.join(filter(None, ways))}"


def taken(home: Path) -> list[tuple[str, int]]:
    """The bytes that each part of ``home`` uses, the largest first; with many files, as far as the time allows."""
    until = time.monotonic() + _TIMEOUT
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
    """The disk space of the files below ``top``, as far as they are read by then."""
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
