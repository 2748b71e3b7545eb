"""Bodies in gzip: how much memory what is packed may take."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable

import pytest

from kfnb.server.compression import with_gzip
from kfnb.server.http_messages import HttpLimits, HttpRequest, HttpResponse

LIMITS = HttpLimits(body=1000, buffered=1500, connections=100)


def packed(size: int) -> HttpRequest:
    """A request whose body has that many bytes unpacked."""
    return HttpRequest("POST", "/", {"content-encoding": "gzip"}, gzip.compress(b"x" * size))


async def size(request: HttpRequest) -> HttpResponse:
    return HttpResponse(200, str(len(request.body)).encode())


def test_a_body_is_unpacked_up_to_the_limit_of_bodies():
    handler = with_gzip(size, LIMITS)

    async def statuses() -> list[int]:
        return [(await handler(packed(one))).status for one in (0, 1000, 1001, 1_000_000)]

    assert asyncio.run(statuses()) == [200, 200, 413, 413]


def test_bodies_that_are_unpacked_at_once_have_a_limit_together():
    async def scenario() -> None:
        release = asyncio.Event()

        async def held(request: HttpRequest) -> HttpResponse:
            await release.wait()
            return await size(request)

        handler = with_gzip(held, LIMITS)
        first, gone = (asyncio.create_task(_coroutine(handler(packed(one)))) for one in (1000, 500))
        await asyncio.sleep(0.1)
        refused = await handler(packed(900))
        assert refused.status == 503
        assert refused.headers["retry-after"] == "1"
        small = asyncio.create_task(_coroutine(handler(packed(15))))
        await asyncio.sleep(0.1)
        gone.cancel()
        await asyncio.wait({gone})
        release.set()
        assert (await first).body == b"1000"
        assert (await small).body == b"15"
        assert (await handler(packed(1000))).status == 200

    asyncio.run(scenario())


@pytest.mark.parametrize("sent", [True, False], ids=["a request", "a response"])
def test_others_are_answered_while_a_large_body_is_packed_or_unpacked(sent):
    body = bytes(range(256)) * 400_000  # a second of work, on one processor

    async def large(_: HttpRequest) -> HttpResponse:
        return HttpResponse(200, b"" if sent else body)

    async def scenario() -> int:
        handler = with_gzip(large, HttpLimits(body=len(body)))
        headers = {"content-encoding": "gzip"} if sent else {"accept-encoding": "gzip"}
        request = HttpRequest("POST", "/", headers, gzip.compress(body, 1) if sent else b"")
        working, others = asyncio.create_task(_coroutine(handler(request))), 0
        while not working.done():
            await asyncio.sleep(0.001)
            others += 1
        assert working.result().status == 200
        return others

    assert asyncio.run(scenario()) > 10


async def _coroutine(answer: Awaitable[HttpResponse]) -> HttpResponse:
    return await answer
