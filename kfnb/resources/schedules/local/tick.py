"""A tick of a pipeline's schedule: it starts a run, unless as many run as may."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime

from kfnb.errors import BackendError
from kfnb.jobs.scheduler.folder import ScheduleFolder
from kfnb.jobs.scheduler.history import ScheduleHistory, TickState
from kfnb.jobs.scheduler.order import TickOutcome
from kfnb.jobs.scheduler.records import history
from kfnb.resources.runs.local.engine import LocalRunEngine
from kfnb.resources.schedules.local.stored_submission import StoredSubmission
from kfnb.text.timezones import zone_of


def tick(folder: ScheduleFolder, due: float) -> TickOutcome:
    """Start a run, and do not wait for its end. One that is asked for by hand does not wait for others."""
    stored, spec = StoredSubmission.read(folder), folder.spec()
    engine = LocalRunEngine(folder.home, **stored.engine)
    past = history(folder)
    running = _running(engine, past)
    by_hand = past.running is not None and past.running[1].by_hand
    if len(running) >= stored.max_concurrency and not by_hand:
        are = "is" if len(running) == 1 else "are"
        return TickOutcome(TickState.SKIPPED, f"{', '.join(running)} {are} still running")
    os.environ.update(stored.env)
    when = datetime.fromtimestamp(due, zone_of(spec.timing.zone))
    submission = stored.submission(f"{spec.name}-{when:%Y%m%d-%H%M%S}", folder.id)
    return TickOutcome(made=engine.submit(submission))


def _running(engine: LocalRunEngine, past: ScheduleHistory) -> list[str]:
    """The runs that earlier ticks started and that have not finished."""
    found = []
    for one in past.ticks:
        with suppress(BackendError):  # it was deleted
            if one.made and not engine.get(one.made).state.finished:
                found.append(one.made)
    return found
