"""What the processes of a training report, read from the file that their launcher writes while they run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from kfnb.entities import Rank, RunState
from kfnb.resources.runs.local.logs import Tail
from kfnb.resources.runs.rank_fold import merged

_TICK = 0.1
"""Seconds between two looks at the file."""

Report = Callable[[Mapping[str, Any]], None]
"""Takes what is new, by rank."""


@asynccontextmanager
async def followed(file: Path, report: Report) -> AsyncIterator[None]:
    """Hand on what is written to ``file`` while the block runs, and the rest at its end."""
    tail = Tail(file)
    watching = asyncio.create_task(_watch(tail, report))
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        _hand_on(tail, report)


def unfinished(file: Path) -> list[int]:
    """The ranks that had not succeeded by the end of what is written to ``file``."""
    ranks: tuple[Rank, ...] = ()

    def take(news: Mapping[str, Any]) -> None:
        nonlocal ranks
        ranks = merged(ranks, news)

    _hand_on(Tail(file), take)
    return [one.number for one in ranks if one.state is not RunState.SUCCEEDED]


async def _watch(tail: Tail, report: Report) -> None:
    while True:
        await asyncio.sleep(_TICK)
        _hand_on(tail, report)


def _hand_on(tail: Tail, report: Report) -> None:
    for line in tail.lines():
        with suppress(ValueError):  # the disk was full
            report(json.loads(line))
