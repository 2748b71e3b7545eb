"""A line to a server on this machine, which counts what is sent to it, can be cut, and may speak TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

_PIECE = 65536


class Line:
    """Connections to ``port`` of this machine. After ``limit`` bytes have been sent to it, ``at_limit`` is called."""

    def __init__(self, port: int, context: ssl.SSLContext | None = None) -> None:
        self.limit: int | None = None
        self.at_limit: Callable[[], None] = self.cut
        self.port, self._context, self._sent = port, context, 0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Cut all connections; new ones can be made."""
        with self._lock:
            ends, self._open = self._open, set()
        for one in ends:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Cut all connections, and take no more."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):  # it is closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        with suppress(OSError), closing(client):
            near = self._context.wrap_socket(client, server_side=True) if self._context else client
            with closing(near), socket.create_connection(("127.0.0.1", self.port)) as far:
                with self._lock:
                    self._open |= {near, far}
                back = threading.Thread(target=_pump, args=(far, near, lambda _: None), daemon=True)
                back.start()
                _pump(near, far, self._count)
                back.join()

    def _count(self, size: int) -> None:
        with self._lock:
            self._sent += size
            reached = self.limit is not None and self._sent >= self.limit
            if reached:
                self.limit, self._sent = None, 0
        if reached:
            self.at_limit()


def _pump(source: socket.socket, target: socket.socket, count: Callable[[int], None]) -> None:
    with suppress(OSError):
        while data := source.recv(_PIECE):
            target.sendall(data)
            count(len(data))
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def line_to(port: int, context: ssl.SSLContext | None = None) -> Iterator[Line]:
    """A line to a port of this machine; with a ``context``, clients speak TLS to it."""
    line = Line(port, context)
    try:
        yield line
    finally:
        line.close()
