"""The workers of a study: as many processes as trials run at once, each for many trials."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from kfnb.entities import Purpose, TaskError, Usage
from kfnb.jobs import private
from kfnb.jobs.processes import Processes
from kfnb.resources.runs.local.executor_io import TaskInvocation, executor_input
from kfnb.resources.runs.local.failure import from_status
from kfnb.resources.runs.local.recorded import places
from kfnb.resources.studies.local.folder import StudyFolder
from kfnb.resources.studies.local.outcome import Outcome, failed, of_worker
from kfnb.resources.studies.local.prepare import Prepared
from kfnb.resources.studies.local.worker import serve
from kfnb.resources.studies.model import TrialState
from kfnb.resources.studies.search import Search

_LONGEST = 64 * 2**20
"""Bytes that a line of a worker may have."""

_WORTH = (TrialState.SUCCEEDED, TrialState.EARLY_STOPPED)
"""States of trials from which the search has learned something."""

Report = Callable[[float, float], bool]
"""From a trial's step and value, whether the trial is to end."""


@dataclass
class WorkerProcess:
    """A worker: how it is spoken to, and the wait status that its process ends with."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    socket: socket.socket
    process: asyncio.Task[int]


@dataclass
class Workers:
    """Runs trials in workers, which are started when there is something to do."""

    search: Search
    folder: StudyFolder
    prepared: Prepared
    processes: Processes
    start: Path
    _all: list[WorkerProcess] = field(default_factory=list)
    _idle: list[WorkerProcess] = field(default_factory=list)

    async def run(self, number: int, params: Mapping[str, Any], report: Report) -> Outcome:
        """Run one trial to its end."""
        folder = self.folder.trial(number)
        private.make(folder)
        line = self._idle.pop() if self._idle else await self._started()
        outcome = await self._trial(line, self._order(number, params, folder), report)
        if outcome.error is not None:
            private.append(folder / "log", f"{outcome.error.traceback or outcome.error.message}\n")
        return outcome

    async def close(self) -> None:
        """Let the idle workers go."""
        for line in self._idle:
            line.writer.close()
            with suppress(OSError):
                await line.writer.wait_closed()
        self._idle.clear()

    def _order(self, number: int, params: Mapping[str, Any], folder: Path) -> dict[str, Any]:
        prepared, seed = self.prepared, self.search.seed
        inputs = prepared.inputs(params)
        name = prepared.step.name
        work = TaskInvocation(name, name, folder, prepared.component, inputs.parameters, inputs.artifacts)
        return {
            "executor_input": executor_input(work),
            "log": str(folder / "log"),
            "seed": None if seed is None else (seed + number) % 2**32,
        }

    async def _started(self) -> WorkerProcess:
        mine, its = socket.socketpair()
        others = [line.socket.fileno() for line in self._all]
        record = places(self.folder.path, self.folder.home, self.folder.path)
        work = partial(serve, its.fileno(), replace(self.prepared.program, record=record))
        log = self.folder.path / "workers.log"
        running = self.processes.run(
            work, log=log, folder=self.start, passes=[its.fileno()], shuts=[mine.fileno(), *others]
        )
        process = asyncio.create_task(running)
        await asyncio.sleep(0)  # it is started now
        its.close()
        reader, writer = await asyncio.open_connection(sock=mine, limit=_LONGEST)
        line = WorkerProcess(reader, writer, mine, process)
        self._all.append(line)
        return line

    async def _trial(self, line: WorkerProcess, order: dict[str, Any], report: Report) -> Outcome:
        began = time.monotonic()
        self._send(line, order)
        while message := await _received(line):
            if "ended" in message:
                self._idle.append(line)
                ended = of_worker(message["ended"], self.search.objective, self.prepared.program.source)
                return _with_usage(ended, time.monotonic() - began, message["cpu_seconds"])
            self._send(line, report(*message["report"]))
        return await self._gone(line)

    def _send(self, line: WorkerProcess, message: Any) -> None:
        line.writer.write(json.dumps(message).encode() + b"\n")

    async def _gone(self, line: WorkerProcess) -> Outcome:
        self._all.remove(line)
        line.writer.close()
        status = await line.process
        return failed(
            from_status(status) if status else TaskError("its process ended before the trial was done")
        )


def _with_usage(outcome: Outcome, seconds: float, cpu_seconds: float) -> Outcome:
    """An outcome with what its trial occupied; the memory of a worker is that of all of its trials."""
    purpose = Purpose.WORK if outcome.state in _WORTH else Purpose.FAILED
    return replace(outcome, used={purpose: Usage(seconds, cpu_seconds=cpu_seconds).amounts})


async def _received(line: WorkerProcess) -> dict[str, Any]:
    """The next message; empty where the worker is gone, also in the middle of a message."""
    try:
        message: dict[str, Any] = json.loads(await line.reader.readline() or "{}")
    except (OSError, ValueError):
        return {}
    return message
