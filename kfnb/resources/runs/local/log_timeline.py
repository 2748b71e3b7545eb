"""The order in which the tasks of a run wrote their logs: lines ``SIZE TASK TIME``, written by the supervisor.

Each line records that the log of ``TASK`` had ``SIZE`` bytes at ``TIME`` (seconds since the epoch; older files have
none), before the output that the following lines record.
Tasks write their logs themselves; the supervisor only reads the sizes, so the order is exact to ``_TICK``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kfnb.jobs import private

_TICK = 0.01
"""Seconds between two samples of the logs of running tasks."""


class Timeline:
    """Writes a run's timeline to ``file``."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._sizes: dict[tuple[str, Path], int] = {}

    @contextmanager
    def watched(self, task: str, log: Path) -> Iterator[None]:
        """Watch the log of a task while it runs."""
        self._sizes[task, log] = 0
        try:
            yield
        finally:
            self._note()
            del self._sizes[task, log]

    async def watch(self) -> None:
        """Sample the logs repeatedly, until cancelled."""
        while True:
            await asyncio.sleep(_TICK)
            self._note()

    def _note(self) -> None:
        grown = [(key, size) for key, old in self._sizes.items() if (size := _size(key[1])) > old]
        self._sizes.update(grown)
        if grown:
            # it is closed again, so that tasks do not inherit it; on a full disk only the order is lost
            with suppress(OSError):
                now = time.time()
                lines = "".join(f"{size} {task} {now:.2f}\n" for (task, _), size in grown)
                private.append(self._file, lines)


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except OSError:
        return 0
