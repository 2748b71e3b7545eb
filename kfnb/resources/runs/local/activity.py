"""Which running tasks wait rather than compute, from the processor time that their processes demand.

Time in which a thread is runnable but queued counts as much as time in which it runs, so that a task does not count as
waiting because the machine is busy. If the system does not provide these times, no task counts as waiting.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kfnb.jobs import system

_SHARE = 0.1
"""A task that demands less than this share of a core does not compute."""

_QUIET = 2
"""Consecutive samples in which a task must be idle before it counts as waiting."""


@dataclass
class _TaskActivity:
    """A task's first process, and what its threads had demanded (ns) at the last sample."""

    pid: int
    at: float
    cpu_time: dict[int, int] = field(default_factory=dict)
    quiet: int = 0


class Activity:
    """Samples the processes of tasks; ``clock`` returns seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._watched: dict[str, _TaskActivity] = {}

    def began(self, task: str, pid: int) -> None:
        """Watch a task's process, which has started."""
        self._watched[task] = _TaskActivity(pid, self._clock())

    def ended(self, task: str) -> None:
        """Stop watching a task's process, which has ended."""
        self._watched.pop(task, None)

    def sample(self) -> None:
        """Sample what all tasks demand now."""
        for watched in self._watched.values():
            threads, now = list(system.here().threads(watched.pid)), self._clock()
            more = sum(max(0, one.cpu_time - watched.cpu_time.get(one.id, 0)) for one in threads)
            busy = not threads or any(one.runs for one in threads) or more > _SHARE * (now - watched.at) * 1e9
            watched.quiet = 0 if busy else watched.quiet + 1
            watched.cpu_time, watched.at = {one.id: one.cpu_time for one in threads}, now

    def waits(self, task: str) -> bool:
        """Whether a task was waiting in the last samples."""
        watched = self._watched.get(task)
        return watched is not None and watched.quiet >= _QUIET

    def largest(self) -> int:
        """The memory, in bytes, of the task that uses most."""
        return max((system.here().held(watched.pid) for watched in self._watched.values()), default=0)
