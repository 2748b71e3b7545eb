"""The program of a monitor's schedule: each tick is a look."""

from __future__ import annotations

from kfnb.jobs.scheduler.folder import ScheduleFolder
from kfnb.jobs.scheduler.history import TickState
from kfnb.jobs.scheduler.order import TickOutcome
from kfnb.resources.monitors.local.folder import find
from kfnb.resources.monitors.local.look import look


def tick(schedule: ScheduleFolder, due: float) -> TickOutcome:
    """Look at the monitor of a schedule. Raises ``KfnbError``."""
    del due  # what is looked at ends now
    folder = find(schedule.home, str(schedule.spec().data["monitor"]))
    report = look(folder)
    state = folder.records.standing()
    alarms = sum(one.until is None for one in state.alarms)
    return TickOutcome(TickState.SUCCEEDED, f"{report.rows:,} rows, {alarms} alarms")
