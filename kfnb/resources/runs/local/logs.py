"""What the tasks of a run wrote, in order: once, or as it arrives, in constant memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kfnb.entities import LogLine
from kfnb.resources.runs.local.folder import RunFolder

_CHUNK = 1 << 20
"""Bytes after which a line without an end is cut."""
_TICK = 0.01
"""Seconds between two polls for new lines: a poll is one call of the system."""


@dataclass
class Tail:
    """The file ``file``, read up to ``offset``."""

    file: Path
    offset: int = 0

    @property
    def has_grown(self) -> bool:
        """Whether there is more than was read."""
        try:
            return self.file.stat().st_size > self.offset
        except OSError:
            return False

    def lines(self, *, until: int | None = None, rest: bool = False) -> Iterator[str]:
        """The new lines that begin before ``until``; with ``rest``, also an unfinished line."""
        if not self.file.exists():
            return
        with self.file.open("rb") as file:
            file.seek(self.offset)
            while until is None or self.offset < until:
                line = file.readline(_CHUNK)
                if not line or not (line.endswith(b"\n") or rest or len(line) == _CHUNK):
                    return
                self.offset += len(line)
                yield line.decode("utf-8", "replace").rstrip("\n")


class LogReader:
    """Reads the logs of the tasks that ``included`` selects, of the run in ``folder``. Each line is returned once."""

    def __init__(self, folder: RunFolder, included: Callable[[str], bool]) -> None:
        self._folder = folder
        self._included = included
        self._order = Tail(folder.timeline)
        self._tails: dict[str, Tail] = {}
        self._at: float | None = None

    def new(self) -> Iterator[LogLine]:
        """The new lines whose order is known."""
        for entry in self._order.lines():
            size, task, *at = entry.split(" ")
            if self._included(task):
                self._at = float(at[0]) if at else None
                yield from self._of(task, until=int(size))

    def wait(self, seconds: float) -> None:
        """Wait until there are new lines, for at most ``seconds``."""
        until = time.monotonic() + seconds
        while not self._order.has_grown and time.monotonic() < until:
            time.sleep(_TICK)

    def rest(self, tasks: Iterable[str]) -> Iterator[LogLine]:
        """All other new lines, task by task; also unfinished lines."""
        for task in tasks:
            if self._included(task):
                self._at = None
                yield from self._of(task, rest=True)

    def _of(self, task: str, *, until: int | None = None, rest: bool = False) -> Iterator[LogLine]:
        tail = self._tails.setdefault(task, Tail(self._folder.log(task)))
        for line in tail.lines(until=until, rest=rest):
            yield LogLine(task, line, self._at)
