"""The process that drives one run: ``python -m kfnb.backends.local.supervisor FOLDER LOCK``.

It outlives the kernel that started it. ``LOCK`` is the run's lock as an open file, which it holds until it ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from kfnb.backends.events import decode
from kfnb.backends.local.cache import Cache
from kfnb.backends.local.engine import Engine
from kfnb.backends.local.folder import Order, RunFolder
from kfnb.backends.local.importer import is_remote
from kfnb.backends.local.journal import Journal
from kfnb.backends.local.launch import Launcher
from kfnb.backends.local.processes import Processes
from kfnb.backends.local.reader import read
from kfnb.backends.local.resolve import Inputs
from kfnb.backends.local.spec import Pipeline
from kfnb.backends.local.store import opened
from kfnb.model import Artifact, RunState


def main(folder: RunFolder, lock: int) -> None:
    """Drive the run in ``folder`` to its end."""
    os.set_inheritable(lock, False)  # noqa: FBT003 - the library's own signature
    folder.came_up()
    spec, order = folder.read()
    pipeline = read(spec)
    processes = Processes(folder.id, lock)
    with opened(folder.path) as log:
        journal = Journal(folder.id, log)
        journal.state("", RunState.RUNNING)
        try:
            asyncio.run(_drive(folder, order, pipeline, journal, processes))
        except Exception as error:
            traceback.print_exc()
            told = (
                f"kfnb's local engine broke: {type(error).__name__}: {error} ({folder.path}/supervisor.log)"
            )
            journal.state("", RunState.FAILED, told)


async def _drive(
    folder: RunFolder, order: Order, pipeline: Pipeline, journal: Journal, processes: Processes
) -> None:
    start, home = _start(folder, order), Path(order.home)
    engine = Engine(
        pipeline=pipeline,
        journal=journal,
        launcher=Launcher(processes, home / "envs", start),
        cache=Cache(home / "cache") if order.cache else None,
        words=_words(folder, order),
        folder=folder.path,
        jobs=order.jobs,
    )
    ending: list[asyncio.Task[None]] = []

    def stop() -> None:
        if not ending:
            journal.state("", RunState.CANCELING)
            engine.stop()
            ending.append(asyncio.create_task(processes.end()))

    processes.listen()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    if folder.stopping:
        stop()
    try:
        result = await engine.run(_inputs(pipeline, order, start))
    finally:
        await asyncio.gather(*ending)
        await processes.end()
    if result.state is RunState.SUCCEEDED:
        journal.succeeded("", result.outputs)
    else:
        journal.state("", RunState.CANCELED if ending else result.state, str(engine.summary))


def _start(folder: RunFolder, order: Order) -> Path:
    """Where steps start: in the notebook's folder, if that is still there."""
    return Path(order.folder) if Path(order.folder).is_dir() else folder.path


def _inputs(pipeline: Pipeline, order: Order, start: Path) -> Inputs:
    """The run's arguments as the root's inputs; one of artifact type is given as a path or an address."""
    ports = pipeline.root.artifacts
    parameters = {name: value for name, value in order.arguments.items() if name not in ports}
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


def _words(folder: RunFolder, order: Order) -> Mapping[str, str]:
    """What the placeholders about the run itself stand for."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "pipeline_job_name": order.name,
        "pipeline_job_resource_name": folder.id,
        "pipeline_job_uuid": folder.id,
        "pipeline_root": str(folder.path),
        "pipeline_job_create_time_utc": now,
        "pipeline_job_schedule_time_utc": now,
    }


if __name__ == "__main__":
    if sys.path[0] == str(Path.cwd()):
        sys.path.pop(0)  # python -m put it there; a step imports nothing by chance
    main(RunFolder(Path(sys.argv[1])), int(sys.argv[2]))
