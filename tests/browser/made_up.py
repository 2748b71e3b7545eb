"""A backend of runs that are made up, for notebooks of tests and benchmarks: events as they are written here."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

from kfnb.entities import LogLine
from kfnb.jobs.fold import Event
from kfnb.jobs.polling import Pace
from kfnb.resources.runs.events import fold
from kfnb.resources.runs.handle import Run

Fact = tuple[str, str, dict[str, Any]]


class MadeUp:
    """One run, whose events are those ``put`` so far; every task has the log ``lines``."""

    name = "made up"
    pace = Pace(0.06, 0.06)

    def __init__(self, run_id: str = "made-up", lines: Iterable[str] = ()) -> None:
        self.run = Run(self, run_id)
        self.lines = lines
        self._events: list[Event] = []

    def put(self, *facts: Fact) -> None:
        """Something happens now."""
        for kind, task, data in facts:
            self._events.append(Event(len(self._events) + 1, time.time(), kind, task, data))

    def events(self, run_id: str, *, after: int = 0, follow: bool = True) -> Iterator[Event]:
        del run_id, follow
        return iter(self._events[after:])

    def get(self, run_id: str) -> Any:
        return fold(run_id, self._events)

    def logs(self, run_id: str, task: str | None = None, *, follow: bool = False) -> Iterator[LogLine]:
        del run_id, follow
        return (LogLine(task or "", line) for line in self.lines)

    def stop(self, run_id: str) -> None:
        del run_id
        self.put(("state", "", {"state": "CANCELED"}))
