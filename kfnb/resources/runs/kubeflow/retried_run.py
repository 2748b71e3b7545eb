"""A run that is tried again: what the server still tells of the attempt before, as it is now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kfnb.model import RunSnapshot, RunState, Task

_AGAIN = (RunState.FAILED, RunState.CANCELED)


def begun_again(run: RunSnapshot) -> RunSnapshot:
    """A run that was just retried, of which the server says for a moment that it has ended: what failed waits."""
    tasks = tuple(_waiting(task) if task.state in _AGAIN else task for task in run.tasks)
    head = replace(run, state=RunState.PENDING, finished=None, error="", result={}, metrics={})
    return not_skipped_yet(replace(head, tasks=tasks))


def not_skipped_yet(run: RunSnapshot) -> RunSnapshot:
    """The run, with tasks waiting that were skipped in an attempt before: what they need has not ended in this one.

    Argo skips a task only when all that it needs has ended.
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
