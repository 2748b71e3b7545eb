"""One run that is looked at: what the looks add up to, and how often the server is asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from kfnb.backends.backend import Pace
from kfnb.backends.events import Event
from kfnb.backends.kubeflow.changes import changes
from kfnb.errors import BackendError, BackendUnavailable
from kfnb.model import Run

_LATELY = 60.0
"""Seconds after a look in which the next one is expected."""


class Watch:
    """Looks at a run by ``look``, and keeps the events that the looks add up to.

    However many ask, the server is asked once in a while: soon again while things change, seldom while they do not or
    while it does not answer.
    """

    def __init__(self, look: Callable[[], Run], pace: Callable[[], Pace]) -> None:
        self._look, self._pace = look, pace
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._events: list[Event] = []
        self._looked, self._pause = float("-inf"), 0.0
        self._wanted = float("-inf")
        self._lost: BackendError | None = None

    @property
    def watched(self) -> bool:
        """Whether somebody has lately looked at the run, and it is not over."""
        over = self._run is not None and self._run.state.finished
        return not over and time.monotonic() - self._wanted < _LATELY

    def soon(self) -> None:
        """Something has been done to the run: what is known of it is old."""
        self._looked, self._pause = float("-inf"), 0.0

    def run(self, age: float | None = None) -> Run:
        """The run, as it was ``age`` seconds ago or later. Raises ``RunNotFound``, ``BackendError``."""
        self._wanted = time.monotonic()
        with self._lock:
            if time.monotonic() - self._looked >= (self._pause if age is None else age):
                self._ask()
            if self._lost is not None or self._run is None:
                raise self._lost or AssertionError
            return self._run

    def events(self, after: int) -> list[Event]:
        """The events above ``after``."""
        self.run()
        return self._events[after:]

    def _ask(self) -> None:
        try:
            run = self._look()
        except BackendUnavailable as error:
            self._lost, self._looked = error, time.monotonic()
            self._wait(changed=False)
            return
        number = len(self._events)
        facts = changes(self._run, run, time.time())
        self._events += [Event(number + at, *fact) for at, fact in enumerate(facts, start=1)]
        changed = len(self._events) > number
        self._run, self._lost, self._looked = run, None, time.monotonic()
        self._wait(changed=changed)

    def _wait(self, *, changed: bool) -> None:
        """Choose how long the run is left alone."""
        pace = self._pace()
        self._pause = pace.next(self._pause or pace.shortest, changed=changed)
