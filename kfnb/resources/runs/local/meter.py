"""What the attempts at tasks occupy here: what their steps request, and what their processes used."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from kfnb.entities import Purpose, Usage
from kfnb.jobs import system
from kfnb.jobs.process_spec import ProcessUse
from kfnb.resources.runs.local.executor_io import TaskInvocation
from kfnb.resources.runs.local.pod_resources import Supply


@dataclass
class _Attempt:
    """An attempt: what it gets, when it began, its process that runs, and what the ended ones used."""

    supply: Supply
    began: float
    pid: int = 0
    used: ProcessUse | None = None


@dataclass
class Meter:
    """What attempts occupy from their begin to their end."""

    _going: dict[str, _Attempt] = field(default_factory=dict)

    def begin(self, work: TaskInvocation) -> None:
        """An attempt at a task begins."""
        self._going[work.id] = _Attempt(work.supply, time.monotonic())

    def started(self, task: str, pid: int) -> None:
        """A process of an attempt has started."""
        self._going[task].pid = pid

    def ended(self, task: str, use: ProcessUse) -> None:
        """The process of an attempt has ended."""
        attempt = self._going[task]
        attempt.pid, attempt.used = 0, (attempt.used or ProcessUse()) + use

    def end(self, work: TaskInvocation, purpose: Purpose) -> Usage:
        """What an attempt occupied that has ended."""
        return _usage(self._going.pop(work.id), purpose)

    def going(self) -> Iterator[Usage]:
        """What the attempts occupied until now that have not ended."""
        for attempt in list(self._going.values()):
            yield _usage(attempt, Purpose.WORK)


def _usage(attempt: _Attempt, purpose: Purpose) -> Usage:
    """What an attempt occupied.

    A step that requests no cores, and whose use is not measured, counts as one core: the engine reserves it.
    """
    supply, used = attempt.supply, attempt.used
    if attempt.pid:
        used = (used or ProcessUse()) + _now(attempt.pid)
    return Usage(
        seconds=time.monotonic() - attempt.began,
        cores=supply.cores if supply.explicit or used is None else 0.0,
        memory=supply.memory,
        gpus=supply.gpus,
        gpu=supply.gpu,
        cpu_seconds=None if used is None else used.cpu_seconds,
        peak=None if used is None else float(used.peak),
        purpose=purpose,
    )


def _now(pid: int) -> ProcessUse:
    """What a process that runs has used, with those below it."""
    here = system.here()
    return ProcessUse(sum(thread.cpu_time for thread in here.threads(pid)) / 1e9, here.held(pid))
