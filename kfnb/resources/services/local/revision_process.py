"""A revision in the driver: its environment, its check, and the process that serves it, which is started again."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.diagnostics import logger
from kfnb.jobs import private
from kfnb.jobs.processes import Processes
from kfnb.resources.runs.local.failure import from_status, last_line
from kfnb.resources.services.check_report import failures
from kfnb.resources.services.local import program
from kfnb.resources.services.local.child_process import ChildProcess
from kfnb.resources.services.local.folder import ServiceFolder
from kfnb.resources.services.local.upstream import answers
from kfnb.resources.services.model import Parity, RevisionState, Target

_logger = logger(__package__)

_POLL = 0.05
"""Seconds between polls of a process that starts."""
_LATEST = 600.0
"""Seconds within which it has to answer."""
_DRAIN = 35.0
"""Seconds for requests under way; the program itself takes 30 at most."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
_STEADY = 60.0
"""Seconds after which a process that ends is started again as soon as the first time."""
_LARGEST_REPORT = 1 << 20


class RevisionBroken(Exception):
    """A revision cannot serve; the message is for users."""


@dataclass(frozen=True)
class ServiceContext:
    """What all revisions of a service have: where environments are, and where packages come from."""

    folder: ServiceFolder
    processes: Processes
    index_urls: tuple[str, ...] = ()

    @property
    def envs(self) -> Path:
        """The home's environments, by the hash of what they have."""
        return self.folder.home / "envs"


