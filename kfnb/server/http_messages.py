"""A request and a response, and how a response is written."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

JSON = "application/json"

REASONS = {status.value: status.phrase for status in HTTPStatus}

NO_BODY = (204, 304)

INTERNAL = "internal error of the server; its log has more"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A complete request. Names of headers are in lower case; repeated headers are joined by ``", "``."""

    method: str
    target: str
    """The path and query as they were sent."""
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)

    @property
    def path(self) -> str:
        """The path as it was sent, without the query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A complete response; the length, date and connection headers are the server's.

    Raises ``ValueError`` for a line break in a header.
    """

    status: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for text in (self.content_type, *self.headers, *self.headers.values()):
            if "\r" in text or "\n" in text:
                raise ValueError("a header of the response has a line break")


Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]
"""What answers the requests of a server. It is cancelled if the client closes the connection."""


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What a client may take of a server, in bytes and seconds."""

    head: int = 1 << 16
    """Bytes of a request's first line and headers."""
    body: int = 100_000_000
    """Bytes of a body."""
    buffered: int = 400_000_000
    """Bytes of the bodies of all connections that are being received or answered; smaller ones are taken beyond it."""
    connections: int = 1000
    head_seconds: float = 10
    """Seconds within which the head of a request arrives."""
    slow_seconds: float = 30
    """Seconds for which a body may be sent or a response may be read slower than ``rate``."""
    rate: int = 50_000
    """Bytes a second."""
    idle_seconds: float = 75
    """Seconds for which a connection without a request is kept."""

    @property
    def share(self) -> int:
        """Bytes of a body that is taken even where ``buffered`` is reached: all connections together double that."""
        return self.buffered // self.connections


def error_response(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """An error as JSON: ``{"error": message, "code": code}``, which V1 and V2 clients read alike."""
    body = json.dumps({"error": message, "code": code}).encode()
    return HttpResponse(status, body, headers=headers or {})


def head_of(response: HttpResponse, date: str, *, close: bool) -> bytes:
    """The status line and the headers of a response."""
    lines = [f"HTTP/1.1 {response.status} {REASONS.get(response.status, '')}", f"date: {date}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    if response.status not in NO_BODY:
        lines += [f"content-type: {response.content_type}", f"content-length: {len(response.body)}"]
    if close:
        lines.append("connection: close")
    return "\r\n".join([*lines, "\r\n"]).encode("latin-1")
