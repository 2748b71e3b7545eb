"""The process that drives one run: ``python -m kfnb.resources.runs.local.driver FOLDER LOCK``.

It outlives the kernel that started it. ``LOCK`` is the run's lock as an open file, which it holds until it ends.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from kfnb.artifacts.digests import Digests
from kfnb.disk import shortage
from kfnb.entities import Amounts, Artifact, Purpose, RunState, added_up
from kfnb.jobs import private, system
from kfnb.jobs.driver import drive
from kfnb.jobs.eventlog import EventLog
from kfnb.jobs.folder import check
from kfnb.jobs.prefork import Prefork, Request
from kfnb.jobs.processes import Processes
from kfnb.jobs.spawn import leave_folder
from kfnb.prices.budget import Budget
from kfnb.resources.models.local.saved_models import Destination, register_saved
from kfnb.resources.runs.events import decode
from kfnb.resources.runs.local.cache import Cache
from kfnb.resources.runs.local.folder import RunFolder, RunJobSpec
from kfnb.resources.runs.local.importer import is_remote
from kfnb.resources.runs.local.journal import Journal
from kfnb.resources.runs.local.kind import end
from kfnb.resources.runs.local.launcher import Launcher
from kfnb.resources.runs.local.log_timeline import Timeline
from kfnb.resources.runs.local.meter import Meter
from kfnb.resources.runs.local.pod_resources import Supplier
from kfnb.resources.runs.local.resolve import Inputs
from kfnb.resources.runs.local.resource_pool import ResourcePool
from kfnb.resources.runs.local.scheduler import PipelineScheduler
from kfnb.resources.runs.local.spec import PipelineSpec
from kfnb.resources.runs.local.spec_reader import read
from kfnb.resources.runs.local.spending import Spending
from kfnb.resources.runs.local.tasks import TaskRunner
from kfnb.secret_store import Secrets
from kfnb.text.parameter_values import plain

_WORKSPACE = "workspace"
"""The volume that all tasks of a run share, if its pipeline requests it."""

_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""The characters of the five-letter suffix of Kubernetes' generated names."""


def serve(request: Request | None, prefork: Prefork) -> None:
    """Drive the requested run; and, in forks of this process, the runs that start soon after."""
    while request is not None:
        folder, lock = RunFolder(request[0]), request[1]
        order = drive_run(folder, lock)
        os.close(lock)
        request = prefork.wait(folder.home, order.linger) if order else None


def drive_run(folder: RunFolder, lock: int) -> RunJobSpec | None:
    """Drive the run in ``folder`` to its end; return its job, if it is readable."""
    orders: list[RunJobSpec] = []

    async def work(log: EventLog, processes: Processes) -> None:
        check(folder.path)
        spec, order = folder.read()
        orders.append(order)
        await _drive(folder, order, read(spec, order.platform), Journal(folder.id, log), processes)

    def broken(log: EventLog, error: str) -> None:
        full = shortage(folder.home)
        end(folder.id, log, error, *(["ended: no space left on the disk"] if full else [error]))

    drive(folder, lock, work, broken)
    return orders[0] if orders else None


async def _drive(
    folder: RunFolder, order: RunJobSpec, pipeline: PipelineSpec, journal: Journal, processes: Processes
) -> None:
    start, timeline = _start(folder, order), Timeline(folder.timeline)
    engine = _engine(folder, order, pipeline, journal, (processes, timeline))
    ending = _End(journal, engine, processes)
    processes.listen()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.stop)
    if folder.stopping:
        ending.stop()
    if pipeline.timeout:
        reason = f"timed out after {pipeline.timeout:g} s"
        asyncio.get_running_loop().call_later(pipeline.timeout, ending.fail, reason)
    spending = Spending(Budget.of(order.budget), partial(_occupied, journal, engine), ending.fail)
    watchers = [asyncio.create_task(one.watch()) for one in (timeline, engine.tasks.room, spending)]
    try:
        result = await engine.run(_inputs(pipeline, order, start))
    finally:
        for one in watchers:
            one.cancel()
        await ending.settled()
    if result.state is RunState.SUCCEEDED:
        if order.registry:
            place = Destination(Path(order.registry), order.data_store, order.owner)
            journal.note(*register_saved(journal.snapshot(), place))
        journal.ended(RunState.SUCCEEDED, result.outputs)
    else:
        # a failed step may not have its own message
        full = shortage(folder.home) if result.state is RunState.FAILED else ""
        why = "; ".join(filter(None, (ending.reason or str(engine.summary), full)))
        journal.ended(ending.state or result.state, {}, why)


