"""What is known of a run beside the API server's rows: ML Metadata, the object store and Kubernetes, put together.

Each of them may be out of reach; what the others tell is there all the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kfnb import model
from kfnb.backends.backend import LogLine, Pace
from kfnb.backends.kubeflow import artifacts, logs, waiting
from kfnb.backends.kubeflow.artifacts import Made
from kfnb.backends.kubeflow.components import Components
from kfnb.backends.kubeflow.failure import SILENT, why_failed, why_lost, why_unprepared
from kfnb.backends.kubeflow.fold import Told
from kfnb.backends.kubeflow.logs import Looked, Source
from kfnb.backends.kubeflow.mlmd import Metadata
from kfnb.backends.kubeflow.objects import Store
from kfnb.backends.kubeflow.pods import Pod, Pods
from kfnb.errors import BackendError
from kfnb.model import RunState, Task, TaskError, kfp_name

Json = Mapping[str, Any]

_PACE = Pace(1, 10)
_SILENT_FOR = 60.0
"""Seconds for which ML Metadata is left alone after it did not answer."""
_NOTHING = Made()


class Cluster:
    """See ``look.Insight``. Without ``metadata`` there are no artifacts, without ``pods`` no words on waiting.

    ``trouble`` says why ML Metadata did not answer when it was last asked; empty if it did.
    """

    def __init__(self, metadata: Metadata | None, store: Store | None, pods: Pods | None) -> None:
        self._metadata, self._store, self._pods = metadata, store, pods
        self._errors: dict[tuple[str, str, int], TaskError] = {}
        self._made: dict[str, tuple[Any, Mapping[str, Made]]] = {}
        self._quiet_until = 0.0
        self.trouble = ""

    def told(self, run: model.Run, spec: Json) -> Mapping[str, Told]:
        """What is known of a run's tasks and groups, by their ids; under the id "" why the run was not prepared."""
        made, pods = self.made(run, spec), self.pods(run, succeeded=False)
        words = self._doing(run, pods)
        newest = {**_of_turns(pods), **{pod.task: pod for pod in pods}}
        going = {pod.task for pod in pods if pod.role == "launcher" and pod.phase == "Running"}
        found: dict[str, Told] = {}
        for task in run.tasks:
            its = made.get(task.id, _NOTHING)
            found[task.id] = Told(
                inputs=its.inputs,
                outputs=its.outputs,
                metrics=its.metrics,
                error=self._error(run, task, its, newest.get(task.id), spec),
                cached=its.state == "CACHED" if its.state else None,
                doing=words.get(task.id, ""),
                going=task.id in going,
            )
        driver = newest.get("")
        if driver is not None and driver.role == "driver" and driver.phase == "Failed":
            found[""] = Told(error=self._unprepared(run, driver))
        return found

    def logs(
        self, look: Callable[[], model.Run], spec: Json, task: str | None, *, follow: bool
    ) -> Iterator[LogLine | None]:
        """What the tasks of a run wrote: of one of them, by its id or name, or of all."""
        sources = _Sources(self, look, spec, task)
        if follow:
            return logs.follow(sources.look, self._pods, _PACE)
        return logs.read(sources.begun(), self._pods)

    def made(self, run: model.Run, spec: Json) -> Mapping[str, Made]:
        """What ML Metadata has of the tasks; nothing while it does not answer.

        It is asked where a task's state has changed: it is told what a task has made before the server says so.
        """
        states = tuple((task.id, task.state, task.attempts) for task in run.tasks)
        known, made = self._made.get(run.id, (None, {}))
        if known != states:
            made = self._read(run.id, spec)
            if made:
                self._made[run.id] = states, made
        return made

    def _read(self, run_id: str, spec: Json) -> Mapping[str, Made]:
        if self._metadata is None or time.monotonic() < self._quiet_until:
            return {}
        try:
            recorded = self._metadata.run(run_id)
        except BackendError as error:
            self.trouble, self._quiet_until = str(error), time.monotonic() + _SILENT_FOR
            return {}
        self.trouble = ""
        if recorded is None:
            return {}
        return artifacts.read(recorded, spec, *([self._store.opener] if self._store else []))

    def pods(self, run: model.Run, *, succeeded: bool = True) -> tuple[Pod, ...]:
        """The pods of the run, those that Kubernetes still has."""
        return self._pods.of_run(run.id, succeeded=succeeded) if self._pods is not None else ()

    def _doing(self, run: model.Run, pods: tuple[Pod, ...]) -> dict[str, str]:
        if self._pods is None or run.state.finished:
            return {}
        begun = [task.id for task in run.tasks if not task.group and task.state is RunState.RUNNING]
        nothing = all(task.started is None and not task.state.finished for task in run.tasks)
        words = waiting.doing(self._pods, run.id, pods, ["", *begun] if nothing else begun)
        # of a turn of a loop, which is no task itself, its loop tells
        words |= {id[: id.rindex("/")]: why for id, why in words.items() if id.rpartition("/")[2].isdecimal()}
        first = [task.id for task in run.tasks if not task.parent and not task.needs]
        return dict.fromkeys(first, words[""]) | words if "" in words else words

    def _error(self, run: model.Run, task: Task, made: Made, pod: Pod | None, spec: Json) -> TaskError | None:
        """The last words of a failed task, or of a group's driver; looked for once for each attempt at it."""
        if task.state is not RunState.FAILED or (task.group and (pod is None or pod.role != "driver")):
            return None
        key = run.id, task.id, task.attempts
        if key not in self._errors:
            source = Source(task.id, pod.name if pod else "", made.log, finished=True)
            lines = logs.end(source, self._pods, pod.failed) if pod else logs.end(source, None)
            error: TaskError | None = why_failed(lines, Components(spec).of(task.id).program, pod)
            if error is not None and error.message == SILENT:
                error = why_lost(self._pods.endings(run.id).get(task.id, "")) if self._pods else None
            if error is None:
                return None
            self._errors[key] = error
        return self._errors[key]

    def _unprepared(self, run: model.Run, pod: Pod) -> TaskError:
        """Why the run's own driver, in ``pod``, failed: looked for once for each of its pods."""
        key = run.id, pod.name, 0
        if key not in self._errors:
            lines = logs.end(Source("", pod.name, finished=True), self._pods, pod.failed)
            self._errors[key] = TaskError(why_unprepared(lines, pod))
        return self._errors[key]


