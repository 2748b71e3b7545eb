"""The engine of monitors on this machine: folders, and schedules whose ticks are checks."""

from __future__ import annotations

import builtins
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from kfnb import clock
from kfnb.errors import BackendError, ServiceNotFound
from kfnb.jobs.folder import absolute
from kfnb.jobs.handle import open_home
from kfnb.jobs.polling import Pace
from kfnb.jobs.scheduler import control
from kfnb.jobs.scheduler import records as schedule_records
from kfnb.jobs.scheduler.folder import ScheduleFolder, ScheduleSpec
from kfnb.jobs.scheduler.folder import existing as schedules_in
from kfnb.jobs.scheduler.history import Missed, ScheduleHistory, TickState
from kfnb.jobs.scheduler.timing import Timing
from kfnb.resources.monitors.engine import MonitorPlan
from kfnb.resources.monitors.hysteresis import overall
from kfnb.resources.monitors.lateness import unchecked
from kfnb.resources.monitors.local import folder as folders
from kfnb.resources.monitors.local import places
from kfnb.resources.monitors.local.check import check_monitor, gone
from kfnb.resources.monitors.local.folder import MonitorFolder
from kfnb.resources.monitors.local.records import MOST_REPORTS, MonitorRecords
from kfnb.resources.monitors.model import MonitorSpec, MonitorState, Report
from kfnb.resources.monitors.panes import together
from kfnb.resources.monitors.snapshot import MonitorSnapshot, WindowProfiles
from kfnb.resources.services.api import service
from kfnb.ui.words import moment

_STARTS_WITHIN = 60.0
"""Real seconds in which the scheduler starts a check that is due."""
_WHOLE = 30
"""Reports of a snapshot that have their columns: those that are drawn by column."""
PROGRAM = "kfnb.resources.monitors.local.ticking"


class LocalMonitorEngine:
    """Monitors here. ``home`` holds them beside the services that they watch."""

    name = "local"
    pace = Pace(1.0, 5.0)

    def __init__(self, home: Path) -> None:
        self._home = absolute(Path(home), "home")

    def refuse(self, spec: MonitorSpec) -> None:
        """Nothing: all can be checked here."""

    def create(self, plan: MonitorPlan) -> None:
        """Make a monitor, or change one."""
        open_home(self._home)
        spec, folder = plan.spec, folders.made(self._home, plan.spec.name)
        with folder.turn():
            before = self._schedule(folder)
            for name, compiled in plan.pipelines.items():
                folder.keep_pipeline(name, compiled.spec, compiled.platform)
            folder.keep_addresses(plan.addresses)
            folder.forget_references()
            folder.keep_reference(plan.reference)
            timing = Timing(every=spec.every, anchor=spec.created)
            folder.record(spec)
            data = {"monitor": spec.name, "settings": places.kept()}
            made = control.add(self._home, ScheduleSpec(f"monitor {spec.name}", PROGRAM, timing, data))
            folder.record(spec, made.path.name)
        if before is not None:  # when the lock is free: one of its ticks may wait for that
            control.delete(before)

    def get(self, name: str) -> MonitorSnapshot:
        """The monitor now."""
        folder = folders.find(self._home, name)
        return replace(self._snapshot(folder, MOST_REPORTS), profiles=_profiles(folder))

    def reports(self, name: str) -> builtins.list[Report]:
        """The reports that are kept, whole."""
        return folders.find(self._home, name).records.reports()

    def list(self) -> builtins.list[MonitorSnapshot]:
        """The monitors there are."""
        with suppress(BackendError):
            control.ensure_running(self._home)  # the machine may have been off
        return [self._snapshot(one, 1) for one in folders.existing(self._home)]

    def check(self, name: str) -> Report:
        """Check now."""
        return check_monitor(folders.find(self._home, name))

    def pause(self, name: str) -> None:
        """Pause the checks."""
        control.pause(self._known_schedule(name))

    def resume(self, name: str) -> None:
        """Resume the checks."""
        control.resume(self._known_schedule(name))

    def delete(self, name: str) -> None:
        """End the checks, and forget what was found."""
        folder = folders.find(self._home, name)
        schedule = self._schedule(folder)
        if schedule is not None:
            control.delete(schedule)
        if not folder.remove(timeout=10.0):
            message = f"monitor {name} is being checked by another process"
            raise BackendError(message, code="still-running", hint="try again later", ref=name)

    def _snapshot(self, folder: MonitorFolder, reports: int) -> MonitorSnapshot:
        spec, records = folder.spec(), folder.records
        standing, schedule = records.standing(), self._schedule(folder)
        past = None if schedule is None else schedule_records.history(schedule)
        error = (
            _missing_service(spec)
            or records.error()
            or _silent_failure(past, records)
            or _unchecked(spec, past, records)
        )
        state = MonitorState.NO_DATA if error else overall([one.state for one in standing.rules])
        same = [one.since for one in standing.rules if one.state is state and not error]
        paused = past is not None and not past.enabled
        return MonitorSnapshot(
            spec,
            state,
            min(same, default=None),
            standing.rules,
            tuple(records.reports(reports, _WHOLE)),
            standing.alarms,
            tuple(records.actions()),
            WindowProfiles(),
            paused,
            None if schedule is None or paused else schedule.spec().timing.next(clock.now()),
            self.name,
            () if past is None else tuple(_in_words(one) for one in past.missed[-3:]),
            error,
        )

    def _schedule(self, folder: MonitorFolder) -> ScheduleFolder | None:
        """The schedule of a monitor; None before it is complete."""
        try:
            id = folder.schedule()
        except BackendError:
            return None
        return next((one for one in schedules_in(self._home) if id and one.path.name == id), None)

    def _known_schedule(self, name: str) -> ScheduleFolder:
        found = self._schedule(folders.find(self._home, name))
        if found is None:
            raise BackendError(_without_schedule(name), ref=name)
        return found


