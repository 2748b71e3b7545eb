"""Static pictures of a run or a study: what is saved in the notebook, and all that shows where no page goes live."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from kfnb.live.contents import began, is_finished
from kfnb.live.redraw import Redraw

Bundle = dict[str, str]

PACE, LIVE_PACE = 0.4, 30.0
"""Seconds between two pictures at least; the second where a live one hides it, and it is for saving only."""

MOST_PLACES = 20
"""Places in the notebook that are kept up to date, the newest: one cell that is run again and again adds no more."""


class DisplayPlace(Protocol):
    """A picture's place in the notebook: IPython's ``DisplayHandle``."""

    def update(self, obj: Any, **kwargs: Any) -> None:
        """Put another picture there."""
        ...


class Pictures:
    """All static pictures of one subject, drawn alike. A new one among them is brought up to date at once.

    ``places`` are those that there are already.
    """

    def __init__(self, draw: Callable[[Any], Bundle], places: Sequence[DisplayPlace] = ()) -> None:
        self.fresh = False
        self._draw = draw
        self._places = list(places)
        self._bundle: Bundle | None = None
        self._redraw = Redraw()
        self._ended = False

    def add(self, place: DisplayPlace) -> None:
        """Keep one more place up to date."""
        self._places = [*self._places, place][-MOST_PLACES:]
        self.fresh = True

    def __bool__(self) -> bool:
        return bool(self._places)

    @property
    def places(self) -> Sequence[DisplayPlace]:
        """All of them, the newest last."""
        return self._places

    def show(self, shown: Any, *, changed: bool, live: bool, over: bool) -> None:
        """Draw ``shown`` where that makes a difference and is due.

        ``live`` says that people see another picture, ``over`` that this is the last one.
        """
        self._redraw.stale = self._redraw.stale or changed
        if not self._places:
            return
        ended = is_finished(shown) and not self._ended  # at once: the notebook may be saved any moment
        if self._redraw.due(began(shown)) or self.fresh or ended or over:
            self._update(shown, live=live)

    def _update(self, shown: Any, *, live: bool) -> None:
        fresh, self.fresh = self.fresh, False
        self._ended = is_finished(shown)
        start = time.monotonic()
        bundle = self._draw(shown)
        if fresh or bundle != self._bundle:
            for place in self._places:
                place.update(bundle, raw=True)
        self._bundle = bundle
        self._redraw.drawn(time.monotonic() - start, LIVE_PACE if live else PACE)
