"""A connection of the HTTP server: its requests are answered one after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from kfnb.server.http_messages import (
    INTERNAL,
    Handler,
    HttpLimits,
    HttpRequest,
    HttpResponse,
    error_response,
    head_of,
)
from kfnb.server.request_reader import Buffered, Phase, RequestReader
from kfnb.server.server_log import report

_LINGER = 10
"""Seconds for which the rest of a refused request is discarded, so that the client reads the answer."""
_TOGETHER = 1 << 16
"""Bytes of a body that are written at once."""


class Serving:
    """What the connections of a server share."""

    def __init__(self, handler: Handler, limits: HttpLimits, *, local: bool) -> None:
        self.handler, self.limits, self.local = handler, limits, local
        self.connections: set[HttpConnection] = set()
        self.stopping = False
        self.buffered = Buffered()
        self.date = formatdate(usegmt=True)
        self._none_left = asyncio.Event()

    def closed(self, connection: HttpConnection) -> None:
        """Forget a connection."""
        self.connections.discard(connection)
        if not self.connections:
            self._none_left.set()

    async def all_closed(self) -> None:
        """Wait until no connection is left."""
        while self.connections:
            self._none_left.clear()
            await self._none_left.wait()


class HttpConnection(asyncio.Protocol):
    """Has each request answered by the handler, and writes the answers in order."""

    def __init__(self, serving: Serving) -> None:
        self._serving, self._limits = serving, serving.limits
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._reader = RequestReader(self._limits, serving.buffered, self._take, self._send_continue)
        self._since = self._loop.time()
        """When what the reader is doing has begun."""
        self._waiting: deque[tuple[HttpRequest, bool]] = deque()
        """Requests, and whether each is the last of the connection."""
        self._answering: asyncio.Task[None] | None = None
        self._ended = False
        """Whether the last answer is written."""
        self._full: tuple[float, asyncio.Future[None]] | None = None
        """Since when the client has not read what was written, and until when."""

    # -- asyncio's events

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self._transport = transport
        self._serving.connections.add(self)
        if self._serving.stopping or len(self._serving.connections) > self._limits.connections:
            self._refuse(503, "too-many-connections", "the server has too many connections")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """End what is being done for a client that has gone."""
        self._reader.release()
        if self._answering:
            self._answering.cancel()
        while self._waiting:
            self._forget(self._waiting.popleft()[0])
        self._serving.closed(self)

    def data_received(self, data: bytes) -> None:
        """Read requests."""
        before = self._reader.phase
        self._reader.feed(data)
        if self._reader.phase is not before:
            self._since = self._loop.time()
        if self._reader.refusal and not self._answering:
            self._end()

    def pause_writing(self) -> None:
        """Remember that the client does not read."""
        self._full = self._loop.time(), self._loop.create_future()

    def resume_writing(self) -> None:
        """Continue to write."""
        if self._full and not self._full[1].done():
            self._full[1].set_result(None)
        self._full = None

    # -- the server's

    def finish(self) -> None:
        """Close the connection when the requests that have begun are answered."""
        if self._reader.phase is Phase.IDLE and not self._answering:
            self._transport.close()

    def abort(self) -> None:
        """Close the connection at once."""
        self._transport.abort()

    def check(self, now: float) -> None:
        """Close the connection if the client is too slow."""
        waited, limits = now - self._since, self._limits
        phase = self._reader.phase if self._transport.is_reading() else None
        if self._full:
            unread = self._transport.get_write_buffer_size()
            if now - self._full[0] > limits.slow_seconds + unread / limits.rate:
                self.abort()
        elif phase is Phase.HEAD and waited > limits.head_seconds:
            self._refuse(408, "timeout", f"the headers did not arrive within {limits.head_seconds:g} s")
        elif phase is Phase.BODY and waited > limits.slow_seconds + self._reader.size / limits.rate:
            self._refuse(408, "timeout", f"the body arrives slower than {limits.rate} bytes a second")
        elif phase is Phase.IDLE and not self._answering and waited > limits.idle_seconds:
            self._transport.close()
        elif self._ended and waited > _LINGER:
            self.abort()

    # -- within

    def _take(self, request: HttpRequest, last: bool) -> None:
        self._since = self._loop.time()
        self._waiting.append((request, last))
        if self._answering:
            self._transport.pause_reading()  # a client that pipelines waits for the answers
        else:
            self._answering = self._loop.create_task(self._answer())

    def _send_continue(self) -> None:
        if not self._answering:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._reader.refuse(status, code, message)
        if not self._answering:
            self._end()

    def _end(self) -> None:
        """Close the connection; if the client may still be sending, only when it has read the answer."""
        if self._ended:
            return
        self._ended, self._since = True, self._loop.time()
        if self._reader.refusal:
            refusal = self._reader.refusal
            self._transport.write(head_of(refusal, self._serving.date, close=True) + refusal.body)
        if self._reader.refusal and self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    async def _answer(self) -> None:
        """Answer the requests that wait, in order."""
        last = False
        while self._waiting and not last:
            request, last = self._waiting.popleft()
            try:
                response = await self._respond(request)
            finally:
                self._forget(request)
            last = last or self._serving.stopping
            await self._send(response, close=last, empty=request.method == "HEAD")
        self._transport.resume_reading()  # only now: what waits is what came at once
        self._answering = None
        self._since = self._loop.time()
        if last or self._reader.refusal:
            self._end()

    def _forget(self, request: HttpRequest) -> None:
        """Count the body of a request no longer, which is answered or will not be."""
        self._serving.buffered.size -= len(request.body)

    async def _respond(self, request: HttpRequest) -> HttpResponse:
        refused = _refusal(request.headers) if self._serving.local else None
        if refused is not None:
            return refused
        try:
            return await self._serving.handler(request)
        except Exception as error:
            report(error)
            return error_response(500, "internal", INTERNAL)

    async def _send(self, response: HttpResponse, *, close: bool, empty: bool) -> None:
        """Write a response; of a large body no more than the client reads, as asyncio copies what waits."""
        head = head_of(response, self._serving.date, close=close)
        self._transport.write(head if empty else head + response.body[:_TOGETHER])
        for place in range(_TOGETHER, 0 if empty else len(response.body), _TOGETHER):
            if self._full:
                await self._full[1]
            self._transport.write(response.body[place : place + _TOGETHER])
        if self._full:
            await self._full[1]


def _refusal(headers: Mapping[str, str]) -> HttpResponse | None:
    """Why a server of this machine does not answer: a web page asks, by another name or from another place."""
    if not names_this_machine(headers.get("host", "")):
        return error_response(421, "wrong-host", "the Host header does not name this machine")
    origin = headers.get("origin")
    if origin is not None and not _is_here(origin):
        return error_response(403, "wrong-origin", "the Origin header does not name this machine")
    return None


def _is_here(origin: str) -> bool:
    place = origin.partition("://")[2]
    return bool(place) and names_this_machine(place)


@lru_cache(maxsize=100)
def names_this_machine(host: str) -> bool:
    """Whether a host, with or without a port, is localhost or a loopback address; empty is."""
    name, _, port = host.rpartition(":")
    bare = ":" in name and not name.endswith("]")  # an address of IPv6 without a port
    name = (name if port.isdigit() and name and not bare else host).strip("[]")
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name in ("", "localhost")
