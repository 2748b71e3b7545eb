"""Where the logs of a run's tasks are, at each poll of the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kfnb import entities
from kfnb.entities import Task, kfp_name
from kfnb.errors import BackendError, did_you_mean
from kfnb.resources.runs.kubeflow.artifacts import TaskRecord
from kfnb.resources.runs.kubeflow.logs import LogSource, ObservedSources
from kfnb.resources.runs.kubeflow.metadata_cache import MetadataCache
from kfnb.resources.runs.kubeflow.pods import Pods

Json = Mapping[str, Any]

_NOTHING = TaskRecord()


class Sources:
    """Where logs are: of one task, by its id or name, or of all. ``snapshot`` returns the current run."""

    def __init__(
        self,
        records: MetadataCache,
        pods: Pods | None,
        snapshot: Callable[[], entities.RunSnapshot],
        spec: Json,
        task: str | None,
    ) -> None:
        self._records, self._kubernetes = records, pods
        self._snapshot, self._spec, self._task = snapshot, spec, task
        self._made: Mapping[str, TaskRecord] = {}
        self._pods: Mapping[str, str] = {}
        self._known: Any = None
        self._there = task is None

    def poll(self) -> ObservedSources:
        """The tasks that have begun; raises ``BackendError`` for an unknown task once the run is finished."""
        run = self._snapshot()
        tasks = self._fitting(run)
        if run.state.finished and not self._there:
            raise self._missing(run)
        states = [(task.id, task.state) for task in tasks]
        if states != self._known or any(
            task.id not in self._pods for task in tasks if not task.state.finished
        ):
            self._learn(run)
            self._known = states
        return ObservedSources(tuple(self._source(task) for task in tasks), run.state.finished)

    def begun(self) -> tuple[LogSource, ...]:
        """The tasks that have begun by now; raises ``BackendError`` for an unknown task."""
        run = self._snapshot()
        tasks = self._fitting(run)
        if not self._there:
            raise self._missing(run)
        self._learn(run)
        return tuple(self._source(task) for task in tasks)

    def _fitting(self, run: entities.RunSnapshot) -> list[Task]:
        fitting = [task for task in run.tasks if not task.group and self._fits(task)]
        self._there = self._there or bool(fitting)
        # in the logs of all tasks, cached tasks are left out
        begun = [
            task for task in fitting if task.started is not None and not (task.cached and self._task is None)
        ]
        return sorted(begun, key=lambda task: task.started or 0.0)

    def _fits(self, task: Task) -> bool:
        return self._task is None or self._task == task.id or task.name in (self._task, kfp_name(self._task))

    def _missing(self, run: entities.RunSnapshot) -> BackendError:
        there = {task.name for task in run.tasks if not task.group}
        return BackendError(
            f"run {run.id} has no task {self._task}",
            code="unknown-task",
            hint=did_you_mean(self._task or "", there),
            ref=run.id,
        )

    def _learn(self, run: entities.RunSnapshot) -> None:
        self._made = self._records.of(run, self._spec)
        pods = self._kubernetes.of_run(run.id) if self._kubernetes is not None else ()
        self._pods = {pod.task: pod.name for pod in pods if pod.role == "launcher"}

    def _source(self, task: Task) -> LogSource:
        made = self._made.get(task.id, _NOTHING)
        pod = self._pods.get(task.id, made.pod)
        return LogSource(task.id, pod, made.log, task.state.finished, task.cached, task.finished)
