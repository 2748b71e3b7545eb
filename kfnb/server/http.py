"""An HTTP/1.1 server for an ``async def handler(request)``, over TCP or a Unix socket."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from email.utils import formatdate
from pathlib import Path

from kfnb.server.http_connection import HttpConnection, Serving, names_this_machine
from kfnb.server.http_messages import Handler, HttpLimits

_BACKLOG = 1024


class HttpServer:
    """A server that is listening.

    ``address`` is ``http://HOST:PORT`` or ``unix:PATH``. A server on a loopback address answers only requests whose
    Host and Origin headers name this machine, so that web pages from elsewhere cannot reach it.
    """

    def __init__(self, listener: asyncio.Server, serving: Serving, address: str, path: Path | None) -> None:
        self.address = address
        self._listener, self._serving, self._path = listener, serving, path
        self._sweeper = asyncio.create_task(self._sweep())

    @classmethod
    async def on_port(
        cls, handler: Handler, host: str = "127.0.0.1", port: int = 0, limits: HttpLimits | None = None
    ) -> HttpServer:
        """Listen on a TCP port; 0 takes a free one. Raises ``OSError``."""
        serving = Serving(handler, limits or HttpLimits(), local=names_this_machine(host))
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(lambda: HttpConnection(serving), host, port, backlog=_BACKLOG)
        own = listener.sockets[0].getsockname()[1]
        return cls(listener, serving, f"http://{f'[{host}]' if ':' in host else host}:{own}", None)

    @classmethod
    async def on_socket(
        cls, handler: Handler, path: str | Path, limits: HttpLimits | None = None
    ) -> HttpServer:
        """Listen on a Unix socket that only this user can connect to. Raises ``OSError``."""
        serving = Serving(handler, limits or HttpLimits(), local=False)
        loop, before = asyncio.get_running_loop(), os.umask(0o177)
        try:
            listener = await loop.create_unix_server(lambda: HttpConnection(serving), path, backlog=_BACKLOG)
        finally:
            os.umask(before)
        return cls(listener, serving, f"unix:{path}", Path(path))

    @classmethod
    async def on_open_socket(
        cls, handler: Handler, opened: socket.socket, limits: HttpLimits | None = None
    ) -> HttpServer:
        """Answer at a TCP socket that is open already, which another process may keep for the next server."""
        host, port = opened.getsockname()[:2]
        serving = Serving(handler, limits or HttpLimits(), local=names_this_machine(host))
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(lambda: HttpConnection(serving), sock=opened, backlog=_BACKLOG)
        return cls(listener, serving, f"http://{f'[{host}]' if ':' in host else host}:{port}", None)

    async def stop(self, seconds: float = 30) -> None:
        """Accept no more connections, finish the requests that have begun, for ``seconds`` at most."""
        self._listener.close()
        self._serving.stopping = True
        for connection in list(self._serving.connections):
            connection.finish()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._serving.all_closed(), seconds)
        for connection in list(self._serving.connections):
            connection.abort()
        self._sweeper.cancel()
        if self._path:
            self._path.unlink(missing_ok=True)

    async def _sweep(self) -> None:
        """Close the connections that are too slow, once a second."""
        loop = asyncio.get_running_loop()
        while True:
            self._serving.date = formatdate(usegmt=True)
            for connection in list(self._serving.connections):
                connection.check(loop.time())
            await asyncio.sleep(1)