class RevisionProcess:
    """Serves one revision until it is ended. ``changed`` is called with it whenever its state is another one.

    A process that ends after it was ready is started again, with pauses that grow. One that never was ready, or whose
    version fails its check, is FAILED for good: its model would not load the second time either.
    """

    def __init__(
        self,
        target: Target,
        context: ServiceContext,
        parity: Parity,
        changed: Callable[[RevisionProcess], None],
    ) -> None:
        self.target, self.parity = target, parity
        self.state, self.error, self.restarts = RevisionState.PENDING, "", 0
        self.log_error = ""
        """Why its requests are not kept."""
        self.served = False
        """Whether it was ready once."""
        self.socket = f"r{target.revision}.sock"
        self._context, self._changed = context, changed
        self._folder = context.folder.revision(target.revision)
        self.log = context.folder.log(target.revision)
        self._children: list[ChildProcess] = []
        self._life: asyncio.Task[None] | None = None

    @property
    def settled(self) -> bool:
        """Whether it has come to something: it was ready once, or never will be."""
        return self.served or self.state is RevisionState.FAILED

    def begin(self) -> None:
        """Begin to serve."""
        self._life = asyncio.create_task(self._live())

    async def end(self) -> None:
        """Finish the requests under way, and end."""
        if self.state is not RevisionState.FAILED:
            self._become(RevisionState.DRAINING)
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait({self._life})
        await asyncio.gather(*(one.end(_DRAIN) for one in self._children))
        self._forget_socket()

    def _forget_socket(self) -> None:
        with suppress(OSError):
            (self._context.folder.path / self.socket).unlink()

    # -- its life

    async def _live(self) -> None:
        try:
            private.make(self._folder)
            python = await self._python()
            self.log_error = await asyncio.to_thread(
                program.log_error, python, self._context.folder, self.target
            )
            checked = asyncio.create_task(self._check(python))
            try:
                while True:
                    seconds = await self._attempt(python, checked)
                    pause = _FIRST_PAUSE if seconds > _STEADY else _FIRST_PAUSE * 2 ** min(self.restarts, 10)
                    await asyncio.sleep(min(pause, _LONGEST_PAUSE))
            finally:
                checked.cancel()
                with suppress(RevisionBroken, asyncio.CancelledError):
                    await checked
        except (RevisionBroken, OSError) as broken:
            await self._fail(str(broken))
        except Exception as error:  # else it would be PENDING for good
            _logger.exception("Revision %d failed.", self.target.revision)
            await self._fail(f"internal error in kfnb: {type(error).__name__}: {error}")

    async def _fail(self, error: str) -> None:
        await asyncio.gather(*(one.end(1.0) for one in self._children))
        self._become(RevisionState.FAILED, error)

    async def _attempt(self, python: Path, checked: asyncio.Task[None]) -> float:
        """Serve until the process ends; the seconds for which it was ready. Raises ``RevisionBroken``."""
        loop, began = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        try:
            reason = await self._serve(python, checked)
        except OSError as error:
            reason = f"its process cannot be started: {error}"
        if not self.served:
            raise RevisionBroken(f"{self.target.ref} does not start: {reason}")
        self.restarts += 1
        self._become(RevisionState.PENDING, f"{reason}; it is started again")
        return loop.time() - began

    async def _serve(self, python: Path, checked: asyncio.Task[None]) -> str:
        """Serve until the process ends; why it did. Raises ``RevisionBroken`` if the version fails its check."""
        since = self.log.stat().st_size if self.log.exists() else 0
        child = await self._start(program.serving(python, self._context.folder, self.target, self.socket))
        if await self._answers(child):
            await checked
            self.served = True
            self._become(RevisionState.READY)
        elif not child.ended:
            await child.end(1.0)
            await self._end_of(child)
            return f"it did not answer within {_LATEST:g} s"
        reason = _reason(await self._end_of(child), self.log, since)
        self._log_line(f"{self.target.ref}: {reason}")
        return reason

    def _log_line(self, text: str) -> None:
        """Write a line where users look for what the process wrote: one that was killed has written nothing."""
        with suppress(OSError):
            private.append(self.log, f"{text}\n")

    async def _answers(self, child: ChildProcess) -> bool:
        """Wait until a process answers; False if it ends before, or takes too long."""
        loop = asyncio.get_running_loop()
        latest = loop.time() + _LATEST
        while not child.ended and loop.time() < latest:
            if await answers(self.socket):
                return True
            await asyncio.sleep(_POLL)
        return False

    # -- what comes before

    async def _python(self) -> Path:
        """The Python that has its packages. Raises ``RevisionBroken`` if they cannot be installed."""
        context = self._context
        needed = program.requirements(context.folder.version(self.target.digest), context.index_urls)
        if await asyncio.to_thread(program.needs_environment, needed, context.envs):
            failure = self._folder / "failure"
            failure.unlink(missing_ok=True)
            status = await self._end_of(await self._start(program.building(needed, context.envs, failure)))
            if failure.exists():
                raise RevisionBroken(failure.read_text(encoding="utf-8"))
            if status:
                raise RevisionBroken(f"its environment could not be built: {from_status(status).message}")
        return program.python_for(needed, context.envs)

    async def _check(self, python: Path) -> None:
        """Check the version, unless that was done. Raises ``RevisionBroken`` if it fails."""
        if self.parity.passed:
            return
        if self.target.unchecked:
            self._recall()
            return
        report = self._folder / "check.json"
        child = await self._start(program.checking(python, self._context.folder, self.target, report))
        status = await self._end_of(child)
        self.parity = Parity(status == 0, _report(report))
        self._changed(self)
        if status:
            raise RevisionBroken(f"{self.target.ref} did not pass its check: {self._why(status)}")
        self._context.folder.keep_check(self.target.digest, report)

    def _recall(self) -> None:
        """Let what an earlier revision of the same bytes passed be known of this one, which a rollback brings back."""
        report = _report(self._context.folder.passed_check(self.target.digest))
        if report:
            self.parity = Parity(passed=True, report=report)
            self._changed(self)

    def _why(self, status: int) -> str:
        if self.parity.report:
            return "; ".join(failures(self.parity)) or "its report has more"
        return _reason(status, self.log, 0)

    async def _start(self, work: Callable[[], int]) -> ChildProcess:
        context = self._context
        child = await ChildProcess.start(context.processes, work, self.log, context.folder.path)
        self._children.append(child)
        return child

    async def _end_of(self, child: ChildProcess) -> int:
        status = await child.status()
        self._children.remove(child)
        return status

    def _become(self, state: RevisionState, error: str = "") -> None:
        self.state, self.error = state, error
        self._changed(self)


def _report(file: Path) -> dict[str, Any]:
    """What a check printed; empty where it is not what a check prints."""
    with suppress(OSError, ValueError):
        if file.stat().st_size <= _LARGEST_REPORT:
            found = json.loads(file.read_text(encoding="utf-8"))
            return found if isinstance(found, dict) else {}
    return {}


def _reason(status: int, log: Path, since: int) -> str:
    """Why a process ended, whose output is in the log from the byte ``since`` on."""
    if os.WIFSIGNALED(status):
        return from_status(status).message
    last = last_line(log, since)
    return f"its process ended with exit code {os.WEXITSTATUS(status)}{f': {last}' if last else ''}"
