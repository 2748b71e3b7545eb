"""How many steps run at once: each takes the cores and GPUs that it asks for, out of what there is."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kfnb.resources.runs.local.activity import Activity
from kfnb.resources.runs.local.memory import spare

_ROUNDING = 1e-9
_LOOK = 0.05
"""Seconds between looks at what tasks do, as long as others wait for room."""


@dataclass(frozen=True)
class Share:
    """What a step takes. ``said``: it has asked for that itself, and no other step gets it while this one waits."""

    cores: float = 1.0
    gpus: float = 0.0
    said: bool = False


@dataclass
class _Entry:
    """A step that waits for room, until ``turn``."""

    task: str
    share: Share
    turn: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class ResourcePool:
    """Room for ``cores`` and ``gpus``, given in the order in which it is asked for.

    Who asks for more than there is gets all of it: it runs alone. Where there is no GPU, steps that ask for one
    run one at a time: what they will use instead is not known. Steps that have asked for nothing lend their cores
    to others of that kind while they wait, as ``activity`` tells, until ``most`` steps run; ``has_memory`` says whether
    so many bytes more may be used.
    """

    def __init__(
        self,
        cores: float,
        gpus: int,
        most: int = 0,
        activity: Activity | None = None,
        has_memory: Callable[[int], bool] = spare,
    ) -> None:
        self.activity = activity or Activity()
        self._most, self._has_memory = most, has_memory
        self._all = Share(float(cores), float(max(gpus, 1)))
        self._taken: dict[str, Share] = {}
        self._waiting: deque[_Entry] = deque()

    @asynccontextmanager
    async def taken(self, task: str, share: Share) -> AsyncIterator[None]:
        """Wait for room for ``task``, and hold it until the block's end."""
        entry = _Entry(
            task, Share(min(share.cores, self._all.cores), min(share.gpus, self._all.gpus), share.said)
        )
        await self._take(entry)
        try:
            yield
        finally:
            del self._taken[task]
            self._admit()

    async def keep(self) -> None:
        """Look again and again whether those who run leave room for those who wait, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK)
            if self._waiting and len(self._taken) < self._most:
                self.activity.look()
                self._admit()

    async def _take(self, entry: _Entry) -> None:
        self._waiting.append(entry)
        self._admit()
        try:
            await entry.turn
        except asyncio.CancelledError:
            if entry.turn.done() and not entry.turn.cancelled():
                del self._taken[entry.task]
            with contextlib.suppress(ValueError):
                self._waiting.remove(entry)
            self._admit()
            raise

    def _admit(self) -> None:
        """Let in who waits, the first first: a step that needs much is not overtaken for ever."""
        while self._waiting:
            entry = self._waiting[0]
            if not (self._fits(entry.share) or self._fits_beside(entry.share)):
                return
            self._waiting.popleft()
            self._taken[entry.task] = entry.share
            entry.turn.set_result(None)

    def _fits(self, share: Share, lent: float = 0.0) -> bool:
        cores = self._all.cores - sum(one.cores for one in self._taken.values()) + lent
        gpus = self._all.gpus - sum(one.gpus for one in self._taken.values())
        return share.cores <= cores + _ROUNDING and share.gpus <= gpus + _ROUNDING

    def _fits_beside(self, share: Share) -> bool:
        """Whether there is room with the cores of those who only wait at the moment."""
        if share.said or len(self._taken) >= self._most:
            return False
        waiting = (one for task, one in self._taken.items() if not one.said and self.activity.waits(task))
        return self._fits(share, sum(one.cores for one in waiting)) and self._has_memory(
            self.activity.largest()
        )


def gpus() -> int:
    """The NVIDIA GPUs of this machine."""
    return len(list(Path("/dev").glob("nvidia[0-9]*")))
