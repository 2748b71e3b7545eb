"""Lineage in a home where very many runs have been: of a model among all executions, and the index built again."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.measure import Measured, in_turn
from kfnb.jobs.eventlog import FILE, EventLog
from kfnb.model import Artifact
from kfnb.resources.runs.events import encode

RUNS, TASKS = 10_000, 10
SHARED = 20
"""Runs that took the same data."""
ROUNDS = 9
_TIMES = 2000.0
"""Runs a second in which the index is to be built again."""


def lineage() -> Iterator[Measured]:
    """From the function to the graph, with the look for runs that are new."""
    import kfnb
    from kfnb import settings
    from kfnb.resources.lineage import api

    with tempfile.TemporaryDirectory(prefix="kfnb-bench-") as folder:
        before = os.environ.get("KFNB_HOME")
        os.environ["KFNB_HOME"] = folder
        settings.reset()
        try:
            _write_runs(Path(folder) / "runs")
            model = Path(folder, "model.onnx")
            model.write_text("model")
            kfnb.register(model, "churn", run=_run_id(RUNS // 2))
            start = time.perf_counter()
            api.rebuild_catalog()
            rebuilt = time.perf_counter() - start

            def find() -> float:
                start = time.perf_counter()
                assert len(kfnb.lineage("churn@1").nodes) > TASKS
                return time.perf_counter() - start

            (found,) = in_turn(ROUNDS, find)
        finally:
            os.environ.pop("KFNB_HOME") if before is None else os.environ.update(KFNB_HOME=before)
            settings.reset()
    yield Measured(f"lineage of a model among {RUNS * TASKS:,} executions", found, "0.1 s")
    yield Measured(f"the index of {RUNS:,} runs built again", rebuilt, f"{RUNS / _TIMES:g} s")


def _run_id(number: int) -> str:
    return f"27{number // 840 + 1:02}{number % 28 + 1:02}-{number % 840:06}-000x"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _write_runs(runs: Path) -> None:
    """Runs of a chain of tasks. Their logs are copies of one, with other digests in the places of its own."""
    model = runs / "model"
    model.mkdir(parents=True)
    log = EventLog(model, create=True)
    log.append(_facts())
    log.close()
    content = (model / FILE).read_bytes()
    (model / FILE).unlink()
    model.rmdir()
    for number in range(RUNS):
        own = content.replace(_digest("0").encode(), _digest(f"data {number // SHARED}").encode())
        for task in range(1, TASKS + 1):
            own = own.replace(_digest(str(task)).encode(), _digest(f"{number} {task}").encode())
        folder = runs / _run_id(number)
        folder.mkdir()
        (folder / FILE).write_bytes(own)


def _facts() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    yield "created", "", {"name": "churn", "pipeline": "churn", "backend": "local", "arguments": {}}
    for number in range(TASKS):
        task = f"step-{number}"
        taken, made = _artifact(number, "system.Dataset"), _artifact(number + 1, "system.Dataset")
        if number == TASKS - 1:
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
