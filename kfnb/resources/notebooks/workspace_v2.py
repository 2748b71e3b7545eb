"""Version 2: the resource Workspace, of a WorkspaceKind that an administrator has made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kfnb.errors import UsageError
from kfnb.remote.kubernetes.fields import Item
from kfnb.resources.notebooks.model import Mount, Notebook, NotebookState
from kfnb.resources.notebooks.server_kind import ServerKind
from kfnb.resources.notebooks.spec import HOME, NotebookRequest
from kfnb.text.timestamps import seconds

_STATES = {
    "Running": NotebookState.RUNNING,
    "Pending": NotebookState.STARTING,
    "Paused": NotebookState.STOPPED,
    "Error": NotebookState.FAILING,
    "Terminating": NotebookState.STOPPING,
}
_PLAIN = (
    NotebookRequest.image,
    NotebookRequest.cpu,
    NotebookRequest.memory,
    NotebookRequest.gpu,
    NotebookRequest.accelerator,
    NotebookRequest.service_account,
)


class WorkspaceKind(ServerKind):
    """Version 2."""

    version, name, api = "v2", "Workspace", "kubeflow.org/v1beta1"

    def read(self, item: Item) -> Notebook:
        """An object as a notebook. What its pod has is known where its kind may be seen."""
        about, spec, status = item["metadata"], item.get("spec") or {}, item.get("status") or {}
        pod = spec.get("podTemplate") or {}
        options, volumes = pod.get("options") or {}, pod.get("volumes") or {}
        state, since = _state(item, spec, status)
        home = volumes.get("home") or ""
        data = (Mount(one.get("pvcName", ""), one.get("mountPath", "")) for one in volumes.get("data") or ())
        message = status.get("stateMessage", "")
        return Notebook(
            about["name"],
            state,
            self.name,
            about.get("namespace", ""),
            why=message if state in (NotebookState.STARTING, NotebookState.FAILING) else "",
            since=since,
            image=options.get("imageConfig", ""),
            mounts=((Mount(home, HOME),) if home else ()) + tuple(data),
            home=home,
            last_activity=_of_milliseconds((status.get("activity") or {}).get("lastActivity")),
            created=seconds(about.get("creationTimestamp", "")),
            options=(
                spec.get("kind", ""),
                options.get("imageConfig", ""),
                options.get("podConfig", ""),
            ),
        )

    def stopping(self, now: str) -> Mapping[str, Any]:
        """It is paused."""
        del now
        return {"spec": {"paused": True}}

    def starting(self) -> Mapping[str, Any]:
        """It is no longer paused."""
        return {"spec": {"paused": False}}

    def body(self, requested: NotebookRequest, namespace: str, creator: str) -> Mapping[str, Any]:
        """A new one."""
        del creator  # Kubeflow writes it
        given = (
            requested.image,
            requested.cpu,
            requested.memory,
            requested.gpu,
            requested.accelerator,
            requested.service_account,
        )
        if given != _PLAIN:
            raise UsageError(
                "a workspace's image, cpu, memory and GPUs are among what its kind offers: "
                "--image-config and --pod-config choose them"
            )
        for option in ("workspace_kind", "image_config", "pod_config"):
            if not getattr(requested, option):
                raise UsageError(f"{requested.name}: say which, --{option.replace('_', '-')} NAME")
        volumes: dict[str, Any] = {
            "data": [
                {"pvcName": mount.claim, "mountPath": mount.path, "readOnly": False}
                for mount in requested.all_mounts
                if mount.path != HOME
            ]
        }
        home = next((mount.claim for mount in requested.all_mounts if mount.path == HOME), "")
        return {
            "apiVersion": self.api,
            "kind": self.name,
            "metadata": {"name": requested.name, "namespace": namespace},
            "spec": {
                "paused": False,
                "kind": requested.workspace_kind,
                "podTemplate": {
                    "podMetadata": {"labels": dict(requested.labels), "annotations": {}},
                    "volumes": volumes | ({"home": home} if home else {}),
                    "options": {"imageConfig": requested.image_config, "podConfig": requested.pod_config},
                },
            },
        }

    def concerned(self, item: Item) -> Sequence[str]:
        """Its pod; the name of its StatefulSet cannot be guessed."""
        pod = ((item.get("status") or {}).get("podTemplatePod") or {}).get("name", "")
        return (pod, pod.rpartition("-")[0]) if pod else ()


WORKSPACE = WorkspaceKind()


def _state(item: Item, spec: Item, status: Item) -> tuple[NotebookState, float | None]:
    about = item["metadata"]
    if about.get("deletionTimestamp"):
        return NotebookState.DELETING, seconds(about["deletionTimestamp"])
    paused = bool(spec.get("paused"))
    state = _STATES.get(status.get("state", ""), NotebookState.STOPPED if paused else NotebookState.STARTING)
    if paused and state is not NotebookState.STOPPED:
        state = NotebookState.STOPPING
    elif state in (NotebookState.STOPPED, NotebookState.STOPPING) and not paused:  # started a moment ago
        state = NotebookState.STARTING
    if state is NotebookState.STOPPED:
        return state, _of_milliseconds(status.get("pauseTime"))
    if state is NotebookState.RUNNING:
        return state, _of_milliseconds(status.get("lastRunningTime"))
    return state, None


def _of_milliseconds(count: object) -> float | None:
    """A workspace's time in seconds; None for 0, which means never."""
    return count / 1000 if isinstance(count, int) and count > 0 else None
