"""Polling of a job, here or on a cluster: how often, for how long, and what is new."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from kfnb.errors import BackendUnavailable
from kfnb.jobs.fold import Event, JobFold

P = TypeVar("P")

TIMEOUT = 2 * 60 * 60
"""Seconds that a backend may be unreachable while a job is waited for."""


@dataclass(frozen=True)
class Pace:
    """How often a job that is followed is polled: the seconds in between, while it changes and while it does not."""

    shortest: float
    longest: float

    def next(self, pause: float, *, changed: bool) -> float:
        """The seconds until the next poll, from the seconds since the last change."""
        return self.shortest if changed else min(self.longest, pause * 1.5)


class Pause:
    """The ``seconds`` until the next poll of one job, at a ``pace``: few after a change, and after a backend that was
    unreachable answers again; otherwise increasing.
    """

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.seconds = pace.shortest
        self._away = False

    def answered(self, *, changed: bool) -> None:
        """The poll found something new, or nothing."""
        self.seconds = self.pace.next(self.seconds, changed=changed or self._away)
        self._away = False

    def unanswered(self) -> None:
        """The backend was unreachable."""
        self.seconds = self.pace.next(self.seconds, changed=False)
        self._away = True


class Polled(Protocol):
    """What is polled: each poll returns what has changed, and raises ``BackendError``."""

    @property
    def over(self) -> bool:
        """Whether the job was finished at the last poll."""
        ...

    def refresh(self) -> Collection[Any]:
        """Poll once more."""
        ...


class JobObserver(Generic[P]):
    """A job as of the last poll; empty before the first. Each poll reads only new events.

    ``read`` gives the events after the event with that number.
    """

    def __init__(self, fold: JobFold[P], read: Callable[[int], Iterable[Event]]) -> None:
        self._folded, self._read = fold, read

    @property
    def over(self) -> bool:
        """Whether the job is finished."""
        return self._folded.finished

    def refresh(self) -> set[P]:
        """Poll once more; return the parts of the job that have changed. Raises ``BackendError``."""
        return self._folded.take(self._read(self._folded.seq))


def poll(view: Polled, pace: Pace, seconds: float | None = None) -> Iterator[None]:
    """Poll at ``pace`` until the job is finished, for ``seconds`` at most; yields after each poll.

    A backend that has answered once and then does not is asked again, for two hours.
    """
    until = None if seconds is None else time.monotonic() + seconds
    pause, answered = Pause(pace), -math.inf
    while True:
        try:
            pause.answered(changed=bool(view.refresh()))
            answered = time.monotonic()
        except BackendUnavailable:
            pause.unanswered()
            if time.monotonic() - answered > TIMEOUT:
                raise
        yield
        if view.over:
            return
        left = pause.seconds if until is None else until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(pause.seconds, left))
