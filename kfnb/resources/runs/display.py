"""How runs are shown. Times in JSON are seconds since the epoch."""

from __future__ import annotations

from typing import Any

from kfnb.commands.display import Display
from kfnb.entities import Comparison, Task
from kfnb.entities import RunSnapshot as RunData
from kfnb.resources.runs.artifact_text import Drawing
from kfnb.resources.runs.costs import cost_data
from kfnb.resources.runs.events import encode
from kfnb.resources.runs.handle import Run, RunList
from kfnb.resources.runs.priced import priced_comparison, priced_runs
from kfnb.ui.states import shown


def as_json(run: RunData) -> dict[str, Any]:
    """A run as ``--json`` prints it."""
    return {**as_row(run), "tasks": [_task(task) for task in run.tasks if not task.group]}


def as_row(run: RunData) -> dict[str, Any]:
    """A run as ``--json`` prints it in a list: without its tasks, which lists do not read."""
    return {
        "id": run.id,
        "name": run.name,
        "pipeline": run.pipeline,
        "state": str(run.state),
        "experiment": run.experiment,
        "schedule": run.schedule,
        "arguments": encode(run.arguments),
        "result": encode(run.result),
        "metrics": encode(run.metrics),
        "error": run.error,
        "doing": "; ".join(dict.fromkeys(task.doing for task in run.tasks if task.doing)),
        "created": run.created,
        "started": run.started,
        "finished": run.finished,
        "seconds": run.seconds,
        "cost": cost_data(run),
    }


def _task(task: Task) -> dict[str, Any]:
    return {
        "name": task.name,
        "id": task.id,
        "state": str(shown(task).state),
        "doing": task.doing,
        "outputs": encode(task.outputs),
        "metrics": encode(task.metrics),
        "error": task.error.message if task.error else None,
        "started": task.started,
        "finished": task.finished,
        "seconds": task.seconds,
        "cached": task.cached,
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    """A comparison as ``--json`` prints it: each thing by its name, in the order of the runs."""
    parts = ("arguments", "metrics", "environment", "states", "seconds")
    rows = {part: {row.name: encode(row.values) for row in getattr(comparison, part)} for part in parts}
    return {"runs": [run.id for run in comparison.runs], **rows}


DISPLAYS = {
    Run: Display(lambda run: Drawing()(run.snapshot()), lambda run: as_json(run.snapshot())),
    RunList: Display(priced_runs, lambda runs: [as_row(run) for run in runs]),
    Comparison: Display(priced_comparison, _comparison),
}
