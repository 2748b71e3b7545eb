"""Looking at a job, here or on a cluster, again and again: how often, for how long, and what is new."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from kfnb.errors import BackendUnavailable
from kfnb.jobs.fold import Event, JobFold

P = TypeVar("P")

PATIENCE = 2 * 60 * 60
"""Seconds that a backend may not answer while something is waited for."""


@dataclass(frozen=True)
class Pace:
    """How often a job that is followed is looked at: the seconds in between, while things change and while not."""

    shortest: float
    longest: float

    def next(self, pause: float, *, changed: bool) -> float:
        """The seconds until the next look, after those since the last one."""
        return self.shortest if changed else min(self.longest, pause * 1.5)


class Pause:
    """The ``seconds`` until the next look at one thing, at a ``pace``: few once something has changed and once a
    backend that was away answers again, else ever more.
    """

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.seconds = pace.shortest
        self._away = False

    def answered(self, *, changed: bool) -> None:
        """The look found something new, or nothing."""
        self.seconds = self.pace.next(self.seconds, changed=changed or self._away)
        self._away = False

    def unanswered(self) -> None:
        """The backend was away."""
        self.seconds = self.pace.next(self.seconds, changed=False)
        self._away = True


class View(Protocol):
    """What looks: each look returns what has changed, and raises ``BackendError``."""

    @property
    def over(self) -> bool:
        """Whether what is looked at was finished at the last look."""
        ...

    def look(self) -> Collection[Any]:
        """Look once more."""
        ...


class JobObserver(Generic[P]):
    """A job as of the last look; before the first one, it is empty. Only what is new is read.

    ``read`` gives the events after the one with that number.
    """

    def __init__(self, fold: JobFold[P], read: Callable[[int], Iterable[Event]]) -> None:
        self._folded, self._read = fold, read

    @property
    def over(self) -> bool:
        """Whether the job is finished."""
        return self._folded.finished

    def look(self) -> set[P]:
        """Look once more; the parts of the job that something has happened to. Raises ``BackendError``."""
        return self._folded.take(self._read(self._folded.seq))


def poll(view: View, pace: Pace, seconds: float | None = None) -> Iterator[None]:
    """Look at ``pace`` until there is no more to see, for ``seconds`` at most; yields after each look.

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
