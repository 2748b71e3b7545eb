"""Requests to a revision, over its Unix socket, on connections that stay open."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from httptools import HttpParserError, HttpResponseParser

from kfnb.server.http_messages import HttpRequest, HttpResponse

_HOP = frozenset(
    {
        "authorization",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that concern the connection to the router, and are not sent on."""
_OWN = frozenset({"connection", "content-length", "content-type", "date", "keep-alive", "transfer-encoding"})
"""Headers of an answer that the router's own server writes."""

TIMEOUT = 300.0
"""Seconds that a revision may take to answer."""


class UpstreamGone(Exception):
    """A revision does not listen, or dropped the connection before it had answered."""


class UpstreamSilent(Exception):
    """A revision took too long."""


class UpstreamConnection(asyncio.Protocol):
    """A connection that one request at a time is sent on. ``used`` once it has had one."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._parser: Any = None
        self._answer: asyncio.Future[HttpResponse] | None = None
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        self.used = False
        self.open = False
        """Whether another request may be sent on it."""

    async def send(self, data: bytes) -> HttpResponse:
        """Send a request and return its answer. Raises ``UpstreamGone`` and ``UpstreamSilent``."""
        answer = self._answer = self._loop.create_future()
        self._parser, self._headers, self._pieces = HttpResponseParser(self), {}, []
        limit = self._loop.call_later(TIMEOUT, self._fail, UpstreamSilent())
        self._transport.write(data)
        try:
            received: HttpResponse = await answer
            return received
        finally:
            limit.cancel()
            self._answer, self.used = None, True
            if not (answer.done() and not answer.cancelled() and answer.exception() is None):
                self.close()  # an answer that is still to come is not that of another request

    def close(self) -> None:
        """Close it."""
        self.open = False
        if self._transport is not None:
            self._transport.abort()

    # -- asyncio's events

    def connection_made(self, transport: Any) -> None:
        """Be ready."""
        self._transport, self.open = transport, True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Tell who waits."""
        self.open = False
        self._fail(UpstreamGone())

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        if self._answer is None:
            self.close()  # there was no request
            return
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            self._fail(UpstreamGone())

    # -- the parser's events

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, piece: bytes) -> None:
        """Take a part of the body."""
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """Hand over the answer."""
        self.open = self.open and self._parser.should_keep_alive()
        headers, body = self._headers, self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        kind = headers.get("content-type", "")
        kept = {name: text for name, text in headers.items() if name not in _OWN}
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(HttpResponse(self._parser.get_status_code(), body, kind, kept))

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


class Upstream:
    """A revision that listens at the Unix socket ``path``."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._closed = False
        self._idle: list[UpstreamConnection] = []

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send a request. Raises ``UpstreamGone``, and ``UpstreamSilent``.

        A connection that was used before may just have been closed: then the request is sent once more on a new one.
        """
        data = _written(request)
        connection = await self._connected()
        used = connection.used
        try:
            return await self._exchanged(connection, data)
        except UpstreamGone:
            if not used:
                raise
        self._drop_idle()
        return await self._exchanged(await self._connected(), data)

    def close(self) -> None:
        """Close its connections: those of requests under way once they are answered."""
        self._closed = True
        self._drop_idle()

    def _drop_idle(self) -> None:
        for one in self._idle:
            one.close()
        self._idle.clear()

    async def _exchanged(self, connection: UpstreamConnection, data: bytes) -> HttpResponse:
        response = await connection.send(data)
        if connection.open and not self._closed:
            self._idle.append(connection)
        else:
            connection.close()
        return response

    async def _connected(self) -> UpstreamConnection:
        while self._idle:
            connection = self._idle.pop()
            if connection.open:
                return connection
        try:
            _, made = await asyncio.get_running_loop().create_unix_connection(UpstreamConnection, self.path)
        except OSError:
            raise UpstreamGone from None
        return made


def _written(request: HttpRequest) -> bytes:
    """The bytes of a request to a revision. The router's own server leaves out the body of an answer to HEAD."""
    method = "GET" if request.method == "HEAD" else request.method
    lines = [f"{method} {request.target} HTTP/1.1", "host: localhost"]
    lines += [f"{name}: {text}" for name, text in request.headers.items() if name not in _HOP]
    lines.append(f"content-length: {len(request.body)}\r\n\r\n")
    return "\r\n".join(lines).encode("latin-1") + request.body


async def answers(path: str) -> bool:
    """Whether the revision at a socket is ready for requests."""
    upstream = Upstream(path)
    try:
        return (await upstream.send(HttpRequest("GET", "/v2/health/ready", {}))).status == HTTPStatus.OK
    except (UpstreamGone, UpstreamSilent):
        return False
    finally:
        upstream.close()
