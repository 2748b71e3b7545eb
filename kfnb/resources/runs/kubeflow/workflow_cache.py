"""The Argo Workflows of runs, requested only if no other source has the state of a task: each can be megabytes."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from kfnb.entities import RunSnapshot, RunState, Task
from kfnb.resources.runs.kubeflow.artifacts import ENDED, TaskRecord
from kfnb.resources.runs.kubeflow.pods import Pods, TaskPod
from kfnb.resources.runs.kubeflow.readiness import due
from kfnb.resources.runs.kubeflow.workflow import Workflow

_OLD = 5.0
"""Seconds after which a Workflow is requested again."""
_NOTHING = TaskRecord()


class Workflows:
    """The Workflows of runs that were requested; empty without ``pods``."""

    def __init__(self, pods: Pods | None) -> None:
        self._pods = pods
        self._read: dict[str, _CachedWorkflow] = {}

    def of(self, run: RunSnapshot, pods: Collection[TaskPod], made: Mapping[str, TaskRecord]) -> Workflow:
        """The Workflow of a run with these ``pods`` and records: the current one if it is needed, else the last.

        The last one only has its tasks: what they waited for is outdated.
        """
        known = self._last(run).workflow
        missing = _lost(run, made, known) if run.state.finished else _stuck(run, pods, made)
        return self.now(run) if missing or _all_over(run) else replace(known, refused={}, queued=None)

    def now(self, run: RunSnapshot) -> Workflow:
        """The Workflow of a run as of a few seconds ago."""
        known = self._last(run)
        if self._pods is not None and time.monotonic() - known.at >= _OLD:
            known = _CachedWorkflow(time.monotonic(), run.state.finished, self._pods.workflow(run.id))
            self._read[run.id] = known
        return known.workflow

    def _last(self, run: RunSnapshot) -> _CachedWorkflow:
        known = self._read.get(run.id, _CachedWorkflow())
        # a retried run has another
        return _CachedWorkflow() if known.over and not run.state.finished else known


@dataclass(frozen=True)
class _CachedWorkflow:
    """A Workflow: when it was requested, and whether its run was finished then."""

    at: float = -math.inf
    over: bool = False
    workflow: Workflow = field(default_factory=Workflow)


def _stuck(run: RunSnapshot, pods: Collection[TaskPod], made: Mapping[str, TaskRecord]) -> bool:
    """Whether a task that should be running has neither a pod nor a record, or the run has neither."""
    if all(task.started is None and not task.state.finished for task in run.tasks):
        return True
    alive = {pod.task for pod in pods if not pod.finished}
    running = [task for task in run.tasks if task.state is RunState.RUNNING and not task.group]
    # records, if there are any, include the tasks that are due
    expected = running if made else [*running, *due(run)]
    return any(
        made.get(task.id, _NOTHING).state not in ENDED
        and not any(pod == task.id or pod.startswith(f"{task.id}/") for pod in alive)
        for task in expected
    )


def _all_over(run: RunSnapshot) -> bool:
    """Whether a run is still running although all of its tasks have ended: the server may never record its end."""
    ended = all(task.state.finished for task in run.tasks if not task.group)
    return not run.state.finished and bool(run.tasks) and ended


def _lost(run: RunSnapshot, made: Mapping[str, TaskRecord], known: Workflow) -> bool:
    """Whether a task of a finished run has an unknown end."""
    if not all(node.state.finished for node in known.tasks.values()):
        return True
    states = {task.id: task.state for task in run.tasks}
    never = (RunState.FAILED, RunState.SKIPPED, RunState.CANCELED)
    return any(
        task.state not in (RunState.FAILED, RunState.CANCELED)
        and not task.began
        and made.get(task.id, _NOTHING).state not in ENDED
        and states.get(task.parent) not in never
        and not any(states.get(_sibling(task, need)) in never for need in task.needs)
        for task in run.tasks
    )


def _sibling(task: Task, name: str) -> str:
    return task.id[: -len(task.name)] + name
