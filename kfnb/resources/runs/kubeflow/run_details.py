"""Details of a run beyond the API server's rows, combined from ML Metadata, the object store and Kubernetes.

Each of them may be unreachable; the details of the others are shown regardless.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from kfnb import entities
from kfnb.entities import Amounts, LogLine, Purpose, RunState, Task, TaskError
from kfnb.entities.manifest import RunRecord
from kfnb.jobs.polling import Pace
from kfnb.remote.kubernetes.pod_layers import shared_environments
from kfnb.resources.runs.kubeflow import logs, wait_reasons
from kfnb.resources.runs.kubeflow.artifacts import ENDED, TaskRecord
from kfnb.resources.runs.kubeflow.components import Components
from kfnb.resources.runs.kubeflow.failure import SILENT, why_failed, why_lost, why_unprepared
from kfnb.resources.runs.kubeflow.log_sources import Sources
from kfnb.resources.runs.kubeflow.logs import LogSource
from kfnb.resources.runs.kubeflow.metadata_cache import MetadataCache
from kfnb.resources.runs.kubeflow.mlmd import Metadata
from kfnb.resources.runs.kubeflow.objects import Store
from kfnb.resources.runs.kubeflow.occupied import by_requests
from kfnb.resources.runs.kubeflow.pods import Pods, TaskPod
from kfnb.resources.runs.kubeflow.task_facts import ObservedState, TaskFacts
from kfnb.resources.runs.kubeflow.workflow import Workflow, WorkflowNode
from kfnb.resources.runs.kubeflow.workflow_cache import Workflows
from kfnb.text.shorten import some
from kfnb.text.timestamps import seconds

Json = Mapping[str, Any]

_PACE = Pace(1, 10)
_UNRECORDED = 60.0
"""Seconds after the end of a Workflow in which KFP records it: it checks each Workflow at least every 30 s."""
_NOTHING = TaskRecord()
_RECORDS, _WORKFLOW, _PODS = "ML Metadata", "the Argo Workflow", "Kubernetes"


class RunDetails:
    """See ``DetailSource``. Without ``metadata`` there are no artifacts, without ``pods`` no reasons for waiting.

    ``trouble`` is why there is no ``metadata``.
    """

    def __init__(
        self, metadata: Metadata | None, store: Store | None, pods: Pods | None, trouble: str = ""
    ) -> None:
        self._records = MetadataCache(metadata, store, trouble)
        self._pods, self._workflows = pods, Workflows(pods)
        self._errors: dict[tuple[str, str, int], TaskError] = {}

    @property
    def trouble(self) -> str:
        """See ``DetailSource``."""
        return self._records.trouble

    def facts(self, run: entities.RunSnapshot, spec: Json) -> Mapping[str, TaskFacts]:
        """The facts about a run's tasks and groups, by their ids; also about those that ``run`` does not have yet.

        The id "" has why the run itself could not be prepared, if so; and how its Workflow ended, if the server has not
        recorded that within a minute.
        """
        pods = self.pods(run, succeeded=False)
        going = {pod.task: pod for pod in pods if pod.role == "launcher" and pod.phase == "Running"}
        made = self._records.of(run, spec)
        workflow = self._workflows.of(run, pods, made)
        words = self._doing(run, pods, workflow)
        newest = {**_of_turns(pods), **{pod.task: pod for pod in pods}}
        turns = _turns({*made, *workflow.tasks, *going})
        tasks = {task.id: task for task in run.tasks}
        found: dict[str, TaskFacts] = {}
        for name in {**tasks, **made, **workflow.tasks, **going}:
            its, task, pod = made.get(name, _NOTHING), tasks.get(name), newest.get(name)
            found[name] = TaskFacts(
                inputs=its.inputs,
                slipped_in=its.slipped_in,
                outputs=its.outputs,
                metrics=its.metrics,
                error=self._error(run, task, its, pod, spec) if task else None,
                cached=its.state == "CACHED" if its.state else None,
                doing=words.get(name, ""),
                going=name in going,
                seen=_seen(its, workflow.tasks.get(name), going.get(name)),
                turns=turns.get(name, 0),
            )
        driver = newest.get("")
        if driver is not None and driver.role == "driver" and driver.phase == "Failed":
            found[""] = TaskFacts(error=self._unprepared(run, driver))
        ended = workflow.ended
        if not run.state.finished and ended is not None and time.time() - (ended.finished or 0) > _UNRECORDED:
            found[""] = replace(
                found.get("", TaskFacts()), seen=ObservedState(ended.state, finished=ended.finished)
            )
        return found

    def logs(
        self, snapshot: Callable[[], entities.RunSnapshot], spec: Json, task: str | None, *, follow: bool
    ) -> Iterator[LogLine | None]:
        """What the tasks of a run wrote: one task, by its id or name, or all."""
        sources = Sources(self._records, self._pods, snapshot, spec, task)
        if follow:
            return logs.follow(sources.poll, self._pods, _PACE)
        return logs.read(sources.begun(), self._pods)

    def log_places(
        self, snapshot: Callable[[], entities.RunSnapshot], spec: Json, task: str | None
    ) -> tuple[str, ...]:
        """See ``DetailSource``."""
        sources = Sources(self._records, self._pods, snapshot, spec, task).begun()
        return tuple(source.place for source in sources if source.place)

    def recorded(self, run: entities.RunSnapshot) -> RunRecord:
        """See ``DetailSource``."""
        layers = self._pods.layers(run.id) if self._pods is not None else {}
        gone = [
            task.id
            for task in run.tasks
            if task.started and not (task.group or task.cached) and task.id not in layers
        ]
        notes = [f"Kubernetes has no pod of {some(gone)} any more, or it may not be read"] if gone else []
        return RunRecord(environments=shared_environments(layers), notes=tuple(notes))

    def occupied(self, run: entities.RunSnapshot, spec: Json) -> Mapping[Purpose, Amounts]:
        """See ``DetailSource``."""
        found = self._pods.occupied(run.id) if self._pods is not None else {}
        return found or by_requests(run, spec)

    def pods(self, run: entities.RunSnapshot, *, succeeded: bool = True) -> tuple[TaskPod, ...]:
        """The pods of the run that Kubernetes still has."""
        return self._pods.of_run(run.id, succeeded=succeeded) if self._pods is not None else ()

    def _doing(
        self, run: entities.RunSnapshot, pods: tuple[TaskPod, ...], workflow: Workflow
    ) -> dict[str, str]:
        if self._pods is None or run.state.finished:
            return {}
        queued = workflow.queued if run.state is RunState.PENDING else None
        words = wait_reasons.doing(self._pods, pods, workflow.refused, queued)
        # an iteration is not a task: its loop shows it
        words |= {id[: id.rindex("/")]: why for id, why in words.items() if id.rpartition("/")[2].isdecimal()}
        first = [task.id for task in run.tasks if not task.parent and not task.needs]
        return dict.fromkeys(first, words[""]) | words if "" in words else words

    def _error(
        self, run: entities.RunSnapshot, task: Task, made: TaskRecord, pod: TaskPod | None, spec: Json
    ) -> TaskError | None:
        """The error of a failed task, or of a group's driver; read once for each attempt."""
        if task.state is not RunState.FAILED or (task.group and (pod is None or pod.role != "driver")):
            return None
        key = run.id, task.id, task.attempts
        if key not in self._errors:
            source = LogSource(task.id, pod.name if pod else "", made.log, finished=True)
            lines = logs.end(source, self._pods, pod.failed) if pod else logs.end(source, None)
            error: TaskError | None = why_failed(lines, Components(spec).of(task.id).program, pod)
            if error is not None and error.message == SILENT:
                error = why_lost(self._workflows.now(run).failed.get(task.id, ""))
            if error is None:
                return None
            self._errors[key] = error
        return self._errors[key]

    def _unprepared(self, run: entities.RunSnapshot, pod: TaskPod) -> TaskError:
        """Why the run's own driver, in ``pod``, failed; read once for each of its pods."""
        key = run.id, pod.name, 0
        if key not in self._errors:
            lines = logs.end(LogSource("", pod.name, finished=True), self._pods, pod.failed)
            self._errors[key] = TaskError(why_unprepared(lines, pod))
        return self._errors[key]


