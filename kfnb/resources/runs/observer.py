"""Looks at a run, one after the other, and what each of them finds new."""

from __future__ import annotations

from collections.abc import Mapping

from kfnb import model
from kfnb.jobs.polling import JobObserver
from kfnb.resources.runs.backend import Backend
from kfnb.resources.runs.events import Fold


class Observer(JobObserver[str]):
    """One run, as of the last look; before the first one, it is empty.

    A look returns the ids of the tasks that something has happened to, an empty one for the run itself. It raises
    ``RunNotFound`` and ``BackendError``.
    """

    def __init__(self, backend: Backend, run_id: str) -> None:
        self._fold = Fold(run_id)
        super().__init__(self._fold, lambda after: backend.events(run_id, after=after, follow=False))
        self.pace = backend.pace

    @property
    def run(self) -> model.RunSnapshot:
        """The run."""
        return self._fold.run

    @property
    def tasks(self) -> Mapping[str, model.Task]:
        """Its tasks and groups, by id."""
        return self._fold.tasks
