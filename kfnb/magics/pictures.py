"""A run's static pictures in the notebook: what is saved in it, and all that shows where no page goes live."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from kfnb import model

Bundle = dict[str, str]

TICK = 1.0
"""Seconds between two pictures that differ only in how long something has taken; more in a long run."""

PACE, LIVE_PACE = 0.4, 30.0
"""Seconds between two pictures at least; the second where a live one stands before it, and it is for saving only."""

SHARE = 9
"""So many times as long as a picture took to draw, the next one waits."""


class Handle(Protocol):
    """A picture's place in the notebook: IPython's ``DisplayHandle``."""

    def update(self, obj: Any, **kwargs: Any) -> None:
        """Put another picture there."""
        ...


class Pictures:
    """All static pictures of one run, drawn alike. A new one among them is brought up to date at once."""

    def __init__(self, draw: Callable[[model.Run], Bundle]) -> None:
        self.fresh = False
        self._draw = draw
        self._handles: list[Handle] = []
        self._bundle: Bundle | None = None
        self._stale = False
        self._drawn = self._next = 0.0

    def add(self, handle: Handle) -> None:
        """Keep one more place up to date."""
        self._handles.append(handle)
        self.fresh = True

    def __bool__(self) -> bool:
        return bool(self._handles)

    def show(self, run: model.Run, *, changed: bool, live: bool) -> None:
        """Draw ``run`` where that makes a difference and is due; ``live`` says that people see another picture."""
        self._stale = self._stale or changed
        due = time.monotonic() >= self._next and (self._stale or self._tick_is_due(run))
        if self._handles and (due or self.fresh or run.state.finished):
            self._update(run, live=live)

    def _tick_is_due(self, run: model.Run) -> bool:
        taken = time.time() - (run.started or run.created or time.time())
        return time.monotonic() - self._drawn >= max(TICK, taken / 60)

    def _update(self, run: model.Run, *, live: bool) -> None:
        fresh, self.fresh, self._stale = self.fresh, False, False
        began = time.monotonic()
        bundle = self._draw(run)
        if fresh or bundle != self._bundle:
            for handle in tuple(self._handles):
                handle.update(bundle, raw=True)
        self._bundle = bundle
        self._drawn = time.monotonic()
        self._next = self._drawn + max(LIVE_PACE if live else PACE, SHARE * (self._drawn - began))
