"""One observed run: its accumulated events, and how often the server is asked."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import replace
from typing import Protocol, TypeVar

from kfnb.entities import RunSnapshot
from kfnb.errors import BackendError, BackendUnavailable
from kfnb.jobs.fold import Event
from kfnb.jobs.polling import TIMEOUT, Pace, Pause
from kfnb.resources.runs.kubeflow.diff import changes

_RECENT = 60.0
"""Seconds after a poll within which the next poll is expected."""
_MOST_FINISHED = 50
"""Finished runs that are kept."""


class RunCache:
    """Polls a run with ``request``, and keeps the events of its changes.

    However many observers there are, the server is asked at one pace: often while the run changes, rarely while it
    does not or while the server does not answer. A server that does not answer is an event too: a note on the run.
    """

    def __init__(self, request: Callable[[], RunSnapshot], pace: Callable[[], Pace]) -> None:
        self._request, self._pace = request, pace
        self._lock = threading.Lock()
        self._run: RunSnapshot | None = None
        self._events: list[Event] = []
        self._polled, self._pause = float("-inf"), Pause(pace())
        self._requested = float("-inf")
        self._lost: BackendError | None = None

    @property
    def watched(self) -> bool:
        """Whether the run was polled recently and is not finished."""
        return not self.over and time.monotonic() - self._requested < _RECENT

    @property
    def over(self) -> bool:
        """Whether the run is known to be finished."""
        return self._run is not None and self._run.state.finished

    def soon(self) -> None:
        """Ask the server soon: an action has changed the run."""
        self._polled, self._pause = float("-inf"), Pause(self._pace())

    def run(self, age: float | None = None) -> RunSnapshot:
        """The run as of at most ``age`` seconds ago. Raises ``RunNotFound``, ``BackendError``."""
        self._requested = time.monotonic()
        with self._lock:
            if time.monotonic() - self._polled >= (self._pause.seconds if age is None else age):
                self._refresh()
            if self._lost is not None:
                raise self._lost.with_traceback(None)  # the traceback would grow with each observer
            assert self._run is not None  # set by the first answer
            return self._run

    def events(self, after: int) -> list[Event]:
        """The events above ``after``. Raises ``BackendError`` if none are known and the server does not answer."""
        try:
            self.run()
        except BackendUnavailable:
            if len(self._events) <= after:
                raise
        return self._events[after:]

    def followed(self, after: int, *, follow: bool, pause: float) -> Iterator[Event]:
        """The events above ``after``; with ``follow``, as they arrive, until the run is finished.

        They are looked for every ``pause`` seconds. A server that does not answer is asked again for two hours.
        """
        answered = -math.inf
        while True:
            try:
                new, answered = self.events(after), time.monotonic()
                for event in new:
                    after = event.seq
                    yield event
                if not follow or self.run(math.inf).state.finished:
                    return
            except BackendUnavailable:
                if not follow or time.monotonic() - answered > TIMEOUT:
                    raise
            time.sleep(pause)

    def _refresh(self) -> None:
        self._pause.pace = self._pace()
        try:
            run = self._request()
        except BackendUnavailable as error:
            if self._lost is None and self._run is not None:
                self._add(replace(self._run, notes=(*self._run.notes, _away(error))))
            self._lost, self._polled = error, time.monotonic()
            self._pause.unanswered()
            return
        changed = self._add(run)
        self._lost, self._polled = None, time.monotonic()
        self._pause.answered(changed=changed)

    def _add(self, run: RunSnapshot) -> bool:
        """Keep the changes of the run; return whether there were any."""
        number = len(self._events)
        facts = changes(self._run, run, time.time())
        self._events += [Event(number + at, *fact) for at, fact in enumerate(facts, start=1)]
        self._run = run
        return len(self._events) > number


class Watched(Protocol):
    """A run that is observed."""

    watch: RunCache


W = TypeVar("W", bound=Watched)


def forget_finished(tracked: MutableMapping[str, W]) -> None:
    """Keep only the newest of the finished runs: the others can be requested again."""
    over = [id for id, one in list(tracked.items()) if one.watch.over]
    for id in over[:-_MOST_FINISHED]:
        tracked.pop(id, None)


def _away(error: BackendUnavailable) -> str:
    return f"no update since {time.strftime('%H:%M:%S')}, retrying: {error}"
