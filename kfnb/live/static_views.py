"""Static pictures of a run or a study: what is saved in the notebook, and all that shows where no page goes live."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from kfnb.live.followables import Shown

Bundle = dict[str, str]

TICK = 1.0
"""Seconds between two pictures that differ only in how long something has taken; more in a long one."""

PACE, LIVE_PACE = 0.4, 30.0
"""Seconds between two pictures at least; the second where a live one stands before it, and it is for saving only."""

SHARE = 9
"""So many times as long as a picture took to draw, the next one waits."""


class Place(Protocol):
    """A picture's place in the notebook: IPython's ``DisplayHandle``."""

    def update(self, obj: Any, **kwargs: Any) -> None:
        """Put another picture there."""
        ...


class Pictures:
    """All static pictures of one run or study, drawn alike. A new one among them is brought up to date at once."""

    def __init__(self, draw: Callable[[Any], Bundle]) -> None:
        self.fresh = False
        self._draw = draw
        self._places: list[Place] = []
        self._bundle: Bundle | None = None
        self._stale = self._ended = False
        self._drawn = self._next = 0.0

    def add(self, place: Place) -> None:
        """Keep one more place up to date."""
        self._places.append(place)
        self.fresh = True

    def __bool__(self) -> bool:
        return bool(self._places)

    def show(self, shown: Shown, *, changed: bool, live: bool, over: bool) -> None:
        """Draw ``shown`` where that makes a difference and is due.

        ``live`` says that people see another picture, ``over`` that this is the last one.
        """
        self._stale = self._stale or changed
        due = time.monotonic() >= self._next and (self._stale or self._tick_is_due(shown))
        ended = shown.state.finished and not self._ended  # at once: the notebook may be saved any moment
        if self._places and (due or self.fresh or ended or over):
            self._update(shown, live=live)

    def _tick_is_due(self, shown: Shown) -> bool:
        taken = time.time() - (shown.started or shown.created or time.time())
        return time.monotonic() - self._drawn >= max(TICK, taken / 60)

    def _update(self, shown: Shown, *, live: bool) -> None:
        fresh, self.fresh, self._stale = self.fresh, False, False
        self._ended = shown.state.finished
        began = time.monotonic()
        bundle = self._draw(shown)
        if fresh or bundle != self._bundle:
            for place in tuple(self._places):
                place.update(bundle, raw=True)
        self._bundle = bundle
        self._drawn = time.monotonic()
        self._next = self._drawn + max(LIVE_PACE if live else PACE, SHARE * (self._drawn - began))
