"""One run that is looked at: what the looks add up to, and how often the server is asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from kfnb.errors import BackendError, BackendUnavailable
from kfnb.jobs.fold import Event
from kfnb.jobs.polling import Pace, Pause
from kfnb.model import Run
from kfnb.resources.runs.kubeflow.diff import changes

_LATELY = 60.0
"""Seconds after a look in which the next one is expected."""


class RunCache:
    """Looks at a run by ``look``, and keeps the events that the looks add up to.

    However many ask, the server is asked once in a while: soon again while things change, seldom while they do not or
    while it does not answer. That it does not is an event too: a note on the run, until it does.
    """

    def __init__(self, look: Callable[[], Run], pace: Callable[[], Pace]) -> None:
        self._look, self._pace = look, pace
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._events: list[Event] = []
        self._looked, self._pause = float("-inf"), Pause(pace())
        self._wanted = float("-inf")
        self._lost: BackendError | None = None

    @property
    def watched(self) -> bool:
        """Whether somebody has lately looked at the run, and it is not over."""
        return not self.over and time.monotonic() - self._wanted < _LATELY

    @property
    def over(self) -> bool:
        """Whether the run is known to be finished."""
        return self._run is not None and self._run.state.finished

    def soon(self) -> None:
        """Something has been done to the run: what is known of it is old."""
        self._looked, self._pause = float("-inf"), Pause(self._pace())

    def run(self, age: float | None = None) -> Run:
        """The run, as it was ``age`` seconds ago or later. Raises ``RunNotFound``, ``BackendError``."""
        self._wanted = time.monotonic()
        with self._lock:
            if time.monotonic() - self._looked >= (self._pause.seconds if age is None else age):
                self._ask()
            if self._lost is not None:
                raise self._lost.with_traceback(None)  # it would grow with each that asks
            assert self._run is not None  # there was an answer
            return self._run

    def events(self, after: int) -> list[Event]:
        """The events above ``after``. Raises ``BackendError`` where none are known and the server does not answer."""
        try:
            self.run()
        except BackendUnavailable:
            if len(self._events) <= after:
                raise
        return self._events[after:]

    def _ask(self) -> None:
        self._pause.pace = self._pace()
        try:
            run = self._look()
        except BackendUnavailable as error:
            if self._lost is None and self._run is not None:
                self._add(replace(self._run, notes=(*self._run.notes, _away(error))))
            self._lost, self._looked = error, time.monotonic()
            self._pause.unanswered()
            return
        changed = self._add(run)
        self._lost, self._looked = None, time.monotonic()
        self._pause.answered(changed=changed)

    def _add(self, run: Run) -> bool:
        """Keep what has happened to the run; whether anything has."""
        number = len(self._events)
        facts = changes(self._run, run, time.time())
        self._events += [Event(number + at, *fact) for at, fact in enumerate(facts, start=1)]
        self._run = run
        return len(self._events) > number


def _away(error: BackendUnavailable) -> str:
    return f"nothing new since {time.strftime('%H:%M:%S')}, still trying: {error}"
