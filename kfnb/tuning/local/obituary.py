"""A study whose driver is gone without a word: noticed by whoever looks, and written down once."""

from __future__ import annotations

import os
from contextlib import suppress

from kfnb.backends.local import LocalBackend
from kfnb.backends.local.marks import end_marked
from kfnb.backends.local.obituary import reason
from kfnb.backends.local.spare import give_up
from kfnb.backends.local.store import EventLog
from kfnb.errors import BackendError
from kfnb.model import RunState, TaskError, TrialState
from kfnb.tuning.local.fold import StudyFold
from kfnb.tuning.local.folder import StudyFolder
from kfnb.tuning.local.journal import StudyJournal
from kfnb.tuning.local.outcome import Outcome

_LOST = Outcome(TrialState.KILLED, error=TaskError("its process is gone, with the one that drove the study"))


def bury(folder: StudyFolder, log: EventLog) -> bool:
    """If nobody drives the unfinished study in ``folder``, end what is left of it, and say so in its events.

    Whether there may be something new in them.
    """
    lock = folder.lock()
    if lock is None:
        return False
    try:
        if log.finished():  # it ended just before it let go of the lock
            return True
        end_marked(folder.id)
        give_up(folder.path)
        fold, journal = StudyFold(folder.name), StudyJournal(log)
        fold.add(log.read())
        for trial in fold.study.trials:
            if not trial.state.finished:
                _stop(folder, trial.run)
                journal.ended(trial.number, _LOST)
        if folder.stopping:
            journal.state(RunState.CANCELED)
        else:
            journal.state(RunState.FAILED, error=reason(folder, "study", "resume goes on with it"))
        return True
    finally:
        os.close(lock)


def _stop(folder: StudyFolder, run_id: str) -> None:
    """End the run that a trial was."""
    if run_id:
        with suppress(BackendError):
            LocalBackend(folder.path.parent.parent).stop(run_id)
