"""How a study ends: of itself, or before it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kfnb.entities import RunState
from kfnb.resources.studies import model

T = TypeVar("T")


@dataclass
class End:
    """Whether a study is to end before it is done, and as what; ``state`` is None as long as it is not."""

    requested: asyncio.Event = field(default_factory=asyncio.Event)
    state: RunState | None = None
    reason: str = ""
    error: str = ""

    def now(self, state: RunState, reason: str = "", error: str = "") -> None:
        """End it. The first word counts."""
        if self.state is None:
            self.state, self.reason, self.error = state, reason, error
        self.requested.set()

    async def unless(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Do ``work``, unless the study ends meanwhile; None then."""
        task, requested = asyncio.create_task(work), asyncio.create_task(self.requested.wait())
        await asyncio.wait({task, requested}, return_when=asyncio.FIRST_COMPLETED)
        requested.cancel()
        if task.done():
            return task.result()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return None


def fruitless(study: model.StudySnapshot, reason: str = "") -> str:
    """Why a study whose trials came to no value has failed; ``reason`` is why it ended."""
    first = next((trial for trial in study.trials if trial.error is not None), None)
    if first is None or first.error is None:
        return "no trial came to a value" + (f": {reason}" if reason else "")
    where = f" ({first.error.place})" if first.error.place else ""
    return f"no trial came to a value; trial {first.number}: {first.error.message}{where}"
