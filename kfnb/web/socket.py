"""The way between a browser's page and its board: a WebSocket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from kfnb.live.board import Board, Receive
from kfnb.web.access import PageAccess

_LONGEST_REQUEST = 64 * 1024


class SocketChannel:
    """Messages to one page: JSON, and then the buffers that belong to it, each as a binary message."""

    def __init__(self, socket: PageSocket, mark: str, receive: Receive) -> None:
        self.token, self.receive = mark, receive
        self._socket, self._loop = socket, IOLoop.current()

    def send_message(self, message: Mapping[str, Any], *buffers: bytes) -> None:
        """Send the page a message; from any thread."""
        text = json.dumps({"message": message, "buffers": len(buffers)})
        self._loop.add_callback(self._socket.deliver, text, buffers)


class PageSocket(WebSocketHandler):
    """One page that is open in a browser."""

    def initialize(self, access: PageAccess, mark: str) -> None:
        """Set by the server."""
        self._access, self._mark = access, mark

    def check_origin(self, origin: str) -> bool:
        """Whether the page is of this server."""
        return self._access.is_own_origin(origin)

    async def prepare(self) -> None:
        """Refuse who has no token."""
        self._access.check(self)

    def open(self, *_: str, **__: str) -> None:
        """A page was opened."""

        def connect(receive: Receive) -> SocketChannel:
            self._channel = SocketChannel(self, self._mark, receive)
            return self._channel

        self._board = Board(connect)

    def on_message(self, message: str | bytes) -> None:
        """The page asks something."""
        if len(message) > _LONGEST_REQUEST:
            self.close(1009, "the request is too long")
            return
        try:
            content = json.loads(message)
        except ValueError:
            content = None
        if isinstance(content, dict):
            self._channel.receive(content)

    def on_close(self) -> None:
        """The page was closed."""
        self._board.close()

    def deliver(self, text: str, buffers: tuple[bytes, ...]) -> None:
        """Send what belongs together, in the thread of the server."""
        try:
            self.write_message(text)
            for one in buffers:
                self.write_message(one, binary=True)
        except WebSocketClosedError:
            pass  # the page has gone; its board is closed
