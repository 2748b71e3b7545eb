"""What a driver and its router say to each other: lines of JSON over a pair of sockets."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import suppress
from typing import Any

_LONGEST = 1 << 20


class ControlLine:
    """One end of the line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._asking = asyncio.Lock()

    @classmethod
    async def of(cls, end: socket.socket) -> ControlLine:
        """The line of an end of a socket pair, which is closed with it."""
        return cls(*await asyncio.open_connection(sock=end, limit=_LONGEST))

    async def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """The answer to a message; empty where the other end is gone.

        It is awaited even if who asks is cancelled: else it would be taken for the answer to the next message.
        """
        return await asyncio.shield(self._answered(message))

    async def _answered(self, message: dict[str, Any]) -> dict[str, Any]:
        async with self._asking:
            self.send(message)
            return await self.receive()

    def send(self, message: dict[str, Any]) -> None:
        """Send a message."""
        self._writer.write(json.dumps(message).encode() + b"\n")

    async def receive(self) -> dict[str, Any]:
        """The next message; empty where the other end is gone."""
        with suppress(OSError, ValueError):
            message: dict[str, Any] = json.loads(await self._reader.readline() or "{}")
            return message
        return {}

    def close(self) -> None:
        """Close this end."""
        self._writer.close()
