"""How many steps run at once: each takes the cores and GPUs that it requests from those available."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from kfnb.jobs import system
from kfnb.resources.runs.local.activity import Activity

_ROUNDING = 1e-9
_POLL_EVERY = 0.05
"""Seconds between samples of what tasks do, while others wait for resources."""
_SPARE = 0.25
"""The share of the memory that must stay free."""


def spare(needed: int) -> bool:
    """Whether a quarter of the memory would stay free with ``needed`` more bytes in use; False if that is unknown."""
    known = list(system.here().memory())
    return bool(known) and all(free - needed >= _SPARE * total for free, total in known)


@dataclass(frozen=True)
class Share:
    """What a step takes. ``explicit``: it requests that explicitly, and keeps it while it waits."""

    cores: float = 1.0
    gpus: float = 0.0
    explicit: bool = False


@dataclass
class _Entry:
    """A step that waits for resources, until ``turn``."""

    task: str
    share: Share
    turn: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class ResourcePool:
    """Gives ``cores`` and ``gpus`` to steps, in the order of their requests.

    A step that requests more than exists gets everything, and runs alone. Without a GPU, steps that request GPUs run
    one at a time, since what they use instead is unknown. Steps without a request lend their cores to each other while
    they wait, according to ``activity``, until ``most`` steps run; ``has_memory`` returns whether that many more bytes
    may be used.
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
        """Wait for the resources of ``task``, and hold them until the block's end."""
        entry = _Entry(
            task, Share(min(share.cores, self._all.cores), min(share.gpus, self._all.gpus), share.explicit)
        )
        await self._take(entry)
        try:
            yield
        finally:
            del self._taken[task]
            self._admit()

    async def watch(self) -> None:
        """Check repeatedly whether running steps leave resources for waiting ones, until cancelled."""
        while True:
            await asyncio.sleep(_POLL_EVERY)
            if self._waiting and len(self._taken) < self._most:
                self.activity.sample()
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
        """Start waiting steps in order: a step that needs much is not overtaken for ever."""
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
        """Whether the cores of idle steps suffice."""
        if share.explicit or len(self._taken) >= self._most:
            return False
        waiting = (one for task, one in self._taken.items() if not one.explicit and self.activity.waits(task))
        return self._fits(share, sum(one.cores for one in waiting)) and self._has_memory(
            self.activity.largest()
        )
