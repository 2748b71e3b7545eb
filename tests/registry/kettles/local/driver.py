"""The process that drives one kettle: ``python -m tests.registry.kettles.local.driver FOLDER LOCK``."""

from __future__ import annotations

import asyncio
import signal
import sys
from functools import partial
from pathlib import Path

from kfnb.entities import RunState
from kfnb.jobs.driver import drive
from kfnb.jobs.eventlog import EventLog
from kfnb.jobs.folder import check
from kfnb.jobs.processes import Processes
from kfnb.jobs.spawn import leave_folder
from tests.registry.kettles.local import flame
from tests.registry.kettles.local.folder import KettleFolder, Order
from tests.registry.kettles.model import COLD

_STEPS = 4


def main(folder: KettleFolder, lock: int) -> None:
    """Heat the kettle in ``folder`` until it is hot, stopped, or fails."""

    async def work(log: EventLog, processes: Processes) -> None:
        check(folder.path)
        await _heat(folder, log, processes)

    drive(folder, lock, work, lambda log, error: _state(log, RunState.FAILED, error=error))


async def _heat(folder: KettleFolder, log: EventLog, processes: Processes) -> None:
    processes.listen()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    if folder.stopping:
        stopped.set()
    order = folder.order
    burn = partial(flame.burn, order.seconds)
    burning = asyncio.create_task(processes.run(burn, log=folder.log, folder=folder.path))
    others = [asyncio.create_task(one) for one in (stopped.wait(), _rise(order, log))]
    await asyncio.wait([burning, others[0]], return_when=asyncio.FIRST_COMPLETED)
    for one in others:
        one.cancel()
    if stopped.is_set():
        _state(log, RunState.CANCELING)
    await processes.end()
    if stopped.is_set():
        _state(log, RunState.CANCELED)
    elif status := await burning:
        _state(log, RunState.FAILED, error=f"the flame went out (status {status})")
    else:
        log.append([("heat", "", {"degrees": order.goal}), ("state", "", {"state": RunState.SUCCEEDED})])


async def _rise(order: Order, log: EventLog) -> None:
    """Write down how hot it is on the way."""
    for step in range(1, _STEPS):
        await asyncio.sleep(order.seconds / _STEPS)
        log.append([("heat", "", {"degrees": COLD + (order.goal - COLD) * step / _STEPS})])


def _state(log: EventLog, state: RunState, *, error: str = "") -> None:
    log.append([("state", "", {"state": state, **({"error": error} if error else {})})])


if __name__ == "__main__":
    leave_folder()
    main(KettleFolder(Path(sys.argv[1])), int(sys.argv[2]))
