"""The state of a training, from its pods and conditions: Trainer has no condition for one that runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kfnb.entities import Rank, RunState
from kfnb.remote.kubernetes.fields import Item, at, condition, mapping, word
from kfnb.remote.kubernetes.pods import Diagnosis, PodReason, PodState, diagnose, explained
from kfnb.resources.runs.rank_fold import merged
from kfnb.resources.training.trainer.objects import CONTAINER, QUEUE, STOPPED, container_of, index_of
from kfnb.text.timestamps import seconds

_ENDED = {PodState.SUCCEEDED: RunState.SUCCEEDED, PodState.FAILED: RunState.FAILED}


@dataclass(frozen=True)
class NodeFailure:
    """Why a pod has failed. ``why`` is what its program has reported; ``at`` when."""

    node: int
    at: float
    diagnosis: Diagnosis
    why: str = ""
    pod: str = ""


@dataclass(frozen=True)
class TrainingState:
    """The state, what is waited for, the first failure, and the processes."""

    state: RunState
    doing: str = ""
    failure: NodeFailure | None = None
    ranks: tuple[Rank, ...] = ()


def newest(pods: Iterable[Item]) -> dict[int, Item]:
    """The newest pod of each node; ``pods`` are in the order in which they were made."""
    return {index_of(pod): pod for pod in pods}


def counted(pods: Iterable[Item], *, restarts: int) -> list[Item]:
    """The pods that matter: without those by which Kubernetes replaces ones of nodes that failed for good."""
    failed: dict[int, int] = {}
    found = []
    for pod in pods:
        node = index_of(pod)
        if failed.get(node, 0) > restarts:
            continue
        found.append(pod)
        failed[node] = failed.get(node, 0) + has_failed(pod)
    return found


def state_of(item: Item, pods: Sequence[Item], *, restarts: int) -> RunState:
    """The state of a TrainJob whose nodes may fail ``restarts`` times."""
    now = newest(pods)
    active = [one for one in now.values() if word(one, "status", "phase") in ("Pending", "Running")]
    if STOPPED in mapping(item, "metadata", "annotations") or at(item, "metadata", "deletionTimestamp"):
        return RunState.CANCELING if active else RunState.CANCELED
    if _holds(item, "Complete"):
        return RunState.SUCCEEDED
    if _holds(item, "Failed") or failed_for_good(pods, restarts=restarts):
        return RunState.FAILED
    if at(item, "spec", "suspend") and not active:
        return RunState.PENDING if is_queued(item) else RunState.PAUSED
    running = [one for one in active if word(one, "status", "phase") == "Running"]
    return RunState.RUNNING if running or any(map(_succeeded, now.values())) else RunState.PENDING


def is_queued(item: Item) -> bool:
    """Whether a queue of Kueue decides when a TrainJob begins."""
    return QUEUE in mapping(item, "metadata", "labels")


def failed_for_good(pods: Iterable[Item], *, restarts: int) -> bool:
    """Whether a node has failed more often than it may.

    Kubernetes starts it again nevertheless, up to six times.
    """
    failed: dict[int, int] = {}
    for pod in pods:
        if has_failed(pod):
            failed[index_of(pod)] = failed.get(index_of(pod), 0) + 1
    return any(count > restarts for count in failed.values())


def first_failure(pods: Iterable[Item]) -> NodeFailure | None:
    """The failure that ended a training: the first of the newest pods of its nodes; None if none has failed."""
    found = [_failure(pod) for pod in newest(pods).values() if has_failed(pod)]
    return min(found, key=lambda one: one.at) if found else None


def outputs_digest(pods: Iterable[Item]) -> str:
    """The digest of what rank 0 has put out, as its pod has left it; empty if that is unknown."""
    pod = newest(pods).get(0, {})
    try:
        return str(json.loads(word(container_of(pod), "state", "terminated", "message"))["outputs"])
    except (ValueError, KeyError, TypeError):
        return ""


def _failure(pod: Item) -> NodeFailure:
    found = diagnose(pod, CONTAINER)
    ended = mapping(container_of(pod), "state", "terminated")
    when = seconds(word(ended, "finishedAt")) or seconds(word(pod, "metadata", "creationTimestamp")) or 0.0
    try:
        reported = json.loads(found.left)
        when, why = float(reported["at"]), str(reported["why"])
    except (ValueError, KeyError, TypeError):
        why = ""
    return NodeFailure(index_of(pod), when, found, why, word(pod, "metadata", "name"))


def ranks_of(
    pods: Sequence[Item], reported: Mapping[str, tuple[Rank, ...]], *, nodes: int, procs: int
) -> tuple[Rank, ...]:
    """The processes: what their pods show, and what those have ``reported``, by the names of pods."""
    now = newest(pods)
    ranks = tuple(Rank(number) for number in range(nodes * procs))
    for node, pod in now.items():
        if node >= nodes:
            continue
        own = range(node * procs, (node + 1) * procs)
        before = sum(index_of(one) == node for one in pods) - 1
        known = {one.number: one for one in reported.get(word(pod, "metadata", "name"), ())}
        ranks = merged(ranks, {str(number): _of_pod(pod, before) for number in own if number not in known})
        for number in own:
            if number in known:
                ranks = _put(
                    ranks, _ended(replace(known[number], restarts=known[number].restarts + before), pod)
                )
    return ranks


def _of_pod(pod: Item, restarts: int) -> dict[str, Any]:
    """What a pod shows of its processes before they report."""
    found = diagnose(pod, CONTAINER)
    state = _ENDED.get(found.state, RunState.PENDING)
    facts: dict[str, Any] = {"state": str(state), "host": word(pod, "spec", "nodeName"), "restarts": restarts}
    return facts | ({"exit": found.exit_code} if found.exit_code is not None else {})


def _ended(rank: Rank, pod: Item) -> Rank:
    """A process as its pod shows it, where it could not report its end: it was killed with its pod."""
    rank = replace(rank, host=word(pod, "spec", "nodeName") or rank.host)
    if rank.state.finished or not has_failed(pod):
        return rank
    found = diagnose(pod, CONTAINER)
    return replace(rank, state=RunState.FAILED, exit_code=found.exit_code)


def _put(ranks: tuple[Rank, ...], rank: Rank) -> tuple[Rank, ...]:
    return tuple(rank if one.number == rank.number else one for one in ranks)


def waiting_for(item: Item, pods: Sequence[Item], events: Mapping[str, Sequence[Item]]) -> str:
    """What a training that does not run waits for; empty if that is unknown. ``events`` are by the object's name."""
    if at(item, "spec", "suspend"):
        queue = at(item, "metadata", "labels", QUEUE)
        return f"waits in queue {queue} of Kueue until there is room" if queue else "suspended"
    for pod in newest(pods).values():
        found = explained(diagnose(pod, CONTAINER), events.get(word(pod, "metadata", "name"), ()))
        if found.message:
            return f"node {index_of(pod)}: {found.message}"
    for event in sorted(
        (one for some in events.values() for one in some), key=lambda one: str(one.get("lastTimestamp"))
    ):
        if event.get("reason") in ("FailedCreate", "TrainJobResourcesCreationFailed", "JobCreationFailed"):
            found = explained(Diagnosis(PodState.STARTING), [event])
            return found.message or word(event, "message")
    return ""


def is_out_of_memory(failure: NodeFailure) -> bool:
    """Whether the kernel of a node has killed a pod for its memory."""
    return failure.diagnosis.reason is PodReason.OUT_OF_MEMORY


def has_failed(pod: Item) -> bool:
    """Whether a pod has failed by itself: one that is deleted (suspended, drained) ends with an exit code too."""
    return word(pod, "status", "phase") == "Failed" and not at(pod, "metadata", "deletionTimestamp")


def _holds(item: Item, kind: str) -> bool:
    return condition(item, kind).get("status") == "True"


def _succeeded(pod: Item) -> bool:
    return word(pod, "status", "phase") == "Succeeded"
