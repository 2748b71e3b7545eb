"""How what verbs did is printed. Times are seconds since the epoch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from kfnb.model import Run as RunData
from kfnb.model import Task
from kfnb.resources.runs.events import encode
from kfnb.resources.runs.view.run import draw_run
from kfnb.ui.states import shown


def show(listed: Sequence[Any], drawn: dict[str, str], *, json_wanted: bool) -> None:
    """Print things that were listed, as they are drawn or as JSON."""
    rows = [asdict(one) for one in listed] if json_wanted else []
    print(json.dumps(rows, indent=2, default=str) if json_wanted else drawn["text/plain"])


def print_run(run: RunData, *, json_wanted: bool) -> None:
    """Print a run, as it is drawn or as JSON."""
    print(json.dumps(as_json(run), indent=2, default=str) if json_wanted else draw_run(run)["text/plain"])


def as_json(run: RunData) -> dict[str, Any]:
    """A run as ``--json`` prints it."""
    return {**as_row(run), "tasks": [_task(task) for task in run.tasks if not task.group]}


def as_row(run: RunData) -> dict[str, Any]:
    """A run as ``--json`` prints it in a list: without its tasks, which lists do not look at."""
    return {
        "id": run.id,
        "name": run.name,
        "pipeline": run.pipeline,
        "state": str(run.state),
        "experiment": run.experiment,
        "arguments": encode(run.arguments),
        "result": encode(run.result),
        "metrics": encode(run.metrics),
        "error": run.error,
        "doing": "; ".join(dict.fromkeys(task.doing for task in run.tasks if task.doing)),
        "created": run.created,
        "started": run.started,
        "finished": run.finished,
        "seconds": run.seconds,
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
