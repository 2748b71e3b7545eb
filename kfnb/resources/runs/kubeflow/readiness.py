"""Which of a run's tasks may start, according to its pipeline."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.entities import RunSnapshot, RunState, Task


def due(run: RunSnapshot) -> Iterator[Task]:
    """The tasks and groups that have not started, although all their dependencies are done."""
    states = {task.id: task.state for task in run.tasks}
    for task in run.tasks:
        around = task.id[: -len(task.name)]
        if (
            task.state is RunState.PENDING
            and (not task.parent or states.get(task.parent) is RunState.RUNNING)
            and all(states.get(around + need, RunState.SUCCEEDED).finished for need in task.needs)
        ):
            yield task
