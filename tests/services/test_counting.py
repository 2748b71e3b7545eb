"""How the driver of a service polls what its processes have counted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kfnb.jobs.eventlog import EventLog, opened
from kfnb.resources.services.local.counter_poll import CounterPoll
from kfnb.resources.services.local.journal import ServiceJournal
from kfnb.resources.services.local.router_process import RouterReport
from kfnb.resources.services.model import RevisionState
from kfnb.server.http import HttpServer
from kfnb.server.http_messages import HttpRequest, HttpResponse

_STATS = {"bad_inputs": {"null": {"age": 1}}, "failures": [], "log": {"kept": 5, "dropped": 2, "left_out": 0}}

Answers = Callable[[HttpRequest], Any]


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EventLog]:
    """The log of a service, in whose folder sockets have short paths."""
    monkeypatch.chdir(tmp_path)
    with opened(tmp_path, create=True) as log:
        yield log


class CountingRouter:
    """A router that has counted some requests of each revision."""

    pair = None

    def __init__(self, **requests: int) -> None:
        self.requests = requests

    async def report(self) -> RouterReport:
        return RouterReport(1, {int(name[1:]): {"requests": count} for name, count in self.requests.items()})


async def hangs(_: HttpRequest) -> HttpResponse:
    await asyncio.sleep(60)
    raise AssertionError


async def tells(_: HttpRequest) -> HttpResponse:
    return HttpResponse(200, json.dumps(_STATS).encode())


def revision(number: int) -> Any:
    return SimpleNamespace(
        state=RevisionState.READY, socket=f"r{number}.sock", restarts=0, log=Path(f"{number}.log")
    )


def counted(log: EventLog) -> dict[str, Any]:
    """The last counters of each revision."""
    return {one.task: one.data for one in log.read() if one.kind == "counters"}


def test_a_revision_that_says_nothing_does_not_keep_the_counters_of_others(log: EventLog) -> None:
    async def scenario() -> None:
        servers = [await HttpServer.on_socket(hangs, "r1.sock"), await HttpServer.on_socket(tells, "r2.sock")]
        router, revisions = CountingRouter(r1=3, r2=4), {1: revision(1), 2: revision(2)}
        counting = CounterPoll(router, revisions, ServiceJournal(log), {})  # type: ignore[arg-type]
        await asyncio.wait_for(counting.once(), 20)
        for one in servers:
            await one.stop(0)

    asyncio.run(scenario())
    found = counted(log)
    assert (found["1"]["requests"], found["2"]["requests"]) == (3, 4)
    assert found["2"]["bad_inputs"] == {"null": {"age": 1}}
    assert found["2"]["dropped"] == 2


def test_the_first_rate_of_a_service_that_is_started_again_is_that_of_its_time(log: EventLog) -> None:
    async def scenario() -> None:
        before = {1: {"requests": 1000}}
        counting = CounterPoll(CountingRouter(r1=10), {1: revision(1)}, ServiceJournal(log), before)  # type: ignore[arg-type,dict-item]
        await asyncio.sleep(0.1)
        await counting.once()

    asyncio.run(scenario())
    assert counted(log)["1"]["requests"] == 1010
    assert 1 < counted(log)["1"]["per_second"] <= 100


def test_a_revision_that_retires_during_a_poll_leaves_no_counters(log: EventLog) -> None:
    async def scenario() -> None:
        revisions, journal = {1: revision(1), 2: revision(2)}, ServiceJournal(log)

        async def retires(request: HttpRequest) -> HttpResponse:
            revisions.pop(2)
            journal.retired(2)
            return await tells(request)

        server = await HttpServer.on_socket(retires, "r2.sock")
        await CounterPoll(CountingRouter(r1=3, r2=4), revisions, journal, {}).once()  # type: ignore[arg-type]
        await server.stop(0)

    asyncio.run(scenario())
    assert counted(log).keys() == {"1"}
