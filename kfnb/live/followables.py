"""What can be followed in a page: a run, and a study. Both are looked at, told whole, and told by what is new."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeAlias

from kfnb import model
from kfnb.jobs.polling import Pace
from kfnb.live.importances import Importances
from kfnb.resources.runs.command_line import command
from kfnb.resources.runs.handle import Run
from kfnb.resources.runs.wire import Message, Wire
from kfnb.resources.studies.wire import StudyWire, wire_id

if TYPE_CHECKING:
    from kfnb.resources.studies.handle import Study

Shown: TypeAlias = model.Run | model.Study
Handle: TypeAlias = "Run | Study"
"""What people hold of it."""


class Subject(Protocol):
    """Looks at something that goes on. ``id`` is the page's name for it, ``pace`` how often to look."""

    id: str
    pace: Pace

    @property
    def shown(self) -> Shown:
        """What is to be seen of it, as of the last look."""
        ...

    @property
    def over(self) -> bool:
        """Whether nothing more will be new."""
        ...

    def look(self) -> bool:
        """Look once more; whether anything is new. Raises ``BackendError``."""
        ...

    def whole(self) -> Message:
        """The message that tells the page all of it."""
        ...

    def change(self) -> Message | None:
        """The message that tells the page what the last look found; None if it knows that."""
        ...


class RunSubject:
    """A run, whose parts are its tasks."""

    def __init__(self, run: Run) -> None:
        self.id = run.id
        self._wire = Wire(run.id, command)
        self._observer = run.observe()
        self._touched: set[str] = set()
        self.pace = self._observer.pace

    @property
    def shown(self) -> model.Run:
        """The run."""
        return self._observer.run

    @property
    def over(self) -> bool:
        """Whether the run is finished."""
        return self._observer.over

    def look(self) -> bool:
        """Look once more."""
        self._touched = self._observer.look()
        return bool(self._touched)

    def whole(self) -> Message:
        """All of the run."""
        return self._wire.whole(self.shown)

    def change(self) -> Message | None:
        """What is new."""
        return self._wire.change(self.shown, self._touched, self._observer.tasks)


class StudySubject:
    """A study, whose parts are its trials; its importances are told as they become known."""

    def __init__(self, study: Study) -> None:
        self.id = id_of(study)
        self.pace: Pace = study.pace
        self._wire = StudyWire(self.id)
        self._observed = study.observe()
        self._importances = Importances()
        self._touched: set[int] = set()
        self._shown = self._observed.study

    @property
    def shown(self) -> model.Study:
        """The study."""
        return self._shown

    @property
    def over(self) -> bool:
        """Whether the study is finished, and its importances are known."""
        return self._shown.state.finished and self._importances.settled(self._shown)

    def look(self) -> bool:
        """Look once more."""
        self._touched = self._observed.look()
        study = self._observed.study
        values, fresh = self._importances.of(study)
        self._shown = replace(study, importances=values)
        return fresh or bool(self._touched)

    def whole(self) -> Message:
        """All of the study."""
        return self._wire.whole(self.shown)

    def change(self) -> Message | None:
        """What is new."""
        return self._wire.change(self.shown, self._touched)


def id_of(handle: Handle) -> str:
    """The page's name for a run or a study."""
    return handle.id if isinstance(handle, Run) else wire_id(handle.backend, handle.name)


def subject_of(handle: Handle) -> Subject:
    """Looks at a run or a study."""
    return RunSubject(handle) if isinstance(handle, Run) else StudySubject(handle)
