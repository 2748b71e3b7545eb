"""Copies of requests for a shadow: whether it would have answered the same."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from typing import Any

from kfnb.resources.services.local.predictions import UNREADABLE, predictions_of
from kfnb.resources.services.local.route_counters import RouteCounters
from kfnb.resources.services.local.upstream import Upstream, UpstreamGone, UpstreamSilent
from kfnb.server.http_messages import HttpRequest, HttpResponse

_MOST = 8
"""Copies that are under way at once; others are left out."""
_LARGEST = 1_000_000
"""Bytes of a request, and of an answer, that are copied and compared."""
_NEAR = 1e-6
"""Numbers that differ by less, relatively, are the same prediction."""
_FINE = 200


class Shadow:
    """A revision that gets copies. Its answers are only compared with those that clients got."""

    def __init__(self, upstream: Upstream, counters: RouteCounters) -> None:
        self._upstream, self._counters = upstream, counters
        self._open: set[asyncio.Task[None]] = set()

    def copy(self, request: HttpRequest, given: HttpResponse) -> None:
        """Send a copy of a request that was answered."""
        if len(self._open) >= _MOST or len(request.body) > _LARGEST or len(given.body) > _LARGEST:
            self._counters.skipped += 1
            return
        task = asyncio.get_running_loop().create_task(self._compare(request, given))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _compare(self, request: HttpRequest, given: HttpResponse) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        headers = {name: text for name, text in request.headers.items() if name != "accept-encoding"}
        copy = HttpRequest(request.method, request.target, headers, request.body)
        self._counters.under_way += 1
        try:
            own = await self._upstream.send(copy)
        except (UpstreamGone, UpstreamSilent):
            self._counters.answered(502, loop.time() - began)
            return
        finally:
            self._counters.under_way -= 1
        self._counters.answered(own.status, loop.time() - began)
        if own.status == _FINE:
            rows, differing = compared(given, own)
            self._counters.compared += rows
            self._counters.differing += differing


def compared(given: HttpResponse, own: HttpResponse) -> tuple[int, int]:
    """How many rows of two answers can be compared, and how many of those differ."""
    with suppress(*UNREADABLE):
        ours, theirs = predictions_of(given), predictions_of(own)
        same = sum(_same(one, other) for one, other in zip(ours, theirs, strict=True))
        return len(ours), len(ours) - same
    return 0, 0


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if type(one) in (int, float) and type(other) in (int, float):
        return math.isclose(one, other, rel_tol=_NEAR, abs_tol=_NEAR)
    return bool(one == other)
