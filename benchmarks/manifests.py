"""What a manifest costs: recording a step, its size, and the manifest of a run of many tasks."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Measured, in_turn
from kfnb.capture.embedded.layers import kfnb_layers, kfnb_record
from kfnb.entities import RunSnapshot, RunState, Task
from kfnb.resources.provenance.assembly import of_run
from kfnb.resources.runs.local.folder import RunFolder
from kfnb.resources.runs.local.recorded import places, record_of

TASKS = 1000
ROUNDS = 5


def manifests() -> Iterator[Measured]:
    """Steps of one environment, in this process: the first reads the packages, the others find the list."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        run = RunFolder(home / "runs" / "r1")
        begun = time.process_time()
        kfnb_layers(str(home / "packages"))
        first = time.process_time() - begun
        tasks = tuple(Task(f"step-{number}", "step", RunState.SUCCEEDED) for number in range(TASKS))
        for task in tasks:
            (run.path / "tasks" / task.id).mkdir(parents=True)
        begun = time.process_time()
        for task in tasks:
            where = places(run.path, home, run.path / "tasks" / task.id)
            kfnb_record(where["packages"], where["environments"], where["file"])
        each = (time.process_time() - begun) / TASKS
        stored = [file for part in ("environments", "../../packages") for file in (run.path / part).iterdir()]
        snapshot = RunSnapshot("r1", "r1", "p", "local", RunState.SUCCEEDED, tasks=tasks)

        def read() -> float:
            start = time.perf_counter()
            of_run(snapshot, record_of(run, tasks))
            return time.perf_counter() - start

        (found,) = in_turn(ROUNDS, read)
        size = len(json.dumps(kfnb_layers(str(home / "packages"))))
    yield Measured("recording the first step of an environment, CPU", first, "")
    yield Measured("recording a further step, CPU", each, "30 ms")
    yield Measured("size of what a step records, KB", size / 1000, "20", unit="")
    yield Measured(f"files stored for {TASKS:,} steps of one environment", len(stored), "4", unit="")
    yield Measured(f"manifest of a run of {TASKS:,} tasks", found, "0.2 s")
