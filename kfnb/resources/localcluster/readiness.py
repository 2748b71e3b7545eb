"""What was applied is waited for until it is ready; what is not says why, in the words of its pods."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kfnb.errors import BackendError
from kfnb.resources.localcluster.command import Command, Runner
from kfnb.resources.localcluster.plan import Await

Item = Mapping[str, Any]

_EVERY = 3.0
_TOLD = 5
"""How many of those that wait stand in an error."""
_LONGEST = 240
_KINDS = ("Deployment", "StatefulSet", "DaemonSet")
_DOCUMENTS = re.compile(rb"^---\s*$", re.MULTILINE)
_OF_KIND = re.compile(rb"^kind:\s*(" + "|".join(_KINDS).encode() + rb")\s*$", re.MULTILINE)
_BEGINS = ("ContainerCreating", "PodInitializing", "")


@dataclass(frozen=True, order=True)
class Workload:
    """Something that runs pods."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True)
class Waiting:
    """A workload that is not ready, why, and the command that tells more."""

    workload: Workload
    why: str
    more: str


@dataclass(frozen=True)
class Look:
    """What one look at a cluster found."""

    ready: int
    wanted: int
    waiting: tuple[Waiting, ...]

    def __str__(self) -> str:
        """How far it is, and what the first waits for."""
        told = f"{self.ready} of {self.wanted} ready"
        return f"{told}; {self.waiting[0].workload.name}: {self.waiting[0].why}" if self.waiting else told


def workloads(built: bytes) -> frozenset[Workload]:
    """What runs pods among what kustomize built."""
    import yaml

    found = (yaml.safe_load(text) for text in _DOCUMENTS.split(built) if _OF_KIND.search(text))
    return frozenset(
        Workload(one["kind"], one["metadata"].get("namespace", "default"), one["metadata"]["name"])
        for one in found
        if one["kind"] in _KINDS
    )


def wait(
    step: Await, wanted: frozenset[Workload], runner: Runner, until: float, tell: Callable[[str], None]
) -> None:
    """Look until all is ready. Raises ``BackendError`` where that is not so at ``until``, with the reasons."""
    cluster, found = _Cluster(step.context, runner), None
    while True:
        found = cluster.look(wanted) or found
        if found is not None and not found.waiting:
            return
        tell(str(found) if found is not None else "the cluster does not answer at the moment")
        if time.monotonic() + _EVERY > until:
            raise _late(step, found)
        time.sleep(_EVERY)


class _Cluster:
    """A cluster, looked at through kubectl."""

    def __init__(self, context: str, runner: Runner) -> None:
        self._kubectl, self._runner = ("kubectl", "--context", context), runner

    def look(self, wanted: frozenset[Workload]) -> Look | None:
        """Which of these are ready; None where there is no answer."""
        there = self._get("deployments.apps,statefulsets.apps,daemonsets.apps", "--all-namespaces")
        if there is None:
            return None
        items = {_workload(item): item for item in there}
        late = sorted(one for one in wanted if one not in items or not ready(items[one]))
        waiting = tuple(self._waiting(late, items)) if late else ()
        return Look(len(wanted) - len(late), len(wanted), waiting)

    def _waiting(self, late: Sequence[Workload], items: Mapping[Workload, Item]) -> Iterator[Waiting]:
        pods = self._get("pods", "--all-namespaces") or ()
        for one in late:
            item = items.get(one)
            mine = [pod for pod in pods if item is not None and _belongs(pod, item)]
            yield self._why(one, item, mine)

    def _why(self, one: Workload, item: Item | None, pods: Sequence[Item]) -> Waiting:
        stuck = [pod for pod in pods if not _ready_pod(pod)]
        describe = f"{' '.join(self._kubectl)} -n {one.namespace} describe"
        if not stuck:
            return Waiting(one, _without_pods(item), f"{describe} {one.kind.lower()} {one.name}")
        pod = stuck[0]
        name = pod["metadata"]["name"]
        told = why(pod) or self._event(one.namespace, name) or "its containers are being made"
        return Waiting(one, brief(told), f"{describe} pod {name}")

    def _event(self, namespace: str, pod: str) -> str:
        """The newest thing that happened to a pod: its image is pulled, or a volume is not there."""
        events = self._get("events", "-n", namespace, f"--field-selector=involvedObject.name={pod}") or ()
        newest = max(events, key=_when, default={})
        return str(newest.get("message", ""))

    def _get(self, *words: str) -> Sequence[Item] | None:
        done = self._runner.ask(
            Command((*self._kubectl, "get", *words, "--output=json", "--request-timeout=30s"))
        )
        if done.code:
            return None
        try:
            found: Sequence[Item] = json.loads(done.out)["items"]
        except (ValueError, KeyError, TypeError):
            return None
        return found


