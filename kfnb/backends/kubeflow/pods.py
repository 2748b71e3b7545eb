"""The pods of a run, as Kubernetes has them; where it may not be asked, there are none."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kfnb.backends.kubeflow import workflow
from kfnb.backends.kubeflow.nodes import task_of
from kfnb.backends.kubeflow.workflow import Workflow
from kfnb.errors import BackendError, BackendUnavailable
from kfnb.remote.kubernetes.client import Kubernetes

MAIN = "main"
_ARGO = "wait"
"""Argo's own container, which saves what the main one put out."""
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT")
_RUN_LABEL = "pipeline/runid"
_NODE_ID, _NODE_NAME = "workflows.argoproj.io/node-id", "workflows.argoproj.io/node-name"
_ROLE = "pipelines.kubeflow.org/runtime-role"
_SILENT_FOR = 60.0
"""Seconds for which Kubernetes is left alone after it did not answer, or is not asked again for what it refused."""


@dataclass(frozen=True)
class Waiting:
    """A container that does not run yet, and Kubernetes' word for why."""

    image: str
    reason: str
    message: str = ""


@dataclass(frozen=True)
class Ended:
    """A container that failed: its exit code, Kubernetes' word for why, and the message that it left."""

    container: str
    exit_code: int
    reason: str = ""
    message: str = ""


@dataclass(frozen=True)
class Pod:
    """A pod of a run.

    ``task`` is the id of its task or group, ``node`` Argo's id of the node, which KFP calls ``pod_name``; ``role`` is
    ``launcher`` for a task's own program, ``driver`` for what prepares it. ``unschedulable`` is the scheduler's
    sentence. ``exit_code``, ``reason`` and ``message`` say how the main container ended, or the pod as a whole;
    ``memory`` is that container's limit. ``beside`` is another container, where its failure is why the pod failed.
    """

    name: str
    task: str = ""
    node: str = ""
    role: str = ""
    phase: str = ""
    created: str = ""
    unschedulable: str = ""
    waiting: tuple[Waiting, ...] = ()
    exit_code: int | None = None
    reason: str = ""
    message: str = ""
    memory: str = ""
    beside: Ended | None = None

    @property
    def failed(self) -> str:
        """The container whose log tells why the pod failed."""
        return MAIN if self.beside is None else self.beside.container

    @property
    def finished(self) -> bool:
        """Whether it will run no more."""
        return self.phase in ("Succeeded", "Failed")


