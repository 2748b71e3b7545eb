"""The process that drives one service: ``python -m kfnb.resources.services.local.driver FOLDER LOCK``.

It outlives the kernel that started it. ``LOCK`` is the service's lock as an open file, which it holds until it ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from kfnb.entities import RunState
from kfnb.jobs.driver import drive
from kfnb.jobs.eventlog import EventLog
from kfnb.jobs.folder import check
from kfnb.jobs.processes import Processes
from kfnb.jobs.spawn import leave_folder
from kfnb.resources.services.local.counter_poll import CounterPoll
from kfnb.resources.services.local.fold import ServiceFold
from kfnb.resources.services.local.folder import ServiceFolder
from kfnb.resources.services.local.journal import ServiceJournal
from kfnb.resources.services.local.listener import listening, url_of
from kfnb.resources.services.local.reconciler import Reconciler
from kfnb.resources.services.local.revision_process import ServiceContext
from kfnb.resources.services.local.router_process import RouterProcess


def main(folder: ServiceFolder, lock: int) -> None:
    """Drive the service in ``folder`` until it is stopped."""

    async def work(log: EventLog, processes: Processes) -> None:
        check(folder.path)
        os.chdir(folder.path)  # the paths of sockets have 107 bytes at most: they are relative ones
        error = await _drive(folder, log, processes)
        ServiceJournal(log).ended(RunState.FAILED if error else RunState.CANCELED, error)

    def broken(log: EventLog, error: str) -> None:
        ServiceJournal(log).ended(RunState.FAILED, error)

    drive(folder, lock, work, broken)


async def _drive(folder: ServiceFolder, log: EventLog, processes: Processes) -> str:
    """Serve until the service is stopped; else return why it cannot be served."""
    settings, journal, fold = folder.settings(), ServiceJournal(log), ServiceFold(folder.name)
    fold.take(log.read())
    needed = {one.revision for one in folder.desired().targets}
    for number in {one.number for one in fold.revisions} - needed:  # the last driver had no time for it
        journal.retired(number)
    listener = listening(settings.host, settings.port, folder.last_port)
    folder.keep_port(listener.getsockname()[1])
    processes.listen()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    if folder.stopping:
        stop.set()
    router = RouterProcess(folder, processes, listener)
    context = ServiceContext(folder, processes, settings.index_urls)
    reconciler = Reconciler(context, router, journal, fold.revisions)
    poll = CounterPoll(router, reconciler.revisions, journal, fold.counted)
    router.begin()
    journal.listens(url_of(listener))
    counter = asyncio.create_task(poll.run())
    try:
        return await reconciler.run(stop)
    finally:
        counter.cancel()
        await poll.last(await router.end())
        await reconciler.end()
        await processes.end()


if __name__ == "__main__":
    leave_folder()
    main(ServiceFolder(Path(sys.argv[1])), int(sys.argv[2]))
