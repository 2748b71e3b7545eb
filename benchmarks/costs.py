"""Costs of a home where very many runs have been."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.lineage import home_of, run_id
from benchmarks.measure import Measured, in_turn
from kfnb.entities import Amounts, Purpose
from kfnb.jobs.eventlog import FILE, EventLog
from kfnb.resources.runs.usage_data import amounts_data

RUNS, PIPELINES = 10_000, 10
ROUNDS = 9


def costs() -> Iterator[Measured]:
    """From the function to the drawn report, with the look for runs that are new."""
    import kfnb
    from kfnb.resources.costs.view.report import draw_costs

    with home_of() as home:
        for number in range(PIPELINES):
            _write(home / "runs", number, RUNS // PIPELINES)

        def report(**how: Any) -> float:
            start = time.perf_counter()
            found = kfnb.costs(compare=["gke", "sagemaker"], **how)
            assert found.total.runs == RUNS
            draw_costs(found)
            return time.perf_counter() - start

        report()  # the index is made
        by_pipeline, by_model = in_turn(ROUNDS, report, lambda: report(by="model"))
    yield Measured(f"costs of {RUNS:,} runs by pipeline", by_pipeline, "0.3 s")
    yield Measured(f"costs of {RUNS:,} runs by model", by_model, "0.3 s")


def _write(runs: Path, pipeline: int, count: int) -> None:
    """Runs of a pipeline. Their logs are copies of one."""
    model = runs / f"model-{pipeline}"
    model.mkdir(parents=True)
    log = EventLog(model, create=True)
    log.append(_facts(f"pipeline-{pipeline}"))
    log.close()
    content = (model / FILE).read_bytes()
    (model / FILE).unlink()
    model.rmdir()
    for number in range(count):
        folder = runs / run_id(pipeline * count + number)
        folder.mkdir()
        (folder / FILE).write_bytes(content)


def _facts(pipeline: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    used = {
        Purpose.WORK: Amounts(cores=1.0, memory=4.0, gpus={"": 0.5}),
        Purpose.FAILED: Amounts(cores=0.1, memory=0.4),
        Purpose.SAVED: Amounts(cores=0.5, memory=2.0),
    }
    yield (
        "created",
        "",
        {"name": "r", "pipeline": pipeline, "backend": "local", "arguments": {}, "owner": "me"},
    )
    yield "usage", "", {"total": amounts_data(used)}
    yield "state", "", {"state": "SUCCEEDED"}
