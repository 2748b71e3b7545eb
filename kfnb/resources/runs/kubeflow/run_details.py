"""What is known of a run beside the API server's rows: ML Metadata, the object store and Kubernetes, put together.

Each of them may be out of reach; what the others tell is there all the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from kfnb import model
from kfnb.jobs.polling import Pace
from kfnb.model import LogLine, RunState, Task, TaskError
from kfnb.resources.runs.kubeflow import logs, pending
from kfnb.resources.runs.kubeflow.artifacts import ENDED, Made
from kfnb.resources.runs.kubeflow.components import Components
from kfnb.resources.runs.kubeflow.failure import SILENT, why_failed, why_lost, why_unprepared
from kfnb.resources.runs.kubeflow.log_sources import Sources
from kfnb.resources.runs.kubeflow.logs import Source
from kfnb.resources.runs.kubeflow.metadata_cache import Records
from kfnb.resources.runs.kubeflow.mlmd import Metadata
from kfnb.resources.runs.kubeflow.objects import Store
from kfnb.resources.runs.kubeflow.pods import Pod, Pods
from kfnb.resources.runs.kubeflow.states import seconds
from kfnb.resources.runs.kubeflow.task_facts import Seen, Told
from kfnb.resources.runs.kubeflow.workflow import Node, Workflow
from kfnb.resources.runs.kubeflow.workflow_cache import Workflows

Json = Mapping[str, Any]

_PACE = Pace(1, 10)
_UNRECORDED = 60.0
"""Seconds after the end of a Workflow in which KFP records it: it looks at a Workflow every 30 s at the latest."""
_NOTHING = Made()
_RECORDS, _WORKFLOW, _PODS = "ML Metadata", "the Argo Workflow", "Kubernetes"


class Cluster:
    """See ``look.Insight``. Without ``metadata`` there are no artifacts, without ``pods`` no words on waiting.

    ``trouble`` says why there is no ``metadata``.
    """

    def __init__(
        self, metadata: Metadata | None, store: Store | None, pods: Pods | None, trouble: str = ""
    ) -> None:
        self._records = Records(metadata, store, trouble)
        self._pods, self._workflows = pods, Workflows(pods)
        self._errors: dict[tuple[str, str, int], TaskError] = {}

    @property
    def trouble(self) -> str:
        """See ``look.Insight``."""
        return self._records.trouble

    def told(self, run: model.Run, spec: Json) -> Mapping[str, Told]:
        """What is known of a run's tasks and groups, by their ids; also of those that ``run`` does not have yet.

        Under the id "" is why the run itself could not be prepared, if it could not; and how its Workflow ended, where
        the server has not recorded that in a minute.
        """
        pods = self.pods(run, succeeded=False)
        going = {pod.task: pod for pod in pods if pod.role == "launcher" and pod.phase == "Running"}
        made = self._records.of(run, spec)
        workflow = self._workflows.of(run, pods, made)
        words = self._doing(run, pods, workflow)
        newest = {**_of_turns(pods), **{pod.task: pod for pod in pods}}
        turns = _turns({*made, *workflow.tasks, *going})
        tasks = {task.id: task for task in run.tasks}
        found: dict[str, Told] = {}
        for name in {**tasks, **made, **workflow.tasks, **going}:
            its, task, pod = made.get(name, _NOTHING), tasks.get(name), newest.get(name)
            found[name] = Told(
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
            found[""] = Told(error=self._unprepared(run, driver))
        ended = workflow.ended
        if not run.state.finished and ended is not None and time.time() - (ended.finished or 0) > _UNRECORDED:
            found[""] = replace(found.get("", Told()), seen=Seen(ended.state, finished=ended.finished))
        return found

    def logs(
        self, look: Callable[[], model.Run], spec: Json, task: str | None, *, follow: bool
    ) -> Iterator[LogLine | None]:
        """What the tasks of a run wrote: of one of them, by its id or name, or of all."""
        sources = Sources(self._records, self._pods, look, spec, task)
        if follow:
            return logs.follow(sources.look, self._pods, _PACE)
        return logs.read(sources.begun(), self._pods)

    def log_places(self, look: Callable[[], model.Run], spec: Json, task: str | None) -> tuple[str, ...]:
        """See ``look.Insight``."""
        sources = Sources(self._records, self._pods, look, spec, task).begun()
        return tuple(source.place for source in sources if source.place)

    def pods(self, run: model.Run, *, succeeded: bool = True) -> tuple[Pod, ...]:
        """The pods of the run, those that Kubernetes still has."""
        return self._pods.of_run(run.id, succeeded=succeeded) if self._pods is not None else ()

    def _doing(self, run: model.Run, pods: tuple[Pod, ...], workflow: Workflow) -> dict[str, str]:
        if self._pods is None or run.state.finished:
            return {}
        queued = workflow.queued if run.state is RunState.PENDING else None
        words = pending.doing(self._pods, pods, workflow.refused, queued)
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
                error = why_lost(self._workflows.now(run).failed.get(task.id, ""))
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
    """The state of a task as others than the server know it: of who knows its end, else of who knows that it runs.

    ``pod`` is that of an attempt that runs, and may be the next one after a failure.
    """
    ended = ENDED.get(made.state)
    if node is not None and node.state.finished:
        return Seen(node.state, node.started, node.finished, node.attempts, _WORKFLOW)
    # after a failure there may be another attempt, of which its pod or the Workflow tells
    if ended is not None and not (ended is RunState.FAILED and (pod is not None or node is not None)):
        return Seen(ended, made.began, made.changed, source=_RECORDS)
    if pod is not None:
        return Seen(RunState.RUNNING, seconds(pod.created), source=_PODS)
    if node is not None:
        return Seen(node.state, node.started, None, node.attempts, _WORKFLOW)
    return Seen(RunState.RUNNING, made.began, source=_RECORDS) if made.state else None
