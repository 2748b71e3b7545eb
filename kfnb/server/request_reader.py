"""What arrives on a connection becomes requests; httptools parses, limits are kept while it arrives."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from kfnb.server.http_messages import HttpLimits, HttpRequest, HttpResponse, error_response

_WITHOUT_UPGRADE = ("upgrade", "connection", "http2-settings")
BUSY = "the server has too many large requests; try again later"
_PER_HEADER = 4
"""Bytes of a header beside its name and value."""


class Phase(Enum):
    """What is arriving."""

    IDLE = "nothing"
    HEAD = "the head of a request"
    BODY = "the body of a request"
    REFUSED = "what is not read"


class Buffered:
    """Bytes of the bodies that all connections of a server are receiving, or have not answered yet."""

    def __init__(self) -> None:
        self.size = 0


class RequestReader:
    """Reads the requests of one connection, and gives each to ``take``, with whether it is the last.

    ``send_continue`` is called for a client that waits for it before it sends a body.
    """

    def __init__(
        self,
        limits: HttpLimits,
        buffered: Buffered,
        take: Callable[[HttpRequest, bool], None],
        send_continue: Callable[[], None],
    ) -> None:
        self.phase = Phase.IDLE
        self.size = 0
        """Bytes of the body so far."""
        self.refusal: HttpResponse | None = None
        """Why nothing more is read."""
        self._limits, self._buffered = limits, buffered
        self._take, self._send_continue = take, send_continue
        self._parser = HttpRequestParser(self)
        self._url, self._chunks = b"", list[bytes]()
        self._headers: dict[str, str] = {}
        self._head_size = 0
        self._arrived = 0
        """Bytes that arrived since the request began, without those that came with its beginning."""

    def feed(self, data: bytes) -> None:
        """Read what has arrived."""
        if self.phase is Phase.REFUSED:
            return
        self._arrived += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._without_upgrade(data[upgrade.args[0] :])
        except HttpParserError:
            self.refuse(400, "bad-request", "the request is not HTTP/1.1")
        if self.phase is Phase.HEAD:  # the parser keeps a header until it is complete
            self._check_head(max(self._arrived, self._head_size))

    def refuse(self, status: int, code: str, message: str) -> None:
        """Read no more, for a reason that is answered."""
        if self.phase is not Phase.REFUSED:
            self.release()
            self.phase, self.refusal = Phase.REFUSED, error_response(status, code, message)

    def release(self) -> None:
        """Forget the body that is arriving."""
        self._buffered.size -= self.size
        self.size, self._chunks = 0, []

    # -- the parser's events

    def on_message_begin(self) -> None:
        """Begin a request."""
        if self.phase is not Phase.REFUSED:
            self.phase = Phase.HEAD
            self._url, self._headers = b"", {}
            self._head_size = self._arrived = 0

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        self._url += url
        self._head_size += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; those after a body (trailers) are left out."""
        if self.phase is not Phase.HEAD:
            return
        self._head_size += len(name) + len(value) + _PER_HEADER
        self._check_head(self._head_size)
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        """Decide whether the body is read."""
        if self.phase is Phase.REFUSED:
            return
        self.phase = Phase.BODY
        if int(self._headers.get("content-length", 0)) > self._limits.body:
            self._refuse_body()
        elif self._headers.get("expect", "").lower() == "100-continue":
            self._send_continue()

    def on_body(self, chunk: bytes) -> None:
        """Take a part of the body."""
        if self.phase is Phase.REFUSED:
            return
        self._chunks.append(chunk)
        self.size += len(chunk)
        self._buffered.size += len(chunk)
        if self.size > self._limits.body:
            self._refuse_body()
        elif self._buffered.size > self._limits.buffered and self.size > self._limits.share:
            self.refuse(503, "busy", BUSY)

    def on_message_complete(self) -> None:
        """Hand over a request."""
        if self.phase is Phase.REFUSED or self._parser.should_upgrade():
            return
        method = self._parser.get_method().decode()
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self.size, self._chunks = 0, []  # it is counted until it is answered
        self.phase = Phase.IDLE
        # a client of HTTP/1.0 that asks for keep-alive expects a header that says so: it is not worth one
        last = not self._parser.should_keep_alive() or self._parser.get_http_version() == "1.0"
        self._take(HttpRequest(method, self._url.decode("latin-1"), self._headers, body), last)

    # -- within

    def _check_head(self, size: int) -> None:
        if size > self._limits.head:
            self.refuse(431, "head-too-large", f"the headers are larger than {self._limits.head} bytes")

    def _refuse_body(self) -> None:
        self.refuse(413, "body-too-large", f"the body is larger than {self._limits.body} bytes")

    def _without_upgrade(self, rest: bytes) -> None:
        """Read a request with an Upgrade header as HTTP/1.1: no other protocol is spoken here."""
        method = self._parser.get_method()
        if method == b"CONNECT":
            self.refuse(501, "not-supported", "CONNECT is not supported")
            return
        headers = {name: text for name, text in self._headers.items() if name not in _WITHOUT_UPGRADE}
        lines = [f"{method.decode()} {self._url.decode('latin-1')} HTTP/1.1"]
        lines += [f"{name}: {text}" for name, text in headers.items()]
        self._parser = HttpRequestParser(self)
        self.feed("\r\n".join([*lines, "\r\n"]).encode("latin-1") + rest)
