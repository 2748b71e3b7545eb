"""Looking at a run, or at a study, again and again, in this thread."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterator
from typing import Any, Protocol

from kfnb.errors import BackendUnavailable
from kfnb.resources.runs.backend import Pace, Pause

PATIENCE = 2 * 60 * 60
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
    pause, answered = Pause(pace), -math.inf
    while True:
        try:
            pause.answered(changed=bool(view.look()))
            answered = time.monotonic()
        except BackendUnavailable:
            pause.unanswered()
            if time.monotonic() - answered > PATIENCE:
                raise
        yield
        if view.over:
            return
        left = pause.seconds if until is None else until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(pause.seconds, left))
