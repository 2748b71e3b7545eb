"""A tick: ``python -m kfnb.jobs.scheduler.ticking FOLDER ORDER``, a separate process that does it once.

``ORDER`` is which tick, and what was missed before it, as JSON (``TickOrder``).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from kfnb.diagnostics import logger
from kfnb.errors import KfnbError
from kfnb.jobs import system
from kfnb.jobs.eventlog import opened
from kfnb.jobs.folder import check
from kfnb.jobs.scheduler.folder import ScheduleFolder
from kfnb.jobs.scheduler.history import TickState
from kfnb.jobs.scheduler.order import BUSY, TickOrder, TickOutcome
from kfnb.jobs.scheduler.records import begin, end
from kfnb.jobs.spawn import leave_folder

_logger = logger(__package__)
_TIMEOUT = 2.0
"""Seconds that a process that only reads may hold the lock."""

Work = Callable[[ScheduleFolder, float], TickOutcome]
"""The function ``tick`` of a schedule's program: it does the tick that was due then. What it raises makes it FAILED."""


def main(folder: ScheduleFolder, order: TickOrder) -> int:
    """Do a tick, unless it was done, or another runs; return the exit status."""
    check(folder.path)
    lock = folder.lock(timeout=_TIMEOUT)
    if lock is None:
        return BUSY
    os.set_inheritable(lock, False)  # noqa: FBT003 - the library's own signature
    system.here().claim(folder.tag)
    folder.came_up()
    with opened(folder.path) as log:
        if begin(log, order):
            end(log, order.key, _done(folder, order.due))
    return 0


def _done(folder: ScheduleFolder, due: float) -> TickOutcome:
    try:
        work: Work = import_module(folder.spec().program).tick
        return work(folder, due)
    except KfnbError as error:
        return TickOutcome(TickState.FAILED, str(error))
    except Exception as error:
        _logger.exception("A tick failed.")
        return TickOutcome(TickState.FAILED, f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    leave_folder()
    sys.exit(main(ScheduleFolder(Path(sys.argv[1])), TickOrder.read(sys.argv[2])))
