"""What a driver does with its processes: the line to the router, and what becomes of those that cannot be started."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kfnb.jobs.process_spec import ProcessSpec
from kfnb.jobs.processes import Processes
from kfnb.resources.services.local.child_process import ChildProcess
from kfnb.resources.services.local.control import ControlLine
from kfnb.resources.services.local.folder import ServiceFolder
from kfnb.resources.services.local.revision_process import RevisionProcess, ServiceContext
from kfnb.resources.services.model import Parity, RevisionState, Target


async def answering(line: ControlLine) -> None:
    """Answer each message with itself, after a moment."""
    while message := await line.receive():
        await asyncio.sleep(0.05)
        line.send({"answer": message})
    line.close()


async def with_line(scenario: Callable[[ControlLine], Any]) -> None:
    mine, its = socket.socketpair()
    line = await ControlLine.of(mine)
    other = asyncio.create_task(answering(await ControlLine.of(its)))
    await scenario(line)
    line.close()
    await other


def test_each_of_many_who_ask_at_once_gets_its_own_answer() -> None:
    async def scenario(line: ControlLine) -> None:
        found = await asyncio.gather(*(line.ask({"number": number}) for number in range(5)))
        assert found == [{"answer": {"number": number}} for number in range(5)]

    asyncio.run(with_line(scenario))


def test_an_answer_that_no_one_waits_for_any_more_is_not_that_to_the_next_message() -> None:
    async def scenario(line: ControlLine) -> None:
        report = asyncio.create_task(line.ask({"report": True}))
        await asyncio.sleep(0.01)
        report.cancel()
        assert await line.ask({"stop": True}) == {"answer": {"stop": True}}

    asyncio.run(with_line(scenario))


def test_who_asks_a_router_that_is_gone_gets_nothing() -> None:
    async def scenario() -> None:
        mine, its = socket.socketpair()
        line = await ControlLine.of(mine)
        its.close()
        assert await line.ask({"report": True}) == {}
        line.close()

    asyncio.run(scenario())


def test_a_process_that_cannot_be_started_is_an_error_that_says_why(tmp_path: Path) -> None:
    class Exhausted:
        def start(self, task: ProcessSpec) -> int:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    async def scenario() -> None:
        processes = Processes.__new__(Processes)
        processes._waiting, processes._starter = {}, Exhausted()  # type: ignore[assignment]
        with pytest.raises(OSError, match="temporarily unavailable"):
            await ChildProcess.start(processes, int, tmp_path / "log", tmp_path)

    asyncio.run(scenario())


def test_a_revision_that_fails_unforeseen_is_failed_and_not_pending_for_good(tmp_path: Path) -> None:
    folder = ServiceFolder(tmp_path / "home" / "services" / "churn")
    target = Target(1, "churn", 7, "d" * 64)
    folder.version(target.digest).mkdir(parents=True)
    (folder.version(target.digest) / "requirements.txt").write_bytes("numpy".encode("utf-16"))

    async def scenario() -> RevisionProcess:
        settled = asyncio.Event()
        context = ServiceContext(folder, Processes.__new__(Processes))
        revision = RevisionProcess(
            target, context, Parity(), lambda one: settled.set() if one.settled else None
        )
        revision.begin()
        await asyncio.wait_for(settled.wait(), 10)
        return revision

    revision = asyncio.run(scenario())
    assert revision.state is RevisionState.FAILED
    assert revision.error.startswith("internal error in kfnb: UnicodeDecodeError")
