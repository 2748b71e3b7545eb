"""A schedule's folder, which has this beside what every job's has (see ``kfnb.jobs.folder``).

=================  ==================================================================================
``schedule.json``  what it is (``ScheduleSpec``); written last, so that a folder without it is none
``tick.log``       what the last tick wrote
=================  ==================================================================================

The lock is held by the tick that runs, which is the job's driver. Beside the schedules is the folder of the scheduler,
``.scheduler``, whose lock the one process holds that starts ticks; ``wake``, a FIFO, notifies it of changes.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from kfnb import clock
from kfnb.errors import BackendError
from kfnb.jobs import private
from kfnb.jobs.eventlog import opened
from kfnb.jobs.folder import HINT, JobFolder, names, number, stamped, usable
from kfnb.jobs.scheduler.timing import Timing

_SCHEDULES = "schedules"
_SCHEDULER = ".scheduler"
_FILE = "schedule.json"
_PACKAGE = Path(__file__).parents[3]
"""The folder that contains kfnb."""

TIMEOUT = 3600.0
"""Seconds that a tick may take, by default."""


@dataclass(frozen=True)
class ScheduleSpec:
    """A schedule: what ``name`` is for its user, ``timing`` when it ticks.

    ``program`` is a module with a function ``tick(folder, due) -> TickOutcome`` (see ``ticking``): what a tick does. It
    also tells the kinds of schedules apart. ``data`` is what that function needs: JSON, of which nothing is shown.
    ``timeout`` is how many seconds a tick may take. ``python`` runs it, with kfnb in ``package``.
    """

    name: str
    program: str
    timing: Timing
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    timeout: float = TIMEOUT
    created: float = field(default_factory=clock.now)
    python: str = sys.executable
    package: str = str(_PACKAGE)


@dataclass(frozen=True)
class ScheduleFolder(JobFolder):
    """The folder of one schedule."""

    def spec(self) -> ScheduleSpec:
        """What the schedule is. Raises ``BackendError``."""
        stored = self.get(_FILE)
        with usable(self.path / _FILE):
            try:
                known = {one.name: stored[one.name] for one in fields(ScheduleSpec) if one.name in stored}
                timing = {one.name: known["timing"][one.name] for one in fields(Timing)}
                return ScheduleSpec(**{**known, "timing": Timing(**timing)})
            except (TypeError, LookupError, AttributeError) as error:
                raise BackendError(f"{self.path / _FILE} is damaged: {error!r}") from None

    @property
    def exists(self) -> bool:
        """Whether the schedule is there, and complete."""
        return (self.path / _FILE).exists()

    @property
    def log(self) -> Path:
        """The file with what the last tick wrote."""
        return self.path / "tick.log"


def create(
    home: Path, spec: ScheduleSpec, *, enabled: bool = True, files: Mapping[str, Any] | None = None
) -> ScheduleFolder:
    """Write a schedule, with further JSON ``files``. Raises ``BackendError``."""
    path, _ = stamped(home / _SCHEDULES)
    folder = ScheduleFolder(path)
    try:
        with usable(path, HINT):
            number(path)
            with opened(path, create=True) as log:
                log.append([("created", "", {"through": spec.created, "enabled": enabled})])
            for name, data in {**(files or {}), _FILE: asdict(spec)}.items():
                folder.put(name, data)
    except (BackendError, TypeError):
        shutil.rmtree(path, ignore_errors=True)
        raise
    return folder


def existing(home: Path, program: str = "") -> list[ScheduleFolder]:
    """The schedules of a home, the oldest first; those alone that do what ``program`` does. Raises ``BackendError``.

    A schedule with damaged files is among those of each program.
    """
    found = [ScheduleFolder(home / _SCHEDULES / name) for name in names(home / _SCHEDULES)]
    return [one for one in found if one.exists and program in ("", _program(one, program))]


def _program(folder: ScheduleFolder, otherwise: str) -> str:
    try:
        return folder.spec().program
    except BackendError:
        return otherwise


def scheduler_of(home: Path) -> JobFolder:
    """The folder of a home's scheduler. Raises ``BackendError``."""
    path = home / _SCHEDULES / _SCHEDULER
    with usable(path, HINT):
        private.make(path)
    return JobFolder(path)


def wake_file(scheduler: JobFolder) -> Path:
    """The FIFO that the scheduler reads."""
    return scheduler.path / "wake"


def wake(scheduler: JobFolder) -> None:
    """Notify the scheduler, if it runs, that something has changed."""
    with suppress(OSError):  # no process reads, or there are no FIFOs here: then it polls soon
        line = os.open(wake_file(scheduler), os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(line, b".")
        finally:
            os.close(line)
