"""A process that the driver of a service starts: awaited by several, and ended in its own time."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from kfnb.jobs.processes import Processes


class ChildProcess:
    """A process, from its start to its end."""

    def __init__(self, task: asyncio.Task[int]) -> None:
        self._task = task
        self.pid = 0

    @classmethod
    async def start(
        cls,
        processes: Processes,
        work: Callable[[], int],
        log: Path,
        folder: Path,
        *,
        passes: Sequence[int] = (),
        shuts: Sequence[int] = (),
    ) -> ChildProcess:
        """Start a process that does ``work`` in ``folder``, with its output in ``log``. Raises ``OSError``."""
        pids: list[int] = []
        running = processes.run(work, log=log, folder=folder, began=pids.append, passes=passes, shuts=shuts)
        made = cls(asyncio.create_task(running))
        await asyncio.sleep(0)  # it is started now
        if not pids:
            await made.status()  # which raises why it was not
        made.pid = pids[0]
        return made

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._task.done()

    async def status(self) -> int:
        """Its wait status, once it has ended. A cancelled wait does not end the process."""
        return await asyncio.shield(self._task)

    async def end(self, seconds: float) -> None:
        """Ask it to end, and kill it if it has not after ``seconds``."""
        for number, timeout in ((signal.SIGTERM, seconds), (signal.SIGKILL, None)):
            if not self.ended:
                with suppress(ProcessLookupError):
                    os.kill(self.pid, number)
                await asyncio.wait({self._task}, timeout=timeout)
