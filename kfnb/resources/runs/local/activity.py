"""Which running tasks wait rather than compute, told by what their processes ask of the processor.

Time in which a thread could run but had to queue counts as much as time in which it ran, so that a task is not taken
for a waiting one because the machine is busy. Where the system does not tell that, no task is known to wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kfnb.jobs import system

_SHARE = 0.1
"""A task that asks for less than this share of a core computes nothing to speak of."""

_QUIET = 2
"""Looks, one after the other, at which a task must be found so before it counts as waiting."""


@dataclass
class _TaskActivity:
    """A task's first process, and what its threads had asked for (ns) at the time of the last look."""

    pid: int
    at: float
    asked: dict[int, int] = field(default_factory=dict)
    quiet: int = 0


class Activity:
    """Watches the processes of tasks; ``clock`` tells seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._watched: dict[str, _TaskActivity] = {}

    def began(self, task: str, pid: int) -> None:
        """A task's process has started."""
        self._watched[task] = _TaskActivity(pid, self._clock())

    def ended(self, task: str) -> None:
        """A task's process is gone."""
        self._watched.pop(task, None)

    def look(self) -> None:
        """See what all tasks ask for now."""
        for watched in self._watched.values():
            threads, now = list(system.here().threads(watched.pid)), self._clock()
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
        return max((system.here().held(watched.pid) for watched in self._watched.values()), default=0)
