"""What an engine of studies is: the one protocol that the search here and Katib both speak."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Protocol

from kfnb.entities.manifest import RunRecord
from kfnb.jobs.polling import Pace
from kfnb.resources.studies import model
from kfnb.resources.studies.search import Search


class ObservedStudy(Protocol):
    """One study, as of the last poll; empty before the first one."""

    @property
    def study(self) -> model.StudySnapshot:
        """The study."""
        ...

    @property
    def over(self) -> bool:
        """Whether the study is finished."""
        ...

    def refresh(self) -> set[int]:
        """Poll once more; return the numbers of the trials that have changed, and -1 for the study itself.

        Costs what is new, not what there is. Raises ``StudyNotFound`` and ``BackendError``.
        """
        ...


class StudyEngine(Protocol):
    """A place where studies run. Errors are ``kfnb.errors.BackendError`` and nothing else.

    ``pace`` is how often a study may be looked at here. Studies are known by their names.
    """

    name: str
    pace: Pace

    def start(self, search: Search) -> None:
        """Start a study at once. What cannot run here is refused, with all reasons and what could be done instead."""
        ...

    def observe(self, name: str) -> ObservedStudy:
        """Observe a study."""
        ...

    def find(self, name: str) -> str:
        """The name of an existing study, as this engine calls it. Raises ``StudyNotFound``."""
        ...

    def get(self, name: str) -> model.StudySnapshot:
        """The study as it is now, with all of its trials. Raises ``StudyNotFound``."""
        ...

    def list(self) -> builtins.list[model.StudySnapshot]:
        """The studies there are, the newest first; without their trials where that is cheaper."""
        ...

    def recorded(self, name: str) -> RunRecord:
        """What was recorded of what the trials of a cell or a component ran on."""
        ...

    def stop(self, name: str) -> None:
        """End the study and its trials; harmless when it is finished."""
        ...

    def resume(self, name: str, *, trials: int | None = None) -> None:
        """Continue a study that has ended, for ``trials`` further trials (None: up to the number first requested)."""
        ...

    def delete(self, name: str) -> None:
        """Forget a study that has ended, for good."""
        ...

    def logs(self, name: str, trial: int) -> Iterator[str]:
        """The lines that a trial wrote. Raises ``BackendError`` where they are not kept."""
        ...
