"""The pods of a run in Kubernetes; empty without access to it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kfnb.entities import Amounts, Purpose
from kfnb.entities.manifest import Layer
from kfnb.errors import BackendError, BackendUnavailable
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.fields import at, word
from kfnb.remote.kubernetes.pod_layers import PodLayers
from kfnb.remote.kubernetes.pod_usage import claims_of
from kfnb.remote.kubernetes.pods import Diagnosis, PodState, diagnose
from kfnb.resources.runs.kubeflow import workflow
from kfnb.resources.runs.kubeflow.argo_nodes import task_of
from kfnb.resources.runs.kubeflow.occupied import by_pods
from kfnb.resources.runs.kubeflow.workflow import Workflow
from kfnb.text.quantity import amount

MAIN = "main"
"""The container of a step's own program."""
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT")
_RUN_LABEL = "pipeline/runid"
_NODE_ID, _NODE_NAME = "workflows.argoproj.io/node-id", "workflows.argoproj.io/node-name"
_ROLE = "pipelines.kubeflow.org/runtime-role"
_SILENT_FOR = 60.0
"""Seconds without requests to Kubernetes after it did not answer, or after a refusal of the same request."""


_STARTING = Diagnosis(PodState.STARTING)


@dataclass(frozen=True)
class TaskPod:
    """A pod of a run.

    ``task`` is the id of its task or group, ``node`` Argo's id of the node, which KFP calls ``pod_name``; ``role`` is
    ``launcher`` for a task's own program, ``driver`` for what prepares it. ``diagnosis`` is its state and the reason.
    """

    name: str
    task: str = ""
    node: str = ""
    role: str = ""
    phase: str = ""
    created: str = ""
    diagnosis: Diagnosis = _STARTING

    @property
    def failed(self) -> str:
        """The container whose log has the reason of the pod's failure."""
        return self.diagnosis.container or MAIN

    @property
    def finished(self) -> bool:
        """Whether it has ended."""
        return self.phase in ("Succeeded", "Failed")


class Pods:
    """The pods in ``namespace``."""

    def __init__(self, kubernetes: Kubernetes, namespace: str) -> None:
        self._kubernetes, self._namespace = kubernetes, namespace
        self._quiet_until: dict[str, float] = {}

    def of_run(self, run_id: str, *, succeeded: bool = True) -> tuple[TaskPod, ...]:
        """The pods of a run, the oldest first; empty if Kubernetes refuses or does not answer.

        Without ``succeeded``, most pods of a large run, which are many megabytes, are left out.
        """
        pods = map(parse, self._objects(run_id, succeeded=succeeded))
        return tuple(sorted(pods, key=lambda pod: (pod.created, pod.name)))

    def layers(self, run_id: str) -> dict[str, tuple[Layer, ...]]:
        """What the tasks of a run ran on, by their ids, as far as Kubernetes still has their pods."""
        reader = PodLayers(self._kubernetes, self._namespace)
        found = {}
        for item in sorted(
            self._objects(run_id), key=lambda one: str(one["metadata"].get("creationTimestamp"))
        ):
            pod = parse(item)
            if pod.role == "launcher" and pod.task:
                found[pod.task] = reader.of(item, MAIN)
        return found

    def _objects(self, run_id: str, *, succeeded: bool = True) -> Sequence[Mapping[str, Any]]:
        query = {"labelSelector": f"{_RUN_LABEL}={run_id}"}
        query |= {} if succeeded else {"fieldSelector": "status.phase!=Succeeded"}
        answer = self._get(f"/api/v1/namespaces/{self._namespace}/pods", query)
        found: Sequence[Mapping[str, Any]] = answer.get("items") or ()
        return found

    def occupied(self, run_id: str) -> Mapping[Purpose, Amounts]:
        """What the pods of a run and their volumes occupied; empty if Kubernetes has no pods of it, or refuses."""
        items = self._objects(run_id)
        mount = any(True for item in items for _ in claims_of(item))
        volumes = (
            self._get(f"/api/v1/namespaces/{self._namespace}/persistentvolumeclaims", {}) if mount else {}
        )
        claims = {
            word(item, "metadata", "name"): amount(at(item, "spec", "resources", "requests", "storage"))
            for item in volumes.get("items") or ()
        }
        return by_pods(items, claims, time.time()) if items else {}

    def events(self, pod: str) -> Sequence[Mapping[str, Any]]:
        """The events of a pod."""
        selector = f"involvedObject.kind=Pod,involvedObject.name={pod}"
        answer = self._get(f"/api/v1/namespaces/{self._namespace}/events", {"fieldSelector": selector})
        found: Sequence[Mapping[str, Any]] = answer.get("items") or ()
        return found

    def workflow(self, run_id: str) -> Workflow:
        """The run's Argo Workflow; empty if Kubernetes refuses or does not answer, or if it was deleted."""
        answer = self._get(
            f"/apis/argoproj.io/v1alpha1/namespaces/{self._namespace}/workflows",
            {"labelSelector": f"{_RUN_LABEL}={run_id}"},
        )
        return next((workflow.parse(item) for item in answer.get("items", ())), Workflow())

    def log(
        self, pod: str, *, container: str = MAIN, follow: bool = False, since: str = "", last: int = 0
    ) -> Iterator[tuple[str, str]]:
        """The lines of a pod's container, each after its time (RFC 3339), those of ``since``'s second and later.

        With ``last``, only that many last lines. Raises ``BackendError`` if there is no log (yet).
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
            ):  # the kubelet's own message, with status 200: "unable to retrieve container logs for ..."
                raise BackendError(f"the log of pod {pod} was deleted: {line}")
            yield stamp, text

    def _get(self, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        now = time.monotonic()
        if now < max(self._quiet_until.get(path, 0.0), self._quiet_until.get("", 0.0)):
            return {}
        try:
            return self._kubernetes.get(path, query)
        except BackendUnavailable:
            self._quiet_until[""] = time.monotonic() + _SILENT_FOR
        except BackendError:  # one kind of resource; others may be visible
            self._quiet_until[path] = time.monotonic() + _SILENT_FOR
        return {}


def parse(item: Mapping[str, Any]) -> TaskPod:
    """A pod from its Kubernetes object."""
    metadata, status = item["metadata"], item.get("status", {})
    notes = metadata.get("annotations") or {}
    return TaskPod(
        name=metadata["name"],
        task=task_of(notes.get(_NODE_NAME, "")),
        node=notes.get(_NODE_ID, ""),
        role=notes.get(_ROLE, ""),
        phase=status.get("phase", ""),
        created=metadata.get("creationTimestamp") or "",
        diagnosis=diagnose(item, MAIN),
    )
