"""A process that a driver starts, and the protocol of what starts it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

TAG = "KFNB_RUN"
"""The environment variable with the job's tag, which all of a job's processes inherit."""


@dataclass(frozen=True)
class ProcessSpec:
    """Work for a separate process, in ``folder``, whose output is appended to ``log``.

    The process gets ``passes`` of the driver's open files; it must close ``shuts``.
    """

    work: Callable[[], int]
    log: Path
    folder: Path
    passes: Sequence[int] = ()
    shuts: Sequence[int] = ()


@dataclass(frozen=True)
class ProcessUse:
    """What a process that has ended used, with what it started and waited for: seconds of cores, peak of bytes."""

    cpu_seconds: float = 0.0
    peak: int = 0

    def __add__(self, other: ProcessUse) -> ProcessUse:
        return ProcessUse(self.cpu_seconds + other.cpu_seconds, max(self.peak, other.peak))


@dataclass(frozen=True)
class Thread:
    """A thread, the ns of a core that it took or queued for, and whether it runs or queues now."""

    id: int
    cpu_time: int
    runs: bool


class Starter(Protocol):
    """Starts processes for a driver. Created before the driver opens its own files, which they must not inherit."""

    def listen(self) -> None:
        """Note that the driver's event loop runs now."""
        ...

    def start(self, task: ProcessSpec) -> int:
        """Start a process, and return its id."""
        ...

    def ended(self, pid: int, status: int) -> None:
        """Note that a process was reaped, with that wait status."""
        ...
