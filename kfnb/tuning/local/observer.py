"""Looks at a study here, one after the other, and what each of them finds new."""

from __future__ import annotations

from kfnb import model
from kfnb.backends.local.store import looked_at
from kfnb.errors import StudyNotFound
from kfnb.tuning.local.fold import StudyFold
from kfnb.tuning.local.folder import StudyFolder
from kfnb.tuning.local.obituary import bury


class Observer:
    """One study, as of the last look. Only the events since then are read."""

    def __init__(self, folder: StudyFolder) -> None:
        self._folder = folder
        self._fold = StudyFold(folder.name)
        self._made: int | None = None

    @property
    def study(self) -> model.Study:
        """The study."""
        return self._fold.study

    @property
    def over(self) -> bool:
        """Whether the study is finished."""
        return self._fold.finished

    def look(self) -> set[int]:
        """Look once more; the numbers of the trials that something has happened to, -1 for the study itself."""
        self._check()
        with looked_at(self._folder.path) as log:
            touched = self._fold.add(log.read(self._fold.seq))
            if not self._fold.finished and bury(self._folder, log):
                touched |= self._fold.add(log.read(self._fold.seq))
        return touched

    def _check(self) -> None:
        """Raise ``StudyNotFound`` where the study is gone, or another one has taken its name."""
        made = self._folder.made
        if made is None or made != (self._made or made):
            raise StudyNotFound(f"study {self._folder.name} is gone, or has another name now")
        self._made = made