def _of_turns(pods: tuple[Pod, ...]) -> dict[str, Pod]:
    """The pods that failed to prepare a turn of a loop, by the loop."""
    failed = [pod for pod in pods if pod.role == "driver" and pod.phase == "Failed"]
    split = [(*pod.task.rpartition("/"), pod) for pod in failed]
    return {loop: pod for loop, _, turn, pod in split if turn.isdecimal()}


class _Sources:
    """Where the logs of a run's tasks are, as of one look after the other."""

    def __init__(
        self, cluster: Cluster, look: Callable[[], model.Run], spec: Json, wanted: str | None
    ) -> None:
        self._cluster, self._look, self._spec, self._wanted = cluster, look, spec, wanted
        self._made: Mapping[str, Made] = {}
        self._pods: Mapping[str, str] = {}
        self._known: Any = None
        self._there = wanted is None

    def look(self) -> Looked:
        """The tasks that have begun; raises ``BackendError`` where at the end none was called as wanted."""
        run = self._look()
        tasks = self._fitting(run)
        if run.state.finished and not self._there:
            raise self._missing(run)
        states = [(task.id, task.state) for task in tasks]
        if states != self._known or any(
            task.id not in self._pods for task in tasks if not task.state.finished
        ):
            self._learn(run)
            self._known = states
        return Looked(tuple(self._source(task) for task in tasks), run.state.finished)

    def begun(self) -> tuple[Source, ...]:
        """The tasks that have begun by now; raises ``BackendError`` where none is called as wanted."""
        run = self._look()
        tasks = self._fitting(run)
        if not self._there:
            raise self._missing(run)
        self._learn(run)
        return tuple(self._source(task) for task in tasks)

    def _fitting(self, run: model.Run) -> list[Task]:
        fitting = [task for task in run.tasks if not task.group and self._fits(task)]
        self._there = self._there or bool(fitting)
        # of all tasks, those that were cached have nothing to say
        begun = [
            task
            for task in fitting
            if task.started is not None and not (task.cached and self._wanted is None)
        ]
        return sorted(begun, key=lambda task: task.started or 0.0)

    def _fits(self, task: Task) -> bool:
        return (
            self._wanted is None
            or self._wanted == task.id
            or task.name in (self._wanted, kfp_name(self._wanted))
        )

    def _missing(self, run: model.Run) -> BackendError:
        return BackendError(f"run {run.id} has no task {self._wanted}")

    def _learn(self, run: model.Run) -> None:
        self._made = self._cluster.made(run, self._spec)
        self._pods = {pod.task: pod.name for pod in self._cluster.pods(run) if pod.role == "launcher"}

    def _source(self, task: Task) -> Source:
        made = self._made.get(task.id, _NOTHING)
        pod = self._pods.get(task.id, made.pod)
        return Source(task.id, pod, made.log, finished=task.state.finished, cached=task.cached)
