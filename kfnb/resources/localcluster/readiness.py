"""What was applied is waited for until it is ready; what is not says why, in the words of its pods."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kfnb.errors import BackendError
from kfnb.remote.kubernetes.fields import Item, condition
from kfnb.remote.kubernetes.pods import PodState, brief, diagnose, explained, refused, time_of
from kfnb.resources.localcluster.plan import Await
from kfnb.resources.localcluster.shell_command import Runner, ShellCommand

_EVERY = 3.0
_SHOWN = 5
"""How many of those that wait an error lists."""
_KINDS = ("Deployment", "StatefulSet", "DaemonSet")
_DOCUMENTS = re.compile(rb"^---\s*$", re.MULTILINE)
_OF_KIND = re.compile(rb"^kind:\s*(" + "|".join(_KINDS).encode() + rb")\s*$", re.MULTILINE)


@dataclass(frozen=True, order=True)
class Workload:
    """Something that runs pods."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True)
class UnreadyWorkload:
    """A workload that is not ready, why, and the command that shows more."""

    workload: Workload
    why: str
    more: str


@dataclass(frozen=True)
class Readiness:
    """What one poll of a cluster found."""

    ready: int
    total: int
    waiting: tuple[UnreadyWorkload, ...]

    def __str__(self) -> str:
        """How far it is, and what the first waits for."""
        text = f"{self.ready} of {self.total} ready"
        return f"{text}; {self.waiting[0].workload.name}: {self.waiting[0].why}" if self.waiting else text


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
    step: Await, expected: frozenset[Workload], runner: Runner, until: float, report: Callable[[str], None]
) -> None:
    """Poll until all is ready. Raises ``BackendError`` with the reasons if that is not so at ``until``."""
    cluster, found = _Cluster(step.context, runner), None
    while True:
        found = cluster.check(expected) or found
        if found is not None and not found.waiting:
            return
        report(str(found) if found is not None else "the cluster does not answer at the moment")
        if time.monotonic() + _EVERY > until:
            raise _late(step, found)
        time.sleep(_EVERY)


class _Cluster:
    """A cluster, looked at through kubectl."""

    def __init__(self, context: str, runner: Runner) -> None:
        self._kubectl, self._runner = ("kubectl", "--context", context), runner

    def check(self, expected: frozenset[Workload]) -> Readiness | None:
        """Which of these are ready; None where there is no answer."""
        there = self._get("deployments.apps,statefulsets.apps,daemonsets.apps", "--all-namespaces")
        if there is None:
            return None
        items = {_workload(item): item for item in there}
        late = sorted(one for one in expected if one not in items or not ready(items[one]))
        waiting = tuple(self._waiting(late, items)) if late else ()
        return Readiness(len(expected) - len(late), len(expected), waiting)

    def _waiting(self, late: Sequence[Workload], items: Mapping[Workload, Item]) -> Iterator[UnreadyWorkload]:
        pods = self._get("pods", "--all-namespaces") or ()
        for one in late:
            item = items.get(one)
            mine = [pod for pod in pods if item is not None and _belongs(pod, item)]
            yield self._why(one, item, mine)

    def _why(self, one: Workload, item: Item | None, pods: Sequence[Item]) -> UnreadyWorkload:
        stuck = [pod for pod in pods if not _ready_pod(pod)]
        describe = f"{' '.join(self._kubectl)} -n {one.namespace} describe"
        if not stuck:
            return UnreadyWorkload(one, _without_pods(item), f"{describe} {one.kind.lower()} {one.name}")
        name = stuck[0]["metadata"]["name"]
        return UnreadyWorkload(one, self._reason(one.namespace, stuck[0]), f"{describe} pod {name}")

    def _reason(self, namespace: str, pod: Item) -> str:
        """Why a pod is not ready: the reason in its status, or else in its events."""
        found = diagnose(pod)
        if found.message or found.state is PodState.RUNNING:
            return found.message or "running, but not ready yet"
        selector = f"--field-selector=involvedObject.name={pod['metadata']['name']}"
        events = self._get("events", "-n", namespace, selector) or ()
        newest = str(max(events, key=time_of, default={}).get("message", ""))
        return explained(found, events).message or brief(newest) or "its containers are being created"

    def _get(self, *words: str) -> Sequence[Item] | None:
        done = self._runner.run(
            ShellCommand((*self._kubectl, "get", *words, "--output=json", "--request-timeout=30s"))
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


def _without_pods(item: Item | None) -> str:
    if item is None:
        return "not found"
    failure = condition(item, "ReplicaFailure").get("message", "")
    return refused(failure).message if failure else "its pods do not exist yet"


def _ready_pod(pod: Item) -> bool:
    return condition(pod, "Ready").get("status") == "True"


def _belongs(pod: Item, workload: Item) -> bool:
    about, labels = pod["metadata"], pod["metadata"].get("labels") or {}
    selector = ((workload.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    within = about.get("namespace") == workload["metadata"].get("namespace")
    return within and bool(selector) and selector.items() <= labels.items()


def _workload(item: Item) -> Workload:
    about = item["metadata"]
    return Workload(item["kind"], about.get("namespace", "default"), about["name"])


def _late(step: Await, found: Readiness | None) -> BackendError:
    if found is None:
        return BackendError(f"the cluster of the context {step.context} does not answer")
    shown = "".join(f"\n  {one.workload.name}: {one.why}\n    {one.more}" for one in found.waiting[:_SHOWN])
    more = len(found.waiting) - _SHOWN
    rest = f"\n  and {more} more" if more > 0 else ""
    return BackendError(
        f"{found.ready} of {found.total} are ready after {step.minutes} minutes:{shown}{rest}"
    )
