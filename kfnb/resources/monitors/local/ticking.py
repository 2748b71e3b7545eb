"""The program of a monitor's schedule: each tick is a check."""

from __future__ import annotations

from kfnb.jobs.scheduler.folder import ScheduleFolder
from kfnb.jobs.scheduler.history import TickState
from kfnb.jobs.scheduler.order import TickOutcome
from kfnb.resources.monitors.local import places
from kfnb.resources.monitors.local.check import check_by
from kfnb.resources.monitors.local.folder import find


def tick(schedule: ScheduleFolder, due: float) -> TickOutcome:
    """Check the monitor of a schedule. Raises ``KfnbError``."""
    del due  # the window ends now
    data = schedule.spec().data
    places.use(schedule.home, data.get("settings", {}))
    folder = find(schedule.home, str(data["monitor"]))
    report = check_by(schedule.id, folder)
    if report is None:
        return TickOutcome(TickState.SKIPPED, "the monitor was made again, with another schedule")
    state = folder.records.standing()
    alarms = sum(one.until is None for one in state.alarms)
    return TickOutcome(TickState.SUCCEEDED, f"{report.rows:,} rows, {alarms} alarms")
