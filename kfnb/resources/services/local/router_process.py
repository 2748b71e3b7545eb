"""The router of a service in its driver: the process, which is started again when it ends, and the messages to it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kfnb.diagnostics import logger
from kfnb.jobs.processes import Processes
from kfnb.resources.services.local.child_process import ChildProcess
from kfnb.resources.services.local.control import ControlLine
from kfnb.resources.services.local.folder import ServiceFolder
from kfnb.resources.services.local.router import route
from kfnb.resources.services.local.routing_table import RoutingTable

_logger = logger(__package__)

_PAUSE, _LONGEST_PAUSE = 0.05, 5.0
_STEADY = 60.0
_DRAIN = 32.0
"""Seconds for requests under way at the end; the router takes 30 at most."""


@dataclass(frozen=True)
class RouterReport:
    """What a router has counted since it started, and the requests under way, by revision.

    ``life`` is another number for each process: its counters begin at 0.
    """

    life: int
    counters: dict[int, dict[str, Any]] = field(default_factory=dict)
    under_way: dict[int, int] = field(default_factory=dict)


class RouterProcess:
    """The router of the service in ``folder``, which answers at the open socket ``listener``.

    The socket stays open when the router ends: requests that come then wait for the next one.
    """

    def __init__(self, folder: ServiceFolder, processes: Processes, listener: socket.socket) -> None:
        self._folder, self._processes, self._listener = folder, processes, listener
        self._table = RoutingTable()
        self._line: ControlLine | None = None
        self._child: ChildProcess | None = None
        self._life: asyncio.Task[None] | None = None
        self.lives = 0

    @property
    def pair(self) -> tuple[int, int] | None:
        """The default and the canary that share the requests now, by number; None while not both answer."""
        numbers = {one.role: one.revision for one in self._table.routes}
        return (numbers["default"], numbers["canary"]) if {"default", "canary"} <= numbers.keys() else None

    def begin(self) -> None:
        """Begin to answer."""
        self._life = asyncio.create_task(self._live())

    async def use(self, table: RoutingTable) -> bool:
        """Send all further requests by another table; False if the router has just ended and will get it later."""
        self._table = table
        return bool(await self._ask({"table": table.as_json()}))

    async def report(self) -> RouterReport:
        """What it has counted."""
        return self._reported(await self._ask({"report": True}))

    def _reported(self, found: Mapping[str, Any]) -> RouterReport:
        counters = {int(number): data for number, data in found.get("counters", {}).items()}
        return RouterReport(
            self.lives, counters, {int(one): many for one, many in found.get("under_way", {}).items()}
        )

    async def end(self) -> RouterReport:
        """Accept no more requests, finish those under way, and end; what it has counted by then."""
        self._listener.close()
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait({self._life})
        if self._child is None:
            return RouterReport(self.lives)
        last = self._reported(await self._ask({"stop": True}))
        await self._child.end(1.0)
        return last

    async def _live(self) -> None:
        loop, pause = asyncio.get_running_loop(), _PAUSE
        while True:
            began = loop.time()
            try:
                child = await self._start()
                await self._ask({"table": self._table.as_json()})
                _logger.warning("The router ended with status %s.", await child.status())
            except Exception:  # without one, no request would ever be answered again
                _logger.exception("The router cannot be started.")
            pause = _PAUSE if loop.time() - began > _STEADY else min(pause * 2, _LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def _start(self) -> ChildProcess:
        if self._line is not None:
            self._line.close()
            self._line = None
        mine, its = socket.socketpair()
        with its:
            try:
                child = await self._started(mine, its)
            except OSError:
                mine.close()
                raise
        self.lives += 1
        self._child, self._line = child, await ControlLine.of(mine)
        return child

    async def _started(self, mine: socket.socket, its: socket.socket) -> ChildProcess:
        """The process, which has ``its`` end of the line. Raises ``OSError``."""
        folder, listener = self._folder, self._listener.fileno()
        token = str(folder.token_file) if folder.token_file.exists() else ""
        return await ChildProcess.start(
            self._processes,
            partial(route, folder.name, str(folder.path), listener, its.fileno(), token),
            folder.path / "router.log",
            folder.path,
            passes=[listener, its.fileno()],
            shuts=[mine.fileno()],
        )

    async def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """The answer to a message; empty where the router is gone. One that says nothing is ended."""
        line, child = self._line, self._child
        if line is None or child is None:
            return {}
        try:
            return await asyncio.wait_for(line.ask(message), _DRAIN)
        except (asyncio.TimeoutError, TimeoutError):
            await child.end(0)
            return {}
