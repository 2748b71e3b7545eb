"""A real HTTP server over sockets, whose every answer is written by the test: also broken, slow and endless ones."""

import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Act = Callable[[socket.socket], None]


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> Act:
    """An answer, whole and at once; an underscore in a header's name is a hyphen."""
    told = {"content-length": str(len(body)), **{name.replace("_", "-"): to for name, to in headers.items()}}
    head = "".join(f"{name}: {to}\r\n" for name, to in told.items())
    return lambda line: line.sendall(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body)


def reset(line: socket.socket) -> None:
    """The connection is reset: TCP's RST instead of a goodbye."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(line.detach())  # at once, whoever else holds it


def silence(seconds: float) -> Act:
    """Nothing comes for a while."""
    return lambda _: time.sleep(seconds)


def drip(body: bytes, every: float) -> Act:
    """A body that comes byte by byte."""

    def act(line: socket.socket) -> None:
        line.sendall(f"HTTP/1.1 200 X\r\ncontent-length: {len(body)}\r\n\r\n".encode())
        for byte in body:
            line.sendall(bytes([byte]))
            time.sleep(every)

    return act


def cut(line: socket.socket) -> None:
    """A body that ends before its length."""
    line.sendall(b'HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\n{"half":')
    line.shutdown(socket.SHUT_RDWR)


@dataclass
class Server:
    """Answers by ``script``, one act a request, and by ``then`` after that. ``asked`` is what came."""

    script: list[Act] = field(default_factory=list)
    then: Act = field(default_factory=answer)
    asked: list[Asked] = field(default_factory=list)
    hang_up_first: int = 0
    """So many connections are reset at their first byte."""
    scheme: str = "http"

    def __post_init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.context: ssl.SSLContext | None = None
        self.port = self.listening.getsockname()[1]
        self.connections = 0
        self.open: list[socket.socket] = []

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def run(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self.listening.accept()
                self.open.append(line)
                threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with suppress(OSError, ValueError), line:
            if self.hang_up_first:
                self.hang_up_first -= 1
                line.recv(1)
                reset(line)
            elif self.context is not None:
                with self.context.wrap_socket(line, server_side=True) as secured:
                    self._answer(secured)
            else:
                self._answer(line)

    def _answer(self, line: socket.socket) -> None:
        self.connections += 1
        with line.makefile("rb") as reader:
            while (request := self._read(reader)) is not None:
                self.asked.append(request)
                (self.script.pop(0) if self.script else self.then)(line)

    def close(self) -> None:
        for line in (self.listening, *self.open):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        self.listening.close()

    @staticmethod
    def _read(reader) -> Asked | None:
        first = reader.readline().decode().split()
        if not first:
            return None
        headers = {}
        while (row := reader.readline().decode().strip()) != "":
            name, _, value = row.partition(":")
            headers[name.lower()] = value.strip()
        return Asked(first[0], first[1], headers, reader.read(int(headers.get("content-length", 0))))


@contextmanager
def serving(script: list[Act] | None = None, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server, for as long as it is needed."""
    server = Server(script or [], scheme="https" if context else "http")
    server.context = context
    threading.Thread(target=server.run, daemon=True).start()
    try:
        yield server
    finally:
        server.close()
