"""Version 1: the resource Notebook, written and read as Kubeflow's Jupyter web app does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kfnb.errors import UsageError
from kfnb.remote.kubernetes.fields import Item
from kfnb.remote.kubernetes.notebooks import STOPPED, server, stopped
from kfnb.remote.kubernetes.pods import PodState
from kfnb.resources.notebooks.diagnosis import reason_of
from kfnb.resources.notebooks.model import Mount, Notebook, NotebookState
from kfnb.resources.notebooks.server_kind import ServerKind
from kfnb.resources.notebooks.spec import HOME, NotebookRequest
from kfnb.text.timestamps import seconds

_ANNOTATIONS = "notebooks.kubeflow.org"


class NotebookKind(ServerKind):
    """Version 1."""

    version, name, api = "v1", "Notebook", "kubeflow.org/v1"

    def read(self, item: Item) -> Notebook:
        """An object as a notebook."""
        about, pod = item["metadata"], _pod(item)
        notes: Mapping[str, str] = about.get("annotations") or {}
        container: Item = next(iter(pod.get("containers") or ()), {})
        state, why, since = _state(item, notes)
        mounts = _mounts(pod, container)
        resources = container.get("resources") or {}
        return Notebook(
            about["name"],
            state,
            self.name,
            about.get("namespace", ""),
            why=why,
            since=seconds(since),
            image=container.get("image", ""),
            cpu=_requested(resources, "cpu"),
            memory=_requested(resources, "memory"),
            gpus=devices(resources),
            mounts=mounts,
            home=next((mount.claim for mount in mounts if mount.path == HOME), ""),
            last_activity=seconds(notes.get(f"{_ANNOTATIONS}/last-activity", "")),
            created=seconds(about.get("creationTimestamp", "")),
            creator=notes.get(f"{_ANNOTATIONS}/creator", ""),
        )

    def stopping(self, now: str) -> Mapping[str, Any]:
        """The annotation, as the web app and the culler write it."""
        return {"metadata": {"annotations": {STOPPED: now}}}

    def starting(self) -> Mapping[str, Any]:
        """The annotation is taken away."""
        return {"metadata": {"annotations": {STOPPED: None}}}

    def body(self, requested: NotebookRequest, namespace: str, creator: str) -> Mapping[str, Any]:
        """A new one, with all the fields that the web app reads."""
        if not requested.image:
            raise UsageError(f"{requested.name}: --image NAME:TAG is required")
        if requested.workspace_kind or requested.image_config or requested.pod_config:
            raise UsageError(
                "--workspace-kind, --image-config and --pod-config are for workspaces: --kind v2"
            )
        sizes = {"cpu": requested.cpu, "memory": requested.memory}
        volumes = [
            {"name": mount.claim, "persistentVolumeClaim": {"claimName": mount.claim}}
            for mount in {mount.claim: mount for mount in requested.all_mounts}.values()
        ]
        container = {
            "name": requested.name,
            "image": requested.image,
            "imagePullPolicy": "IfNotPresent",
            "env": [],
            "resources": {
                "requests": sizes,
                "limits": sizes | ({requested.accelerator: str(requested.gpu)} if requested.gpu else {}),
            },
            "volumeMounts": [
                *({"name": mount.claim, "mountPath": mount.path} for mount in requested.all_mounts),
                {"name": "dshm", "mountPath": "/dev/shm"},  # noqa: S108 - a container's own
            ],
        }
        notes = {f"{_ANNOTATIONS}/server-type": "jupyter"}
        return {
            "apiVersion": self.api,
            "kind": self.name,
            "metadata": {
                "name": requested.name,
                "namespace": namespace,
                "labels": {"app": requested.name, **dict(requested.labels)},
                "annotations": notes | ({f"{_ANNOTATIONS}/creator": creator} if creator else {}),
            },
            "spec": {
                "template": {
                    "spec": {
                        "serviceAccountName": requested.service_account,
                        "containers": [container],
                        "volumes": [*volumes, {"name": "dshm", "emptyDir": {"medium": "Memory"}}],
                        "tolerations": [],
                    }
                }
            },
        }

    def concerned(self, item: Item) -> Sequence[str]:
        """It, its StatefulSet of the same name, and the pod of that."""
        name = item["metadata"]["name"]
        return name, f"{name}-0"


NOTEBOOK = NotebookKind()


def devices(resources: Item) -> tuple[tuple[int, str], ...]:
    """How many of which devices: resources whose name has a domain, but for Kubernetes' own."""
    limits = resources.get("limits") or {}
    return tuple(
        (int(count), name)
        for name, count in limits.items()
        if "/" in name and "kubernetes.io/" not in name and str(count).isdigit() and int(count)
    )


def _pod(item: Item) -> Item:
    pod: Item = ((item.get("spec") or {}).get("template") or {}).get("spec") or {}
    return pod


def _requested(resources: Item, name: str) -> str:
    amount = (resources.get("requests") or {}).get(name) or (resources.get("limits") or {}).get(name)
    return str(amount or "")


def _mounts(pod: Item, container: Item) -> tuple[Mount, ...]:
    claims = {
        one["name"]: one["persistentVolumeClaim"].get("claimName", "")
        for one in pod.get("volumes") or ()
        if one.get("persistentVolumeClaim")
    }
    mounted = container.get("volumeMounts") or ()
    return tuple(
        Mount(claims[one["name"]], one.get("mountPath", "").rstrip("/"))
        for one in mounted
        if one["name"] in claims
    )


def _state(item: Item, notes: Mapping[str, str]) -> tuple[NotebookState, str, str]:
    """How it is, why it does not run yet, and since when it is so."""
    about, status = item["metadata"], item.get("status") or {}
    ready, container = bool(status.get("readyReplicas")), status.get("containerState") or {}
    if about.get("deletionTimestamp"):
        return NotebookState.DELETING, "", about["deletionTimestamp"]
    if stopped(item):
        return (NotebookState.STOPPING if ready else NotebookState.STOPPED), "", notes[STOPPED]
    found = server(item)
    if found.state is PodState.RUNNING:
        return NotebookState.RUNNING, "", (container.get("running") or {}).get("startedAt", "")
    return NotebookState.FAILING if found.stuck else NotebookState.STARTING, reason_of(found), ""
