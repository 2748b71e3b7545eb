"""Looking at a run, or at a study, again and again, in this thread."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterator
from typing import Any, Protocol

from kfnb.backends.backend import Pace
from kfnb.errors import BackendUnavailable

_PATIENCE = 2 * 60 * 60
"""Seconds that a backend may not answer while something is waited for."""


class View(Protocol):
    """What looks: each look returns what has changed, and raises ``BackendError``."""

    @property
    def over(self) -> bool:
        """Whether what is looked at was finished at the last look."""
        ...

    def look(self) -> Collection[Any]:
        """Look once more."""
        ...


def looks(view: View, pace: Pace, seconds: float | None = None) -> Iterator[None]:
    """Goes on after each look, at ``pace``, until there is no more to see, for ``seconds`` at most.

    A backend that has answered once and does not for a while is asked again, for two hours.
    """
    until = None if seconds is None else time.monotonic() + seconds
    pause, answered, changed = pace.shortest, -math.inf, True
    while True:
        try:
            changed, answered = bool(view.look()), time.monotonic()
        except BackendUnavailable:
            changed = False
            if time.monotonic() - answered > _PATIENCE:
                raise
        yield
        if view.over:
            return
        pause = pace.next(pause, changed=changed)
        left = pause if until is None else until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(pause, left))
