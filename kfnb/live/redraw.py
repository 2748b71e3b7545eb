"""Limits how often static HTML is redrawn."""

from __future__ import annotations

import time

TICK = 1.0
"""Seconds between two drawings that differ only in how long something has taken; more in a long one."""

SHARE = 9
"""The pause after work, as a multiple of the time it took: at most a tenth of a core is used."""


class Redraw:
    """The pace of one drawing. ``stale`` says that what it shows has changed since."""

    def __init__(self) -> None:
        self.stale = False
        self._drawn = self._next = 0.0

    def due(self, began: float | None) -> bool:
        """Whether the time for the next drawing has come, of something that began at that moment."""
        return time.monotonic() >= self._next and (self.stale or self._tick_is_due(began))

    def _tick_is_due(self, began: float | None) -> bool:
        taken = 0.0 if began is None else time.time() - began
        return time.monotonic() - self._drawn >= max(TICK, taken / 60)

    def drawn(self, took: float, pause: float) -> None:
        """Record a drawing that took ``took`` seconds; the next is due after ``pause`` at the earliest."""
        self.stale = False
        self._drawn = time.monotonic()
        self._next = self._drawn + max(pause, SHARE * took)
