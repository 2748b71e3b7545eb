"""What the tests of the server share: servers over real sockets, and what is sent to them byte by byte."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from kfnb.server.http import HttpServer
from kfnb.server.http_messages import Handler, HttpLimits
from tests.server.model_folders import Program, array_folder, churn_folder, deployed, program


@contextmanager
def serving(handler: Handler, limits: HttpLimits | None = None, **place: Any) -> Iterator[Running]:
    """A server that listens on a free port, or on a socket."""
    running = Running(handler, limits, **place)
    try:
        yield running
    finally:
        running.stop(0)


class Running:
    """A server in a thread with its own event loop."""

    def __init__(self, handler: Handler, limits: HttpLimits | None, path: str = "") -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        start = (
            HttpServer.on_socket(handler, path, limits)
            if path
            else HttpServer.on_port(handler, limits=limits)
        )
        self.server = asyncio.run_coroutine_threadsafe(start, self.loop).result(10)
        self.address = self.server.address

    def stop(self, seconds: float) -> None:
        """End it as its process would, if it has not been stopped already."""
        if self.thread.is_alive():
            asyncio.run_coroutine_threadsafe(self.server.stop(seconds), self.loop).result(seconds + 10)
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(10)
            self.loop.close()

    def line(self) -> socket.socket:
        """A connection to it."""
        host, port = self.address.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), timeout=20)

    def exchange(self, *pieces: bytes) -> bytes:
        """All that it answers to bytes that are sent, until it closes the connection."""
        with closing(self.line()) as line:
            for piece in pieces:
                line.sendall(piece)
            return read_all(line)


def read_all(line: socket.socket) -> bytes:
    """What a connection gives until it is closed."""
    found = b""
    while data := line.recv(1 << 16):
        found += data
    return found


@pytest.fixture
def serve() -> Iterator[Callable[..., Running]]:
    """Start servers, which the test's end stops."""
    started: list[Running] = []

    def start(handler: Handler, limits: HttpLimits | None = None, **place: Any) -> Running:
        started.append(Running(handler, limits, **place))
        return started[-1]

    yield start
    for running in started:
        running.stop(0)


@pytest.fixture(scope="session")
def churn_deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The deployment folder of a model with a transform."""
    place = tmp_path_factory.mktemp("churn")
    return deployed(churn_folder(place / "model"), place / "served")


@pytest.fixture(scope="session")
def churn(churn_deployed: Path) -> Iterator[Program]:
    """A program that serves it."""
    with program(churn_deployed, "--version", "7") as one:
        yield one


@pytest.fixture(scope="session")
def array_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A program that serves a model of arrays."""
    place = tmp_path_factory.mktemp("array")
    with program(deployed(array_folder(place / "model"), place / "served")) as one:
        yield one
