"""Which running tasks wait rather than compute, told by what their processes ask of the processor. Linux only.

Time in which a thread could run but had to queue counts as much as time in which it ran, so that a task is not taken
for a waiting one because the machine is busy. Elsewhere than on Linux no task is known to wait.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_SHARE = 0.1
"""A task that asks for less than this share of a core computes nothing to speak of."""

_QUIET = 2
"""Looks, one after the other, at which a task must be found so before it counts as waiting."""

_PROC = Path("/proc")


@dataclass(frozen=True)
class _Thread:
    """A thread that has ``asked`` for so many ns, and whether it runs now, or queues: that is added only later."""

    id: int
    asked: int
    runs: bool


@dataclass
class _Watched:
    """A task's first process, and what its threads had asked for (ns) at the time of the last look."""

    pid: int
    at: float
    asked: dict[int, int] = field(default_factory=dict)
    quiet: int = 0


class Activity:
    """Watches the processes of tasks; ``clock`` tells seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._watched: dict[str, _Watched] = {}

    def began(self, task: str, pid: int) -> None:
        """A task's process has started."""
        self._watched[task] = _Watched(pid, self._clock())

    def ended(self, task: str) -> None:
        """A task's process is gone."""
        self._watched.pop(task, None)

    def look(self) -> None:
        """See what all tasks ask for now."""
        for watched in self._watched.values():
            threads, now = list(_threads(watched.pid)), self._clock()
            more = sum(max(0, one.asked - watched.asked.get(one.id, 0)) for one in threads)
            busy = not threads or any(one.runs for one in threads) or more > _SHARE * (now - watched.at) * 1e9
            watched.quiet = 0 if busy else watched.quiet + 1
            watched.asked, watched.at = {one.id: one.asked for one in threads}, now

    def waits(self, task: str) -> bool:
        """Whether a task was found waiting at the last looks."""
        watched = self._watched.get(task)
        return watched is not None and watched.quiet >= _QUIET

    def largest(self) -> int:
        """The most memory, in bytes, that one of the tasks holds."""
        return max((_held(watched.pid) for watched in self._watched.values()), default=0)


def _threads(pid: int) -> Iterator[_Thread]:
    """The threads of a process and of those below it."""
    for process in _tree(pid):
        with suppress(OSError, ValueError, IndexError):
            for folder in (_PROC / str(process) / "task").iterdir():
                ran, queued = (folder / "schedstat").read_text().split()[:2]
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                yield _Thread(int(folder.name), int(ran) + int(queued), runs=state == "R")


def _tree(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for file in (_PROC / str(pid) / "task").glob("*/children"):
            for child in file.read_text().split():
                yield from _tree(int(child))


def _held(pid: int) -> int:
    held = 0
    for process in _tree(pid):
        with suppress(OSError, ValueError, IndexError):
            held += int((_PROC / str(process) / "statm").read_text().split()[1])
    return held * os.sysconf("SC_PAGE_SIZE")