def _of_turns(pods: tuple[TaskPod, ...]) -> dict[str, TaskPod]:
    """The pods that failed to prepare an iteration of a loop, by the loop."""
    failed = [pod for pod in pods if pod.role == "driver" and pod.phase == "Failed"]
    split = [(*pod.task.rpartition("/"), pod) for pod in failed]
    return {loop: pod for loop, _, turn, pod in split if turn.isdecimal()}


def _turns(tasks: Iterable[str]) -> dict[str, int]:
    """The number of iterations of each loop, from the ids of the tasks in it."""
    found: dict[str, int] = {}
    for task in tasks:
        parts = task.split("/")
        for place, part in enumerate(parts):
            if part.isdigit():  # KFP's names begin with a letter
                loop = "/".join(parts[:place])
                found[loop] = max(found.get(loop, 0), int(part) + 1)
    return found


def _seen(made: TaskRecord, node: WorkflowNode | None, pod: TaskPod | None) -> ObservedState | None:
    """The state of a task from other sources than the server: from one that has its end, else one that has it running.

    ``pod`` is that of a running attempt, possibly the next after a failure.
    """
    ended = ENDED.get(made.state)
    if node is not None and node.state.finished:
        return ObservedState(node.state, node.started, node.finished, node.attempts, _WORKFLOW)
    # after a failure there may be another attempt, in its pod or the Workflow
    if ended is not None and not (ended is RunState.FAILED and (pod is not None or node is not None)):
        return ObservedState(ended, made.began, made.changed, source=_RECORDS)
    if pod is not None:
        return ObservedState(RunState.RUNNING, seconds(pod.created), source=_PODS)
    if node is not None:
        return ObservedState(node.state, node.started, None, node.attempts, _WORKFLOW)
    return ObservedState(RunState.RUNNING, made.began, source=_RECORDS) if made.state else None