def ready(item: Item) -> bool:
    """Whether a workload runs as it was applied."""
    status = item.get("status") or {}
    if status.get("observedGeneration", 0) < item["metadata"].get("generation", 1):
        return False
    if item["kind"] == "DaemonSet":
        return bool(status.get("numberReady", 0) >= status.get("desiredNumberScheduled", 0))
    replicas = (item.get("spec") or {}).get("replicas", 1)
    fields = ("updatedReplicas", "availableReplicas") if item["kind"] == "Deployment" else ("readyReplicas",)
    return all(status.get(name, 0) >= replicas for name in fields)


def why(pod: Item) -> str:
    """Why a pod is not ready, in its own words; empty where only its events tell."""
    status = pod.get("status") or {}
    scheduled = _condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        return f"cannot be scheduled: {scheduled.get('message') or scheduled.get('reason', '')}"
    if status.get("reason"):
        return f"{status['reason']}: {status.get('message', '')}"
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    for one in containers:
        told = (one.get("state") or {}).get("waiting") or {}
        if told.get("reason", "") not in _BEGINS:
            return _waits(one, told)
    if containers and all("running" in (one.get("state") or {}) for one in containers):
        return "runs, and is not ready yet"
    return ""


def brief(text: str) -> str:
    """A sentence on one line."""
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _waits(container: Item, told: Item) -> str:
    """Why a container waits; of one that crashes, how it ended."""
    ended = (container.get("lastState") or {}).get("terminated") or {}
    how = f"{container['name']} ended with exit code {ended['exitCode']}" if "exitCode" in ended else ""
    message = ended.get("message") or how if told["reason"] == "CrashLoopBackOff" else told.get("message", "")
    return f"{told['reason']}: {message}" if message else str(told["reason"])


def _without_pods(item: Item | None) -> str:
    if item is None:
        return "is not there"
    failure = _condition(item, "ReplicaFailure")
    return brief(failure.get("message", "")) or "its pods are not there yet"


def _condition(item: Item, kind: str) -> Item:
    conditions: Sequence[Item] = (item.get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one.get("type") == kind), {})


def _ready_pod(pod: Item) -> bool:
    return _condition(pod, "Ready").get("status") == "True"


def _belongs(pod: Item, workload: Item) -> bool:
    about, labels = pod["metadata"], pod["metadata"].get("labels") or {}
    sought = ((workload.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    within = about.get("namespace") == workload["metadata"].get("namespace")
    return within and bool(sought) and sought.items() <= labels.items()


def _workload(item: Item) -> Workload:
    about = item["metadata"]
    return Workload(item["kind"], about.get("namespace", "default"), about["name"])


def _when(event: Item) -> str:
    about = event["metadata"].get("creationTimestamp", "")
    return str(event.get("lastTimestamp") or event.get("eventTime") or about)


def _late(step: Await, found: Look | None) -> BackendError:
    if found is None:
        return BackendError(f"the cluster of the context {step.context} does not answer")
    shown = "".join(f"\n  {one.workload.name}: {one.why}\n    {one.more}" for one in found.waiting[:_TOLD])
    more = len(found.waiting) - _TOLD
    rest = f"\n  and {more} more" if more > 0 else ""
    return BackendError(
        f"{found.ready} of {found.wanted} are ready after {step.minutes} minutes:{shown}{rest}"
    )
