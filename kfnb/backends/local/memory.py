"""How much memory there is and how much of it is free: of the machine, or of the container that this is in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_GROUP = Path("/sys/fs/cgroup")
"""The control group of a container, as it sees it: version 2, and below ``memory`` version 1."""

_SPARE = 0.25
"""The share of the memory that is to stay free."""


def spare(wanted: int) -> bool:
    """Whether a quarter of the memory would stay free with ``wanted`` bytes more in use; False: not known."""
    known = list(_known())
    return bool(known) and all(free - wanted >= _SPARE * total for free, total in known)


def _known() -> Iterator[tuple[int, int]]:
    """Bytes that are free, and all: of the machine, and of the container where it has a limit."""
    with suppress(OSError, ValueError, KeyError):
        told = _table(_MEMINFO)
        yield told["MemAvailable:"] * 1024, told["MemTotal:"] * 1024
    for limit, used, stat in (
        ("memory.max", "memory.current", "memory.stat"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
    ):
        with suppress(OSError, ValueError, KeyError):  # "max": there is no limit
            total, now = (int((_GROUP / name).read_text()) for name in (limit, used))
            yield total - now + _table(_GROUP / stat)["inactive_file"], total  # files that were read may go


def _table(file: Path) -> dict[str, int]:
    """The numbers in a file of lines ``name number``."""
    return {line.split()[0]: int(line.split()[1]) for line in file.read_text().splitlines()}
