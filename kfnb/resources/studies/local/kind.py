"""Studies as jobs: what drives one, and how its trials end where that is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from kfnb.entities import TaskError
from kfnb.errors import BackendError
from kfnb.jobs.eventlog import Fact
from kfnb.jobs.fold import Event
from kfnb.jobs.folder import JobFolder
from kfnb.jobs.handle import JobHandle, JobKind
from kfnb.jobs.recovery import Loss
from kfnb.resources.runs.local import LocalRunEngine
from kfnb.resources.studies.local.fold import StudyFold
from kfnb.resources.studies.local.folder import StudyFolder
from kfnb.resources.studies.local.journal import ended
from kfnb.resources.studies.local.outcome import Outcome
from kfnb.resources.studies.model import TrialState

_LOST = Outcome(
    TrialState.KILLED, error=TaskError("process lost: the driver of the study exited unexpectedly")
)


def _lost(folder: JobFolder, events: Iterable[Event]) -> Iterator[Fact]:
    """How the trials of a study end whose driver is gone; the runs that they were are stopped."""
    fold = StudyFold(folder.path.name)
    fold.take(events)
    for trial in fold.study.trials:
        if not trial.state.finished:
            if trial.run:
                with suppress(BackendError):
                    LocalRunEngine(folder.home).stop(trial.run)
            yield ended(trial.number, _LOST)


KIND = JobKind("kfnb.resources.studies.local.driver", Loss("study", "resume continues it", _lost))


def job(folder: StudyFolder) -> JobHandle[StudyFolder]:
    """A study as the job that it is."""
    return JobHandle(KIND, folder, f"study {folder.name}")
