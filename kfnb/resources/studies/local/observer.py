"""Polls a local study, and says what each poll found new."""

from __future__ import annotations

from kfnb.errors import StudyNotFound
from kfnb.jobs.eventlog import reading
from kfnb.jobs.fold import Event
from kfnb.jobs.polling import JobObserver
from kfnb.resources.studies import model
from kfnb.resources.studies.local.fold import StudyFold
from kfnb.resources.studies.local.folder import StudyFolder
from kfnb.resources.studies.local.kind import job


class StudyObserver(JobObserver[int]):
    """One study, as of the last poll, which returns the numbers of changed trials, -1 for the study itself."""

    def __init__(self, folder: StudyFolder) -> None:
        self._folder, self._fold = folder, StudyFold(folder.name)
        self._made: int | None = None
        super().__init__(self._fold, self._events)

    @property
    def study(self) -> model.StudySnapshot:
        """The study."""
        return self._fold.study

    def _events(self, after: int) -> list[Event]:
        """The events since, with the end of a study that has lost its driver."""
        self._check()
        with reading(self._folder.path) as log:
            new = log.read(after)
            if (new or not self._fold.finished) and job(self._folder).recover(log):
                new = log.read(after)
            return new

    def _check(self) -> None:
        """Raise ``StudyNotFound`` where the study is gone, or another one has taken its name."""
        made = self._folder.made
        if made is None or made != (self._made or made):
            name = self._folder.name
            raise StudyNotFound(f"study {name} is gone, or has another name now", ref=name)
        self._made = made
