"""What is known of a run beside the API server's rows: ML Metadata, the object store and Kubernetes, put together.

Each of them may be out of reach; what the others tell is there all the same.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kfnb import model
from kfnb.backends.backend import LogLine, Pace
from kfnb.backends.kubeflow import artifacts, logs, waiting
from kfnb.backends.kubeflow.artifacts import Made
from kfnb.backends.kubeflow.components import Components
from kfnb.backends.kubeflow.failure import SILENT, why_failed, why_lost, why_unprepared
from kfnb.backends.kubeflow.logs import Looked, Source
from kfnb.backends.kubeflow.mlmd import Metadata, Recorded
from kfnb.backends.kubeflow.objects import Store
from kfnb.backends.kubeflow.pods import Pod, Pods
from kfnb.backends.kubeflow.states import seconds
from kfnb.backends.kubeflow.told import Seen, Told
from kfnb.backends.kubeflow.workflow import Node, Workflow
from kfnb.errors import BackendError
from kfnb.model import RunState, Task, TaskError, kfp_name

Json = Mapping[str, Any]

_PACE = Pace(1, 10)
_SILENT_FOR = 60.0
"""Seconds for which ML Metadata is left alone after it did not answer."""
_AGAIN = 5.0
"""Seconds until ML Metadata, or the Workflow, is asked again of a task whose end the server has not told yet."""
_UNRECORDED = 60.0
"""Seconds after the end of a Workflow in which KFP records it: it looks at a Workflow every 30 s at the latest."""
_NOTHING = Made()
_ENDED = {
    "COMPLETE": RunState.SUCCEEDED,
    "CACHED": RunState.SUCCEEDED,
    "FAILED": RunState.FAILED,
    "CANCELED": RunState.SKIPPED,
}
"""ML Metadata's words for what is over: a branch that was not taken is CANCELED there."""


class Cluster:
    """See ``look.Insight``. Without ``metadata`` there are no artifacts, without ``pods`` no words on waiting.

    ``trouble`` says why ML Metadata did not answer when it was last asked; empty if it did.
    """

    def __init__(self, metadata: Metadata | None, store: Store | None, pods: Pods | None) -> None:
        self._metadata, self._store, self._pods = metadata, store, pods
        self._errors: dict[tuple[str, str, int], TaskError] = {}
        self._read: dict[str, _Read] = {}
        self._workflows: dict[str, tuple[float, Workflow]] = {}
        self._quiet_until = 0.0
        self.trouble = ""

    def told(self, run: model.Run, spec: Json) -> Mapping[str, Told]:
        """What is known of a run's tasks and groups, by their ids; also of those that ``run`` does not have yet.

        Under the id "" is why the run itself could not be prepared, if it could not; and how its Workflow ended, where
        the server has not recorded that in a minute.
        """
        pods = self.pods(run, succeeded=False)
        going = {pod.task for pod in pods if pod.role == "launcher" and pod.phase == "Running"}
        gone = any(task.state is RunState.RUNNING and task.id not in going for task in _leaves(run))
        made = self.made(run, spec, age=_AGAIN if gone else math.inf)
        workflow = self._workflow(run, pods, made)
        words = self._doing(run, pods, workflow)
        newest = {**_of_turns(pods), **{pod.task: pod for pod in pods}}
        turns = _turns({*made, *workflow.tasks})
        tasks = {task.id: task for task in run.tasks}
        found: dict[str, Told] = {}
        for name in {**tasks, **made, **workflow.tasks}:
            its, task, pod = made.get(name, _NOTHING), tasks.get(name), newest.get(name)
            found[name] = Told(
                inputs=its.inputs,
                outputs=its.outputs,
                metrics=its.metrics,
                error=self._error(run, task, its, pod, spec) if task else None,
                cached=its.state == "CACHED" if its.state else None,
                doing=words.get(name, ""),
                going=name in going,
                seen=_seen(its, workflow.tasks.get(name), pod),
                turns=turns.get(name, 0),
            )
        driver = newest.get("")
        if driver is not None and driver.role == "driver" and driver.phase == "Failed":
            found[""] = Told(error=self._unprepared(run, driver))
        ended = workflow.ended
        if not run.state.finished and ended is not None and time.time() - (ended.finished or 0) > _UNRECORDED:
            found[""] = replace(found.get("", Told()), seen=Seen(ended.state, finished=ended.finished))
        return found

    def logs(
        self, look: Callable[[], model.Run], spec: Json, task: str | None, *, follow: bool
    ) -> Iterator[LogLine | None]:
        """What the tasks of a run wrote: of one of them, by its id or name, or of all."""
        sources = _Sources(self, look, spec, task)
        if follow:
            return logs.follow(sources.look, self._pods, _PACE)
        return logs.read(sources.begun(), self._pods)

    def made(self, run: model.Run, spec: Json, *, age: float = math.inf) -> Mapping[str, Made]:
        """What ML Metadata has of the tasks; nothing while it does not answer.

        It is asked where a task's state has changed: it is told what a task has made before the server says so; and
        while the run goes on, where what is known is ``age`` seconds old.
        """
        states = tuple((task.id, task.state, task.attempts) for task in run.tasks)
        known, now = self._read.get(run.id), time.monotonic()
        if known and known.states == states and (run.state.finished or now - known.at < age):
            return known.made
        recorded = self._recorded(run.id, known.recorded if known else None)
        if recorded is None:
            return known.made if known else {}
        if known and recorded is known.recorded:
            made = known.made
        else:
            made = artifacts.read(recorded, spec, *([self._store.opener] if self._store else []))
        self._read[run.id] = _Read(now, states, recorded, made)
        return made

    def _recorded(self, run_id: str, known: Recorded | None) -> Recorded | None:
        if self._metadata is None or time.monotonic() < self._quiet_until:
            return None
        try:
            recorded = self._metadata.run(run_id, known)
        except BackendError as error:
            self.trouble, self._quiet_until = str(error), time.monotonic() + _SILENT_FOR
            return None
        self.trouble = ""
        return recorded

    def _workflow(self, run: model.Run, pods: tuple[Pod, ...], made: Mapping[str, Made]) -> Workflow:
        """The run's Argo Workflow where nobody else tells what has become of a task: it can be megabytes."""
        if self._pods is None or not (_untouched(run) or _unexplained(run, pods, made) or _all_over(run)):
            return Workflow()
        at, known = self._workflows.get(run.id, (-math.inf, Workflow()))
        if time.monotonic() - at >= _AGAIN:
            known = self._pods.workflow(run.id)
            self._workflows[run.id] = time.monotonic(), known
        return known

    def pods(self, run: model.Run, *, succeeded: bool = True) -> tuple[Pod, ...]:
        """The pods of the run, those that Kubernetes still has."""
        return self._pods.of_run(run.id, succeeded=succeeded) if self._pods is not None else ()

    def _doing(self, run: model.Run, pods: tuple[Pod, ...], workflow: Workflow) -> dict[str, str]:
        if self._pods is None or run.state.finished:
            return {}
        queued = workflow.queued if run.state is RunState.PENDING else None
        words = waiting.doing(self._pods, pods, workflow.refused, queued)
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
                failed = self._pods.workflow(run.id).failed if self._pods is not None else {}
                error = why_lost(failed.get(task.id, ""))
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


