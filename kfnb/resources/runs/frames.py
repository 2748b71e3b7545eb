"""Runs and their tasks as pandas DataFrames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kfnb.entities import RunSnapshot
from kfnb.extras import require


def frame_of_tasks(run: RunSnapshot) -> Any:
    """The tasks of a run, a row each."""
    require("pandas", "to_frame")
    import pandas as pd

    rows = [
        {
            "task": task.id,
            "state": str(task.state),
            "seconds": task.seconds,
            "cached": task.cached,
            **{f"input.{name}": value for name, value in task.inputs.items()},
            **{f"output.{name}": value for name, value in task.outputs.items()},
            **{f"metric.{name}": value for name, value in task.metrics.items()},
        }
        for task in run.tasks
        if not task.group
    ]
    return pd.DataFrame(rows)


def frame_of_runs(runs: Sequence[RunSnapshot]) -> Any:
    """Runs, a row each."""
    require("pandas", "to_frame")
    import pandas as pd

    rows = [
        {
            "id": run.id,
            "pipeline": run.pipeline,
            "name": run.name,
            "state": str(run.state),
            "created": None if run.created is None else pd.Timestamp(run.created, unit="s"),
            "seconds": run.seconds,
            **{f"argument.{name}": value for name, value in run.arguments.items()},
            **{f"metric.{name}": value for name, value in run.metrics.items()},
        }
        for run in runs
    ]
    return pd.DataFrame(rows)