class Pods:
    """The pods in ``namespace``."""

    def __init__(self, kubernetes: Kubernetes, namespace: str) -> None:
        self._kubernetes, self._namespace = kubernetes, namespace
        self._quiet_until: dict[str, float] = {}

    def of_run(self, run_id: str, *, succeeded: bool = True) -> tuple[Pod, ...]:
        """The pods of a run, the oldest first; none where Kubernetes refuses or does not answer.

        Those that have ``succeeded`` are most of a large run's, and many megabytes.
        """
        query = {"labelSelector": f"{_RUN_LABEL}={run_id}"}
        query |= {} if succeeded else {"fieldSelector": "status.phase!=Succeeded"}
        answer = self._get(f"/api/v1/namespaces/{self._namespace}/pods", query)
        pods = [parse(item) for item in answer.get("items", ())]
        return tuple(sorted(pods, key=lambda pod: (pod.created, pod.name)))

    def events(self, pod: str) -> tuple[str, ...]:
        """What Kubernetes says of a pod, the oldest first."""
        selector = f"involvedObject.kind=Pod,involvedObject.name={pod}"
        answer = self._get(f"/api/v1/namespaces/{self._namespace}/events", {"fieldSelector": selector})
        events = sorted(answer.get("items", ()), key=_time_of)
        return tuple(str(item.get("message", "")) for item in events)

    def workflow(self, run_id: str) -> Workflow:
        """The run's Argo Workflow; an empty one where Kubernetes refuses or does not answer, or where it is gone."""
        answer = self._get(
            f"/apis/argoproj.io/v1alpha1/namespaces/{self._namespace}/workflows",
            {"labelSelector": f"{_RUN_LABEL}={run_id}"},
        )
        return next((workflow.parse(item) for item in answer.get("items", ())), Workflow())

    def log(
        self, pod: str, *, container: str = MAIN, follow: bool = False, since: str = "", last: int = 0
    ) -> Iterator[tuple[str, str]]:
        """The lines of a pod's container, each after its time (RFC 3339), those of ``since``'s second and later.

        With ``last``, so many of the last ones. Raises ``BackendError`` where there is no log, or not yet.
        """
        query = {"container": container, "timestamps": "true"}
        query |= {"follow": "true"} if follow else {}
        query |= {"sinceTime": f"{since[:19]}Z"} if since else {}
        query |= {"tailLines": str(last)} if last else {}
        path = f"/api/v1/namespaces/{self._namespace}/pods/{pod}/log"
        for line in self._kubernetes.lines(path, query, follow=follow):
            stamp, _, text = line.partition(" ")
            if not _STAMP.match(
                stamp
            ):  # the kubelet's own words, with 200: "unable to retrieve container logs for ..."
                raise BackendError(f"the log of pod {pod} is gone: {line}")
            yield stamp, text

    def _get(self, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        now = time.monotonic()
        if now < max(self._quiet_until.get(path, 0.0), self._quiet_until.get("", 0.0)):
            return {}
        try:
            return self._kubernetes.get(path, query)
        except BackendUnavailable:
            self._quiet_until[""] = time.monotonic() + _SILENT_FOR
        except BackendError:  # of one kind of thing: others may be seen
            self._quiet_until[path] = time.monotonic() + _SILENT_FOR
        return {}


def parse(item: Mapping[str, Any]) -> Pod:
    """A pod out of its Kubernetes object."""
    metadata, spec, status = item["metadata"], item.get("spec", {}), item.get("status", {})
    notes = metadata.get("annotations") or {}
    first, others = status.get("initContainerStatuses") or (), status.get("containerStatuses") or ()
    statuses = [*first, *others]
    main: Mapping[str, Any] = next((one for one in statuses if one["name"] == MAIN), {})
    ended = main.get("state", {}).get("terminated") or {}
    program: Mapping[str, Any] = next((one for one in spec.get("containers", ()) if one["name"] == MAIN), {})
    return Pod(
        name=metadata["name"],
        task=task_of(notes.get(_NODE_NAME, "")),
        node=notes.get(_NODE_ID, ""),
        role=notes.get(_ROLE, ""),
        phase=status.get("phase", ""),
        created=metadata.get("creationTimestamp") or "",
        unschedulable=_unschedulable(status),
        waiting=tuple(_waiting(one) for one in statuses if one.get("state", {}).get("waiting")),
        exit_code=ended.get("exitCode"),
        reason=status.get("reason") or ended.get("reason") or "",
        message=status.get("message") or ended.get("message") or "",
        memory=((program.get("resources") or {}).get("limits") or {}).get("memory", ""),
        beside=_beside(first, others) if status.get("phase") == "Failed" else None,
    )


def _time_of(event: Mapping[str, Any]) -> str:
    return event.get("lastTimestamp") or event.get("eventTime") or ""


def _beside(first: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]) -> Ended | None:
    """The container beside the main one whose failure ended a pod.

    One of the ``first`` ones keeps the main one from starting; Argo's own fails as well where the main one did.
    """
    main = next((one for one in others if one["name"] == MAIN), {})
    order = [*first, *sorted(others, key=lambda one: bool(one["name"] != _ARGO))]
    failed = next((one for one in order if one["name"] != MAIN and _exit_code(one)), None)
    if failed is None or _exit_code(main):
        return None
    ended = failed["state"]["terminated"]
    return Ended(
        failed["name"], ended["exitCode"], ended.get("reason") or "", (ended.get("message") or "").strip()
    )


def _exit_code(container: Mapping[str, Any]) -> int:
    return int((container.get("state", {}).get("terminated") or {}).get("exitCode") or 0)


def _unschedulable(status: Mapping[str, Any]) -> str:
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return condition.get("message") or condition.get("reason") or ""
    return ""


def _waiting(container: Mapping[str, Any]) -> Waiting:
    told = container["state"]["waiting"]
    return Waiting(container.get("image", ""), told.get("reason", ""), told.get("message") or "")