@dataclass(frozen=True)
class _Read:
    """What ML Metadata had of a run: when, at which states of its tasks, and what was made of it."""

    at: float
    states: tuple[Any, ...]
    recorded: Recorded
    made: Mapping[str, Made]


def _leaves(run: model.Run) -> Iterator[Task]:
    return (task for task in run.tasks if not task.group)


def _untouched(run: model.Run) -> bool:
    """Whether nothing of a run has begun."""
    return not run.state.finished and all(
        task.started is None and not task.state.finished for task in run.tasks
    )


def _all_over(run: model.Run) -> bool:
    """Whether a run goes on though all of its tasks have ended: the server may never record its end."""
    return not run.state.finished and bool(run.tasks) and all(task.state.finished for task in _leaves(run))


def _unexplained(run: model.Run, pods: tuple[Pod, ...], made: Mapping[str, Made]) -> bool:
    """Whether there is a task of which neither the server nor its pod nor ML Metadata tells what became of it."""
    states = {task.id: task.state for task in run.tasks}
    if not run.state.finished:
        with_pods = {pod.task for pod in pods if not pod.finished}
        return any(
            task.state is RunState.RUNNING
            and task.id not in with_pods
            and made.get(task.id, _NOTHING).state not in _ENDED
            for task in _leaves(run)
        )
    never = (RunState.FAILED, RunState.SKIPPED, RunState.CANCELED)
    return any(
        task.state not in (RunState.FAILED, RunState.CANCELED)
        and not task.began
        and made.get(task.id, _NOTHING).state not in _ENDED
        and states.get(task.parent) not in never
        and not any(states.get(_sibling(task, need)) in never for need in task.needs)
        for task in run.tasks
    )


def _sibling(task: Task, name: str) -> str:
    return task.id[: -len(task.name)] + name


def _turns(tasks: Iterable[str]) -> dict[str, int]:
    """The number of turns of each loop, from the ids of what stands in it."""
    found: dict[str, int] = {}
    for task in tasks:
        parts = task.split("/")
        for place, part in enumerate(parts):
            if part.isdigit():  # KFP's names begin with a letter
                loop = "/".join(parts[:place])
                found[loop] = max(found.get(loop, 0), int(part) + 1)
    return found


def _seen(made: Made, node: Node | None, pod: Pod | None) -> Seen | None:
    """The state of a task as others than the server know it: the Workflow, which is what the server reads, or ML
    Metadata where the Workflow still says that the task runs.

    ML Metadata knows of a task before its ``pod`` is there, which is when it starts.
    """
    ended = _ENDED.get(made.state)
    if node is not None and (node.state.finished or ended is not RunState.SUCCEEDED):
        return Seen(node.state, node.started, node.finished, node.attempts, "the Argo Workflow")
    if not made.state:
        return None
    launched = seconds(pod.created) if pod is not None and pod.role == "launcher" else None
    return Seen(
        ended or RunState.RUNNING,
        launched or made.began,
        made.changed if ended else None,
        source="ML Metadata",
    )


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
