"""What others do with schedules: see that the scheduler runs, pause, resume, run and delete them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kfnb import clock
from kfnb.errors import BackendError
from kfnb.jobs import system
from kfnb.jobs.handle import RELEASE, open_home
from kfnb.jobs.scheduler import folder as folders
from kfnb.jobs.scheduler import records
from kfnb.jobs.scheduler.folder import ScheduleFolder, ScheduleSpec, existing, scheduler_of, wake
from kfnb.jobs.scheduler.history import Tick
from kfnb.jobs.scheduler.order import BUSY, TickOrder, start
from kfnb.jobs.spawn import spawn

_PROGRAM = "kfnb.jobs.scheduler.process"


def add(
    home: Path, spec: ScheduleSpec, *, enabled: bool = True, files: Mapping[str, Any] | None = None
) -> ScheduleFolder:
    """Make a schedule, with further JSON ``files`` in its folder, and do its ticks. Raises ``BackendError``."""
    open_home(home)
    folder = folders.create(home, spec, enabled=enabled, files=files)
    ensure_running(home)
    return folder


def ensure_running(home: Path) -> None:
    """See that a scheduler runs, if any schedule of a home needs it, and notify it that something may have changed.

    Raises ``BackendError``.
    """
    if not any(map(_ticks, existing(home))):
        return
    scheduler = scheduler_of(home)
    lock = scheduler.lock()
    if lock is None:
        wake(scheduler)
        return
    try:
        scheduler.start_anew()
        spawn(_PROGRAM, scheduler, lock)
    finally:
        os.close(lock)


def pause(folder: ScheduleFolder) -> None:
    """Do no more ticks; does nothing if it is paused. Raises ``BackendError``."""
    if records.history(folder).enabled:
        records.enable(folder, enabled=False)
        wake(scheduler_of(folder.home))


def resume(folder: ScheduleFolder) -> None:
    """Do ticks again. Raises ``BackendError``."""
    if not records.history(folder).enabled:
        records.enable(folder, enabled=True)
    ensure_running(folder.home)


def run_now(folder: ScheduleFolder) -> Tick:
    """Do a tick now, also of a paused schedule, and return it when it has ended. Raises ``BackendError``."""
    order = TickOrder(clock.now(), by_hand=True)
    past = records.history(folder)
    try:
        status = BUSY if past.running is not None else start(folder, order).wait()
    except OSError as error:
        raise BackendError(f"schedule {folder.spec().name} cannot be run: {error}") from None
    if status == BUSY:
        message, hint = f"schedule {folder.spec().name} is running a tick now", "wait for its end"
        raise BackendError(message, code="still-running", hint=hint, ref=folder.id)
    found = records.history(folder).tick(order.key)
    if found is None:
        why = records.last_words(folder) or f": exit status {status}"
        raise BackendError(f"schedule {folder.spec().name} cannot be run{why}", ref=folder.id)
    return found


def delete(folder: ScheduleFolder) -> None:
    """Delete a schedule; a tick that runs is ended if it takes longer than a moment. Raises ``BackendError``."""
    if not folder.remove(timeout=RELEASE):
        system.end_all(folder.tag)
        if not folder.remove(timeout=RELEASE):
            raise BackendError(f"a tick of {folder.path.name} does not end", ref=folder.id)
    wake(scheduler_of(folder.home))


def _ticks(folder: ScheduleFolder) -> bool:
    """Whether there will be ticks."""
    try:
        return records.history(folder).enabled and folder.spec().timing.next(clock.now()) is not None
    except BackendError:
        return False
