"""Polls a run, and returns what each poll finds new."""

from __future__ import annotations

from collections.abc import Mapping

from kfnb import entities
from kfnb.jobs.polling import JobObserver
from kfnb.resources.runs.engine import RunEngine
from kfnb.resources.runs.events import RunFold


class Observer(JobObserver[str]):
    """One run, as of the last poll; empty before the first.

    A poll returns the ids of changed tasks, with an empty id for the run itself. It raises
    ``RunNotFound`` and ``BackendError``.
    """

    def __init__(self, engine: RunEngine, run_id: str) -> None:
        self._fold = RunFold(run_id)
        super().__init__(self._fold, lambda after: engine.events(run_id, after=after, follow=False))
        self.pace = engine.pace

    @property
    def run(self) -> entities.RunSnapshot:
        """The run."""
        return self._fold.run

    @property
    def tasks(self) -> Mapping[str, entities.Task]:
        """Its tasks and groups, by id."""
        return self._fold.tasks