class _End:
    """How a run ends early. ``state`` and ``reason`` are set if it did, else None and empty."""

    def __init__(self, journal: Journal, engine: PipelineScheduler, processes: Processes) -> None:
        self.state: RunState | None = None
        self.reason = ""
        self._journal, self._engine, self._processes = journal, engine, processes
        self._ending: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """Stop the run, as requested."""
        if self._ending is None:
            self.state = RunState.CANCELED
            self._journal.state("", RunState.CANCELING)
            self._engine.stop()
            self._ending = asyncio.create_task(self._processes.end())

    def fail(self, reason: str) -> None:
        """End the run, which has reached a limit."""
        if self._ending is None:
            self.stop()
            self.state, self.reason = RunState.FAILED, reason

    async def settled(self) -> None:
        """Wait until all processes of the run have ended."""
        if self._ending is not None:
            await self._ending
        await self._processes.end()


def _engine(
    folder: RunFolder,
    order: RunJobSpec,
    pipeline: PipelineSpec,
    journal: Journal,
    watched: tuple[Processes, Timeline],
) -> PipelineScheduler:
    home, start = folder.home, _start(folder, order)
    supplier = Supplier(Secrets(order.secrets), folder.path / "volumes")
    if pipeline.workspace:
        private.make(supplier.volume(_WORKSPACE))
    processes, timeline = watched
    room = ResourcePool(order.jobs, system.gpus(), order.most)
    digests = Digests()
    tasks = TaskRunner(
        pipeline=pipeline,
        journal=journal,
        launcher=Launcher(
            processes,
            home / "envs",
            start,
            folder.path,
            supplier,
            timeline,
            room.activity,
            Meter(),
            journal.doing,
            journal.ranks,
            tuple(order.packages),
            order.python,
        ),
        cache=Cache(home / "cache", digests) if order.cache else None,
        room=room,
        digests=digests,
    )
    words = _words(folder, order, pipeline.name)
    return PipelineScheduler(pipeline, journal, tasks, supplier, words, folder.path)


def _occupied(journal: Journal, engine: PipelineScheduler) -> Mapping[Purpose, Amounts]:
    """What a run occupied until now, also in attempts that have not ended."""
    going = added_up(engine.tasks.launcher.meter.going()).get(Purpose.WORK, Amounts())
    return {**journal.occupied, Purpose.WORK: journal.occupied.get(Purpose.WORK, Amounts()) + going}


def _start(folder: RunFolder, order: RunJobSpec) -> Path:
    """Where steps start: in the notebook's folder, if it still exists."""
    return Path(order.folder) if Path(order.folder).is_dir() else folder.path


def _inputs(pipeline: PipelineSpec, order: RunJobSpec, start: Path) -> Inputs:
    """The run's arguments as the root's inputs; artifacts are given as paths or addresses."""
    ports = pipeline.root.artifacts
    parameters = {name: plain(value) for name, value in order.arguments.items() if name not in ports}
    artifacts = {
        name: _artifact(name, decode(order.arguments[name]), ports[name].type, start)
        for name in ports
        if name in order.arguments
    }
    return Inputs(parameters, artifacts)


def _artifact(name: str, value: Any, kind: str, start: Path) -> Any:
    if isinstance(value, list):
        return [_artifact(name, item, kind, start) for item in value]
    if isinstance(value, Artifact):
        return value
    uri = str(value)
    return Artifact(
        name, kind, uri if is_remote(uri) else str((start / uri.removeprefix("file://")).absolute())
    )


def _words(folder: RunFolder, order: RunJobSpec, pipeline: str) -> Mapping[str, str]:
    """The values of the placeholders of the run."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "pipeline_job_name": order.name,
        "pipeline_job_resource_name": _resource_name(folder.id, pipeline),
        "pipeline_job_uuid": folder.id,
        "workspace_path": str(folder.path / "volumes" / _WORKSPACE),
        "pipeline_job_create_time_utc": now,
        "pipeline_job_schedule_time_utc": now,
    }


def _resource_name(run_id: str, pipeline: str) -> str:
    """The name that the run's Argo workflow could have on a cluster; it stays the same when the run is retried."""
    digest = hashlib.sha256(run_id.encode()).digest()
    ending = "".join(_SUFFIX_LETTERS[byte % len(_SUFFIX_LETTERS)] for byte in digest[:5])
    return f"{pipeline.rpartition('/')[2]}-{ending}"


if __name__ == "__main__":
    leave_folder()
    serve((Path(sys.argv[1]), int(sys.argv[2])), Prefork())
