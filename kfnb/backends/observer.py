"""Looks at a run, one after the other, and what each of them finds new."""

from __future__ import annotations

from collections.abc import Mapping

from kfnb import model
from kfnb.resources.runs.backend import Backend
from kfnb.resources.runs.events import Fold


class Observer:
    """One run, as of the last look; before the first one, it is empty."""

    def __init__(self, backend: Backend, run_id: str) -> None:
        self.pace = backend.pace
        self._backend = backend
        self._fold = Fold(run_id)

    def look(self) -> set[str]:
        """Look once more; the ids of the tasks that something has happened to, an empty one for the run itself.

        Raises ``RunNotFound`` and ``BackendError``.
        """
        touched: set[str] = set()
        for event in self._backend.events(self._fold.id, after=self._fold.seq, follow=False):
            self._fold.add(event)
            touched.add(event.task)
        return touched

    @property
    def run(self) -> model.Run:
        """The run."""
        return self._fold.run

    @property
    def over(self) -> bool:
        """Whether the run is finished."""
        return self._fold.run.state.finished

    @property
    def tasks(self) -> Mapping[str, model.Task]:
        """Its tasks and groups, by id."""
        return self._fold.tasks
