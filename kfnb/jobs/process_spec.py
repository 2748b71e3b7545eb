"""A process that a driver starts, and what starts it: the words that each way of starting one shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

TAG = "KFNB_RUN"
"""The environment variable that holds the job's id: what a job's processes start inherits it."""


@dataclass(frozen=True)
class ProcessSpec:
    """Work for a process of its own, in ``folder``, whose output is appended to ``log``.

    Of the driver's open files it gets ``passes``; ``shuts`` are others that it must not keep.
    """

    work: Callable[[], int]
    log: Path
    folder: Path
    passes: Sequence[int] = ()
    shuts: Sequence[int] = ()


@dataclass(frozen=True)
class Thread:
    """A thread that has ``asked`` for so many ns of a core, and whether it runs now, or queues: that is added later."""

    id: int
    asked: int
    runs: bool


class Starter(Protocol):
    """Starts processes for a driver. Made before that opens files of its own, which are not for them to have."""

    def listen(self) -> None:
        """The driver's event loop runs now."""
        ...

    def start(self, task: ProcessSpec) -> int:
        """Start a process, and return its id."""
        ...

    def ended(self, pid: int, status: int) -> None:
        """A process was reaped, with that wait status."""
        ...
