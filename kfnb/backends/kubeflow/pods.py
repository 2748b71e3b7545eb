"""The pods of a run, as Kubernetes has them; where it may not be asked, there are none."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kfnb.backends.kubeflow import workflow
from kfnb.backends.kubeflow.nodes import task_of
from kfnb.backends.kubeflow.workflow import Workflow
from kfnb.cluster.kubernetes import Kubernetes
from kfnb.errors import BackendError

MAIN = "main"
_RUN_LABEL = "pipeline/runid"
_NODE_ID, _NODE_NAME = "workflows.argoproj.io/node-id", "workflows.argoproj.io/node-name"
_ROLE = "pipelines.kubeflow.org/runtime-role"
_SILENT_FOR = 60.0
"""Seconds for which Kubernetes is left alone after it refused or did not answer."""


@dataclass(frozen=True)
class Waiting:
    """A container that does not run yet, and Kubernetes' word for why."""

    image: str
    reason: str
    message: str = ""


@dataclass(frozen=True)
class Pod:
    """A pod of a run.

    ``task`` is the id of its task or group, ``node`` Argo's id of the node, which KFP calls ``pod_name``; ``role`` is
    ``launcher`` for a task's own program, ``driver`` for what prepares it. ``unschedulable`` is the scheduler's
    sentence. ``exit_code``, ``reason`` and ``message`` say how the main container ended, or the pod as a whole;
    ``memory`` is that container's limit.
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

    @property
    def finished(self) -> bool:
        """Whether it will run no more."""
        return self.phase in ("Succeeded", "Failed")


class Pods:
    """The pods in ``namespace``."""

    def __init__(self, kubernetes: Kubernetes, namespace: str) -> None:
        self._kubernetes, self._namespace = kubernetes, namespace
        self._quiet_until = 0.0

    def of_run(self, run_id: str, *, succeeded: bool = True) -> tuple[Pod, ...]:
        """The pods of a run, the oldest first; none where Kubernetes refuses or does not answer.

        Those that have ``succeeded`` are most of a large run's, and many megabytes.
        """
        query = {"labelSelector": f"{_RUN_LABEL}={run_id}"}
        query |= {} if succeeded else {"fieldSelector": "status.phase!=Succeeded"}
        answer = self._get(f"/api/v1/namespaces/{self._namespace}/pods", query)
        pods = [parse(item) for item in answer.get("items", ())]
        return tuple(sorted(pods, key=lambda pod: (pod.created, pod.name)))

    def warnings(self, pod: str) -> tuple[str, ...]:
        """What Kubernetes warns of about a pod, the oldest first."""
        selector = f"involvedObject.kind=Pod,involvedObject.name={pod},type=Warning"
        answer = self._get(f"/api/v1/namespaces/{self._namespace}/events", {"fieldSelector": selector})
        events = sorted(answer.get("items", ()), key=lambda item: item.get("lastTimestamp") or "")
        return tuple(str(item.get("message", "")) for item in events)

    def workflow(self, run_id: str) -> Workflow:
        """The run's Argo Workflow; an empty one where Kubernetes refuses or does not answer, or where it is gone."""
        answer = self._get(
            f"/apis/argoproj.io/v1alpha1/namespaces/{self._namespace}/workflows",
            {"labelSelector": f"{_RUN_LABEL}={run_id}"},
        )
        return next((workflow.parse(item) for item in answer.get("items", ())), Workflow())

    def log(
        self, pod: str, *, follow: bool = False, since: str = "", last: int = 0
    ) -> Iterator[tuple[str, str]]:
        """The lines of a pod's main container, each after its time (RFC 3339), those of ``since``'s second and later.

        With ``last``, so many of the last ones. Raises ``BackendError`` where there is no log, or not yet.
        """
        query = {"container": MAIN, "timestamps": "true"}
        query |= {"follow": "true"} if follow else {}
        query |= {"sinceTime": f"{since[:19]}Z"} if since else {}
        query |= {"tailLines": str(last)} if last else {}
        path = f"/api/v1/namespaces/{self._namespace}/pods/{pod}/log"
        for line in self._kubernetes.lines(path, query, follow=follow):
            stamp, _, text = line.partition(" ")
            yield stamp, text

    def _get(self, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        if time.monotonic() < self._quiet_until:
            return {}
        try:
            return self._kubernetes.get(path, query)
        except BackendError:
            self._quiet_until = time.monotonic() + _SILENT_FOR
            return {}


def parse(item: Mapping[str, Any]) -> Pod:
    """A pod out of its Kubernetes object."""
    metadata, spec, status = item["metadata"], item.get("spec", {}), item.get("status", {})
    notes = metadata.get("annotations") or {}
    statuses = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
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
    )


def _unschedulable(status: Mapping[str, Any]) -> str:
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return condition.get("message") or condition.get("reason") or ""
    return ""


def _waiting(container: Mapping[str, Any]) -> Waiting:
    told = container["state"]["waiting"]
    return Waiting(container.get("image", ""), told.get("reason", ""), told.get("message") or "")
