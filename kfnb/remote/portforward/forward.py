"""Ports of the loopback interface forwarded to services in the cluster, as ``kubectl port-forward`` does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kfnb.diagnostics import logger
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.portforward.tunnel import dial

_logger = logger(__package__)

_CHUNK = 1 << 16
_TIMEOUT = 5.0
"""Seconds that the threads of a forward may take to end."""


class Forward:
    """A port of the loopback interface; each connection to it is forwarded to one that ``dial`` opens (as a socket).

    ``trouble`` is why the last connection could not be opened; empty if it could.
    """

    def __init__(self, dial: Callable[[], Any]) -> None:
        self.trouble = ""
        self._dial = dial
        self._ends: set[Any] = set()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self._accepting = self._start(self._accept)

    def close(self) -> None:
        """Stop forwarding; when this returns, all threads and sockets are closed."""
        with self._lock:
            self._closed = True
            ends = [*self._ends, self._listening]
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._accepting.join(_TIMEOUT)
        self._listening.close()
        with self._lock:
            threads = [*self._threads]
        for thread in threads:
            thread.join(_TIMEOUT)

    def _start(self, what: Callable[..., None], *arguments: Any) -> threading.Thread:
        def run() -> None:
            try:
                what(*arguments)
            finally:
                with self._lock:
                    self._threads.discard(thread)

        thread = threading.Thread(target=run, name=f"kfnb-forward-{self.address}", daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._listening.accept()
            except OSError:
                return
            # the head and the body of an answer arrive separately: the body must not wait for the head's ACK
            here.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._start(self._serve, here)

    def _serve(self, here: socket.socket) -> None:
        with self._held(here):
            try:
                there = self._dial()
            except Exception as error:  # the client sees a closed connection, and retries
                _logger.warning("Cannot open a port-forward.", exc_info=True)
                self.trouble = str(error)
                return
            self.trouble = ""
            with self._held(there):
                if self._closed:
                    return
                back = self._start(_pump, there, here)
                _pump(here, there)
                back.join()

    @contextmanager
    def _held(self, end: Any) -> Iterator[None]:
        """Register one end of a connection, so that ``close`` finds it."""
        with self._lock:
            self._ends.add(end)
        try:
            yield
        finally:
            with self._lock:
                self._ends.discard(end)
            end.close()


def _pump(source: Any, target: Any) -> None:
    """Copy all bytes from one end to the other, until it closes."""
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Forwards:
    """The forwards into one cluster, each opened on first use."""

    def __init__(self, kubernetes: Kubernetes) -> None:
        self._kubernetes = kubernetes
        self._open: dict[tuple[str, str, int], Forward] = {}
        self._lock = threading.Lock()

    def to(self, service: str, namespace: str, port: int) -> Forward:
        """The forward to a port of a service."""
        with self._lock:
            key = (service, namespace, port)
            if key not in self._open:
                self._open[key] = Forward(lambda: dial(self._kubernetes, *key))
            return self._open[key]

    def close(self) -> None:
        """Close them all."""
        with self._lock:
            for forward in self._open.values():
                forward.close()
            self._open.clear()
