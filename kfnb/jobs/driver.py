"""The process that drives one job, from its start to the last event. It holds the job's lock until it ends."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import Any

from kfnb.diagnostics import logger, written_to
from kfnb.disk import shortage
from kfnb.entities import RunState
from kfnb.errors import BackendError
from kfnb.jobs import system
from kfnb.jobs.eventlog import EventLog, opened
from kfnb.jobs.folder import JobFolder
from kfnb.jobs.processes import Processes
from kfnb.jobs.reserve import give_up, reserved

_logger = logger(__package__)

Work = Callable[[EventLog, Processes], Coroutine[Any, Any, None]]
"""The work of a driver once it has started. It writes how the job ended."""


def drive(folder: JobFolder, lock: int, work: Work, broken: Callable[[EventLog, str], None]) -> None:
    """Drive the job in ``folder`` to its end: that of ``work``, or ``broken``, which records why it ended early.

    ``lock`` is the job's lock as an open file.
    """
    os.set_inheritable(lock, False)  # noqa: FBT003 - the library's own signature
    system.here().claim(folder.tag)
    folder.came_up()
    processes = Processes(folder.tag, lock)
    with opened(folder.path) as log, reserved(folder.path), written_to(folder.driver_log):
        log.append([("state", "", {"state": RunState.RUNNING})])
        try:
            asyncio.run(work(log, processes))
        except BackendError as error:
            give_up(folder.path)
            broken(log, shortage(folder.home) or str(error))
        except Exception as error:
            _logger.exception("The driver failed.")
            broken(log, f"internal error in kfnb: {type(error).__name__}: {error} ({folder.driver_log})")