def _missing_service(spec: MonitorSpec) -> str:
    """That the service was deleted, also before a check has noticed it; empty if it is there."""
    try:
        service(spec.service, backend=spec.backend)
    except ServiceNotFound:
        return gone(spec)
    return ""


def _silent_failure(past: ScheduleHistory | None, records: MonitorRecords) -> str:
    """Why the last tick failed where its check could not write that down; empty if it did not, or one came later."""
    tick = past.ticks[-1] if past is not None and past.ticks else None
    if tick is None or tick.state is not TickState.FAILED:
        return ""
    later = any(one.until > tick.began for one in records.reports(1, 0))
    return "" if later else tick.note or "its process ended"


def _unchecked(spec: MonitorSpec, past: ScheduleHistory | None, records: MonitorRecords) -> str:
    """That no check is made, or none was for long: the scheduler may have been killed; empty otherwise."""
    if past is None:
        return _without_schedule(spec.name)
    newest = max((one.until for one in records.reports(1, 0)), default=0.0)
    last = max(newest, spec.created, past.resumed)
    late = unchecked(max(spec.every, clock.passed(_STARTS_WITHIN)), last, clock.now()) if past.enabled else ""
    return late and f"{late}: %kf_monitors starts the checks again"


def _without_schedule(name: str) -> str:
    return f"the schedule of monitor {name} is gone: make the monitor again"


def _profiles(folder: MonitorFolder) -> WindowProfiles:
    """What the newest report's version is compared with, and the sum of its panes."""
    reports = folder.records.reports(1, 0)
    reference = folder.reference(reports[-1].version) if reports else None
    if reference is None:
        return WindowProfiles()
    panes = folder.records.panes(reference.key, reports[-1].since)
    window = together(panes) if panes else None
    return WindowProfiles(
        reference.profile,
        reference.predictions,
        window.inputs if window else {},
        window.predictions if window else {},
    )


def _in_words(missed: Missed) -> str:
    """When checks were missed, in words."""
    times = "1 check was" if missed.count == 1 else f"{missed.count:,} checks were"
    return f"{times} missed from {moment(missed.first)} to {moment(missed.last)}: {missed.reason}"
