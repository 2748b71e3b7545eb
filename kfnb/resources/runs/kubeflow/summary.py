"""Why a run failed, in one line: what failed, and what never ran because of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kfnb.entities import RunState, Task, TaskError
from kfnb.resources.runs.kubeflow.failure import UNPREPARED
from kfnb.resources.runs.kubeflow.plan import DagPlan
from kfnb.resources.runs.kubeflow.states import state_named

_SHOWN = 3
"""Maximum number of failures in a run's error."""
_DRIVER = "root-driver"
"""The name of the row of a run's own driver."""


def unprepared(rows: Sequence[Mapping[str, Any]], error: TaskError | None) -> str:
    """The error of a run whose own driver failed, with its pod's ``error`` if known; empty if it did not fail."""
    if error is not None:
        return error.message
    failed = any(
        row.get("display_name") == _DRIVER and state_named(row.get("state")) is RunState.FAILED
        for row in rows
    )
    return (
        f"{UNPREPARED}: its driver failed, and the log of its pod is not available from here"
        if failed
        else ""
    )


def summary(root: DagPlan, tasks: Sequence[Task]) -> str:
    """The error of a run with these tasks; empty if none of them failed."""
    failed = _causes(tasks)
    more = len(failed) - _SHOWN
    parts = [_sentence(task) for task in failed[:_SHOWN]] + ([f"{more} more failed"] if more > 0 else [])
    known = {task.id: task for task in tasks}
    never = dict.fromkeys(_never(root, "", known)) if failed else {}
    return "; ".join([*parts, *([f"{', '.join(never)} never ran"] if never else [])])


def _causes(tasks: Sequence[Task]) -> list[Task]:
    """The failed tasks, and failed groups without a failed task, whose preparation failed."""
    failed = [task for task in tasks if task.state is RunState.FAILED]
    around = {task.id[:at] for task in failed for at, letter in enumerate(task.id) if letter == "/"}
    return [task for task in failed if not task.group or (task.id not in around and task.error is not None)]


def _sentence(task: Task) -> str:
    called = task.id if any(part.isdigit() for part in task.id.split("/")) else task.name
    if task.error is None:
        return f"{called} failed"
    where = f" ({task.error.place})" if task.error.place else ""
    return f"{called} failed: {task.error.message}{where}"


def _never(dag: DagPlan, prefix: str, tasks: Mapping[str, Task]) -> Iterator[str]:
    """The names of the tasks that were skipped because a dependency failed or was itself skipped for a failure."""
    blocked: set[str] = set()
    for step in dag.steps:
        task = tasks.get(prefix + step.name)
        needs = [tasks[prefix + need] for need in step.needs if prefix + need in tasks]
        if task is None:
            continue
        if task.state is RunState.SKIPPED and any(
            need.state is RunState.FAILED or need.name in blocked for need in needs
        ):
            blocked.add(step.name)
            yield from step.leaves
        elif step.inner is not None and not step.loop:
            yield from _never(step.inner, f"{task.id}/", tasks)
        elif step.inner is not None:
            turns = {one.iteration for one in tasks.values() if one.parent == task.id}
            for turn in sorted(number for number in turns if number is not None):
                yield from _never(step.inner, f"{task.id}/{turn}/", tasks)
