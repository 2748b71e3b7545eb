"""A retried run: corrects what the server still reports from the previous attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kfnb.entities import RunSnapshot, RunState, Task

_AGAIN = (RunState.FAILED, RunState.CANCELED)


def begun_again(run: RunSnapshot) -> RunSnapshot:
    """A run that was just retried, which the server still reports as finished: its failed tasks wait."""
    tasks = tuple(_waiting(task) if task.state in _AGAIN else task for task in run.tasks)
    head = replace(run, state=RunState.PENDING, finished=None, error="", result={}, metrics={})
    return not_skipped_yet(replace(head, tasks=tasks))


def not_skipped_yet(run: RunSnapshot) -> RunSnapshot:
    """The run, where tasks that were skipped in a previous attempt wait: their dependencies have not ended in this one.

    Argo only skips a task when all its dependencies have ended.
    """
    if run.state.finished:
        return run
    tasks = {task.id: task for task in run.tasks}
    skipped = [task for task in run.tasks if task.state is RunState.SKIPPED]
    while early := {task.id: _waiting(task) for task in skipped if _early(task, tasks)}:
        tasks |= early
        skipped = [task for task in skipped if task.id not in early]
    return replace(run, tasks=tuple(tasks.values()))


def _early(task: Task, tasks: Mapping[str, Task]) -> bool:
    around = tasks.get(task.parent)
    if around is not None and around.state is not RunState.RUNNING:
        return around.state is RunState.PENDING
    beside = task.id[: -len(task.name)]
    needed = (tasks.get(beside + need) for need in task.needs)
    return any(not one.state.finished for one in needed if one is not None)


def _waiting(task: Task) -> Task:
    return replace(task, state=RunState.PENDING, finished=None, error=None, outputs={}, metrics={})
