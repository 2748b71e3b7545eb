"""The study whose best parameters a run takes."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from kfnb.commands.bound_names import resolved
from kfnb.commands.session import Session
from kfnb.errors import StudyFailed

if TYPE_CHECKING:
    from kfnb.resources.studies.handle import Study


def ended_study(session: Session, name: str) -> Study:
    """A study, once it has ended: under Run All it has only just started, so wait for it."""
    from kfnb.resources.studies.api import study_of
    from kfnb.resources.studies.handle import Study

    handle = study_of(resolved(session.names, name, Study))
    now = handle.snapshot()
    if now.state.finished:
        return handle
    done = sum(trial.state.finished for trial in now.trials)
    of = "" if now.max_trials is None else f" of {now.max_trials}"
    session.notify(
        f"study {handle.name} is still running ({done}{of} trials): waiting until it ends; interrupt to stop waiting"
    )
    with suppress(StudyFailed):  # a stopped study has a best trial too; the next step reports a missing one
        handle.wait()
    return handle
