"""The processes of a job: each in its own session, and all of them ended together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from kfnb.jobs import system
from kfnb.jobs.process_spec import ProcessSpec, ProcessUse

GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL, for most processes."""
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in a unit of the peak of memory that the system reports."""


class Processes:
    """Starts and awaits the processes of the job ``tag``, whose driver this process is and which holds ``lock``.

    Created before the driver opens its own files.
    """

    def __init__(self, tag: str, lock: int) -> None:
        self._tag = tag
        self._waiting: dict[int, asyncio.Future[int]] = {}
        self._grace: dict[int, float] = {}
        self._used: dict[int, Callable[[ProcessUse], None]] = {}
        self._starter = system.here().starter(lock)

    def listen(self) -> None:
        """Watch for processes that end, in the running event loop."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap)
        self._starter.listen()

    async def run(  # noqa: PLR0913 - what a process gets, and callbacks; they are keywords
        self,
        work: Callable[[], int],
        *,
        log: Path,
        folder: Path,
        timeout: float = 0,
        began: Callable[[int], None] = lambda _: None,
        used: Callable[[ProcessUse], None] = lambda _: None,
        passes: Sequence[int] = (),
        shuts: Sequence[int] = (),
        grace: float = GRACE,
    ) -> int:
        """Run ``work``, which can be pickled, in a separate process; return the wait status.

        For the other arguments see ``ProcessSpec``.

        ``began`` is called with the process's id, ``used`` with what it used when it has ended; ``grace`` is how many
        seconds it has to end when it is asked to.
        Raises ``asyncio.TimeoutError`` if it took more than ``timeout`` seconds, and ends the process then.
        """
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        pid = self._starter.start(ProcessSpec(work, log, folder, passes, shuts))
        self._waiting[pid], self._grace[pid], self._used[pid] = future, grace, used
        began(pid)
        if timeout and not (await asyncio.wait({future}, timeout=timeout))[0]:
            _signal_group(pid, signal.SIGTERM)
            await asyncio.wait({future}, timeout=grace)
            _signal_group(pid, signal.SIGKILL)
            await future
            raise asyncio.TimeoutError
        return await future

    async def end(self) -> None:
        """End all processes of the job, grandchildren included: with SIGTERM first, then SIGKILL."""
        self._signal(signal.SIGTERM)
        if self._waiting:
            longest = max(self._grace[pid] for pid in self._waiting)
            await asyncio.wait(self._waiting.values(), timeout=longest)
        self._signal(signal.SIGKILL)
        system.end_all(self._tag)

    def _signal(self, number: int) -> None:
        for pid in self._waiting:
            _signal_group(pid, number)

    def _reap(self) -> None:
        for pid in list(self._waiting):
            done, status, use = os.wait4(pid, os.WNOHANG)
            if done:
                _signal_group(pid, signal.SIGKILL)  # what it started and left behind
                self._starter.ended(pid, status)
                del self._grace[pid]
                self._used.pop(pid)(ProcessUse(use.ru_utime + use.ru_stime, int(use.ru_maxrss * _PEAK_UNIT)))
                self._waiting.pop(pid).set_result(status)


def _signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        if number != signal.SIGKILL:  # too new to have a process group
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
    except PermissionError:
        pass  # macOS reports this for a group with only zombies left
