"""One training on a cluster: how it is requested, and what its pods have reported until the last poll."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from kfnb.entities import Artifact, Rank, RunSnapshot, RunState, Task, TaskError
from kfnb.errors import BackendError
from kfnb.jobs.polling import Pace
from kfnb.remote.kubernetes.fields import Item, at, condition, mapping, word
from kfnb.resources.runs.kubeflow.failure import SILENT, why_failed
from kfnb.resources.runs.kubeflow.run_cache import RunCache
from kfnb.resources.runs.kubeflow.saved_models import SavedModels
from kfnb.resources.runs.metrics import metrics
from kfnb.resources.runs.rank_fold import merged
from kfnb.resources.training.trainer.logs import TrainingLogs
from kfnb.resources.training.trainer.objects import ARCHIVED, RESULT
from kfnb.resources.training.trainer.record import TrainingResult, as_result, record_of, result_of
from kfnb.resources.training.trainer.resources import TrainerResources
from kfnb.resources.training.trainer.state import (
    counted,
    first_failure,
    is_out_of_memory,
    newest,
    outputs_digest,
    ranks_of,
    state_of,
    waiting_for,
)
from kfnb.resources.training.trainer.storage import TrainingObjects
from kfnb.resources.training.trainer.trainjob import source_of
from kfnb.text.ranks import FailedRank, failed_rank
from kfnb.text.timestamps import seconds

_LAST = 1000
"""Lines of a pod that are kept to tell why it failed."""
_NOWHERE = "its outputs are not in the object store any more"


class TrackedTraining:
    """A training: ``watch`` requests it, and keeps the events of its changes."""

    def __init__(
        self,
        resources: TrainerResources,
        objects: TrainingObjects,
        name: str,
        pace: Callable[[], Pace],
        saved: SavedModels,
    ) -> None:
        self.watch = RunCache(self._request, pace)
        self._resources, self._objects, self._name, self._saved = resources, objects, name, saved
        self._logs = TrainingLogs(resources.kubernetes, resources.namespace)
        self._reported: dict[str, tuple[Rank, ...]] = {}
        self._lines: dict[str, deque[str]] = {}
        self._results: Mapping[str, Any] | None = None

    def _request(self) -> RunSnapshot:
        item = self._resources.trainjob(self._name)
        known = result_of(item)
        if known is not None:
            return self._snapshot(item, known, ())
        pods = self._resources.pods(self._name)
        self._read(pods)
        record = record_of(item)
        restarts = record.restarts if record.nodes > 1 else 0  # else its launcher counts them
        state = state_of(item, pods, restarts=restarts)
        pods = counted(pods, restarts=restarts)
        ranks = ranks_of(pods, self._reported, nodes=record.nodes, procs=record.procs)
        if not state.finished:
            return self._snapshot(item, TrainingResult(state, ranks=ranks), pods)
        error = self._why(item, pods) if state is RunState.FAILED else None
        result = TrainingResult(
            state, _finished(item, pods), error, _over(ranks, state), outputs_digest(pods)
        )
        self._keep(item, result)
        return self._snapshot(item, result, pods)

    def _read(self, pods: Sequence[Item]) -> None:
        """Take in what the pods have written since the last time."""
        for line in self._logs.new(pods):
            if line.kind == "ranks" and line.facts is not None:
                with suppress(ValueError, TypeError, KeyError):  # a training may print anything
                    self._reported[line.pod] = merged(self._reported.get(line.pod, ()), line.facts)
            elif not line.kind:
                self._lines.setdefault(line.pod, deque(maxlen=_LAST)).append(line.text)

    def _keep(self, item: Item, result: TrainingResult) -> None:
        """Record the end, and end what Kubernetes would start again."""
        fields: dict[str, Any] = {"metadata": {"annotations": {RESULT: as_result(result)}}}
        if result.state is RunState.FAILED and condition(item, "Failed").get("status") != "True":
            fields["spec"] = {"suspend": True}
        with suppress(BackendError):  # who may only read sees the same
            self._resources.change(self._name, fields)

    def _why(self, item: Item, pods: Sequence[Item]) -> TaskError:
        failure = first_failure(pods)
        if failure is None:
            failed = condition(item, "Failed")
            return TaskError(str(failed.get("message") or failed.get("reason") or "the TrainJob has failed"))
        lines = list(self._lines.get(failure.pod, ()))
        if is_out_of_memory(failure):
            return TaskError(f"node {failure.node}: {failure.diagnosis.message}", "\n".join(lines[-20:]))
        error = why_failed(lines, source_of(item))
        failed_here: FailedRank | None = failed_rank(lines)
        if failed_here is not None and error.message != SILENT:
            return error
        message = failure.why or failure.diagnosis.message
        if not message:
            return error
        return TaskError(
            message if failed_here or message.startswith("rank ") else f"node {failure.node}: {message}",
            error.traceback,
        )

    def _snapshot(self, item: Item, result: TrainingResult, pods: Sequence[Item]) -> RunSnapshot:
        run, record = outline(item, result), record_of(item)
        started = _started(pods) or (min((one.started for one in result.ranks if one.started), default=None))
        outputs, notes = self._outputs(record.root, record.outputs, result)
        begun = started is not None and result.state not in (RunState.PENDING, RunState.PAUSED)
        task = Task(
            record.task,
            record.task,
            result.state if result.state is not RunState.CANCELING else RunState.RUNNING,
            started=started,
            finished=result.finished,
            began=(started,) if begun and started is not None else (),
            attempts=1 if begun else 0,
            doing=self._doing(item, pods) if not result.state.finished and not begun else "",
            inputs=record.arguments,
            outputs=outputs,
            metrics=metrics(outputs),
            error=result.error,
            ranks=result.ranks,
        )
        whole = replace(
            run,
            started=started,
            finished=result.finished,
            tasks=(task,),
            metrics={f"{task.name}.{name}": value for name, value in task.metrics.items()},
            error=f"{task.name}: {result.error.message}" if result.error else "",
            notes=notes,
        )
        return replace(whole, notes=(*notes, *self._saved.notes(whole)))

    def _doing(self, item: Item, pods: Sequence[Item]) -> str:
        names = [word(pod, "metadata", "name") for pod in newest(pods).values()] or [
            self._name,
            f"{self._name}-node-0",
        ]
        return waiting_for(item, pods, {name: self._resources.events(name) for name in names})

    def _outputs(
        self, root: str, kinds: Mapping[str, str], result: TrainingResult
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """What rank 0 has put out, and a note where that is not known."""
        if result.state is not RunState.SUCCEEDED or not root:
            return {}, ()
        if self._results is None:
            try:
                self._results = self._objects.results(root, result.outputs)
            except (BackendError, OSError) as error:
                return {}, (f"its outputs cannot be read: {error}",)
        if self._results is None:
            return {}, (_NOWHERE,)
        written, values = self._results["written"], self._results["values"]
        found: dict[str, Any] = {**values, **written.get("parameterValues", {})}
        for name, kind in kinds.items():
            made = (written.get("artifacts", {}).get(name, {}).get("artifacts") or [{}])[0]
            uri = f"{root}/outputs/{name}"
            found[name] = Artifact(
                name,
                kind,
                uri,
                made.get("metadata") or {},
                self._results["digests"].get(name, ""),
                self._objects.opener(),
            )
        return found, ()


def outline(item: Item, result: TrainingResult | None = None) -> RunSnapshot:
    """A training without its task, which is cheap."""
    record, found = record_of(item), result or result_of(item)
    state = found.state if found else state_of(item, (), restarts=record.restarts)
    return RunSnapshot(
        id=word(item, "metadata", "name"),
        name=record.name or word(item, "metadata", "name"),
        pipeline=record.pipeline,
        backend="kubeflow",
        state=state,
        arguments=record.arguments,
        experiment=record.experiment,
        created=seconds(word(item, "metadata", "creationTimestamp")),
        finished=found.finished if found else None,
        error=f"{record.task}: {found.error.message}" if found and found.error else "",
        archived=ARCHIVED in mapping(item, "metadata", "annotations"),
    )


def _over(ranks: tuple[Rank, ...], state: RunState) -> tuple[Rank, ...]:
    """The processes at the end: those whose end was not seen."""
    last = RunState.SUCCEEDED if state is RunState.SUCCEEDED else RunState.CANCELED
    return tuple(one if one.state.finished else replace(one, state=last) for one in ranks)


def _started(pods: Sequence[Item]) -> float | None:
    found = (
        seconds(at(one, "state", kind, "startedAt"))
        for pod in pods
        for one in mapping(pod, "status").get("containerStatuses") or ()
        for kind in ("running", "terminated")
    )
    return min(filter(None, found), default=None)


def _finished(item: Item, pods: Sequence[Item]) -> float:
    """When it ended, as exactly as that is known."""
    conditions = [condition(item, kind) for kind in ("Complete", "Failed")]
    moments = [seconds(word(one, "lastTransitionTime")) for one in conditions if one.get("status") == "True"]
    ends = [
        seconds(at(one, "state", "terminated", "finishedAt"))
        for pod in pods
        for one in mapping(pod, "status").get("containerStatuses") or ()
    ]
    return next(filter(None, moments), None) or max(filter(None, ends), default=time.time())
