"""How many steps run at once: each takes the cores and GPUs that it asks for, out of what there is."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_ROUNDING = 1e-9


class Room:
    """Room for ``cores`` and ``gpus``, given in the order in which it is asked for.

    Who asks for more than there is gets all of it: it runs alone. Where there is no GPU, steps that ask for one
    run one at a time: what they will use instead is not known.
    """

    def __init__(self, cores: float, gpus: int) -> None:
        self._all = (float(cores), float(max(gpus, 1)))
        self._free = self._all
        self._waiting: deque[tuple[tuple[float, float], asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def taken(self, cores: float, gpus: int) -> AsyncIterator[None]:
        """Wait for room, and hold it until the block's end."""
        share = (min(cores, self._all[0]), min(float(gpus), self._all[1]))
        await self._take(share)
        try:
            yield
        finally:
            self._free = (self._free[0] + share[0], self._free[1] + share[1])
            self._admit()

    async def _take(self, share: tuple[float, float]) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (share, turn)
        self._waiting.append(entry)
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._free = (self._free[0] + share[0], self._free[1] + share[1])
            with contextlib.suppress(ValueError):
                self._waiting.remove(entry)
            self._admit()
            raise

    def _admit(self) -> None:
        """Let in who waits, the first first: a step that needs much is not overtaken for ever."""
        while self._waiting:
            share, turn = self._waiting[0]
            if any(wanted > free + _ROUNDING for wanted, free in zip(share, self._free, strict=True)):
                return
            self._waiting.popleft()
            self._free = (self._free[0] - share[0], self._free[1] - share[1])
            turn.set_result(None)


def gpus() -> int:
    """The NVIDIA GPUs of this machine."""
    return len(list(Path("/dev").glob("nvidia[0-9]*")))
