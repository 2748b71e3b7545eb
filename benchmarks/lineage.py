"""Lineage in a home where very many runs have been: of a model among all executions, and the index built again."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measure import Measured, in_turn
from kfnb.entities import Artifact
from kfnb.jobs.eventlog import FILE, EventLog
from kfnb.resources.runs.events import encode

RUNS, TASKS = 10_000, 10
SMALL_RUNS, SMALL_TASKS = 2_000, 4
SHARED = 20
"""Runs that took the same data."""
ROUNDS = 9


def lineage() -> Iterator[Measured]:
    """From the function to the graph, with the look for runs that are new; and the index built again."""
    import kfnb

    with _home(RUNS, TASKS) as home:
        model = home / "model.onnx"
        model.write_text("\x08\x08\x12model")
        kfnb.register(model, "churn", run=run_id(RUNS // 2))
        rebuilt = _rebuild()

        def find() -> float:
            start = time.perf_counter()
            assert len(kfnb.lineage("churn@1").nodes) > TASKS
            return time.perf_counter() - start

        (found,) = in_turn(ROUNDS, find)
    yield Measured(f"lineage of a model among {RUNS * TASKS:,} executions", found, "0.1 s")
    with _home(SMALL_RUNS, SMALL_TASKS):
        small = _rebuild()
    yield Measured(f"index of {SMALL_RUNS:,} runs of {SMALL_TASKS} tasks built again", small, "1 s")
    yield Measured(f"index of {RUNS:,} runs of {TASKS} tasks built again", rebuilt, "")


def _rebuild() -> float:
    from kfnb.resources.lineage import api

    start = time.perf_counter()
    api.rebuild_catalog()
    return time.perf_counter() - start


@contextmanager
def home_of() -> Iterator[Path]:
    """An empty home, which the settings name."""
    from kfnb import settings

    before = os.environ.get("KFNB_HOME")
    with tempfile.TemporaryDirectory(prefix="kfnb-bench-") as folder:
        os.environ["KFNB_HOME"] = folder
        settings.reset()
        try:
            yield Path(folder)
        finally:
            del os.environ["KFNB_HOME"]
            if before is not None:
                os.environ["KFNB_HOME"] = before
            settings.reset()


@contextmanager
def _home(runs: int, tasks: int) -> Iterator[Path]:
    """A home with so many runs, which the settings name."""
    with home_of() as home:
        _write_runs(home / "runs", runs, tasks)
        yield home


def run_id(number: int) -> str:
    """The id of a run by its number."""
    return f"27{number // 840 + 1:02}{number % 28 + 1:02}-{number % 840:06}-000x"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _write_runs(runs: Path, count: int, tasks: int) -> None:
    """Runs of a chain of tasks. Their logs are copies of one, with other digests in the places of its own."""
    model = runs / "model"
    model.mkdir(parents=True)
    log = EventLog(model, create=True)
    log.append(_facts(tasks))
    log.close()
    content = (model / FILE).read_bytes()
    (model / FILE).unlink()
    model.rmdir()
    for number in range(count):
        own = content.replace(_digest("0").encode(), _digest(f"data {number // SHARED}").encode())
        for task in range(1, tasks + 1):
            own = own.replace(_digest(str(task)).encode(), _digest(f"{number} {task}").encode())
        folder = runs / run_id(number)
        folder.mkdir()
        (folder / FILE).write_bytes(own)


def _facts(tasks: int) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    yield "created", "", {"name": "churn", "pipeline": "churn", "backend": "local", "arguments": {}}
    for number in range(tasks):
        task = f"step-{number}"
        taken, made = _artifact(number, "system.Dataset"), _artifact(number + 1, "system.Dataset")
        if number == tasks - 1:
            made = _artifact(number + 1, "system.Model")
        yield "task", task, {"name": task}
        yield "inputs", task, {"values": encode({"df": taken, "rate": 0.1, "rows": 300})}
        yield "state", task, {"state": "RUNNING"}
        yield "outputs", task, {"values": encode({"df": made}), "metrics": {}}
        yield "state", task, {"state": "SUCCEEDED"}
    yield "state", "", {"state": "SUCCEEDED"}


def _artifact(number: int, type: str) -> Artifact:
    metadata = {"format": "parquet", "shape": "300 x 31"}
    return Artifact("df", type, f"/home/me/.kfnb/runs/churn/{number}", metadata, _digest(str(number)))
