"""What the kinds of workspaces offer. They belong to the cluster as a whole: few may see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from kfnb.errors import BackendError, UsageError
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.fields import Item
from kfnb.resources.notebooks.model import Mount, Notebook
from kfnb.resources.notebooks.notebook_v1 import devices
from kfnb.resources.notebooks.spec import HOME, NotebookRequest


@dataclass(frozen=True)
class WorkspaceChoices:
    """A kind of workspace: its images and what pods may have, each by its id, and which are the usual ones."""

    name: str
    images: Mapping[str, str]
    pods: Mapping[str, Item]
    image: str = ""
    pod: str = ""
    home: str = HOME

    def shown(self, workspace: Notebook) -> Notebook:
        """A workspace of this kind, with its image and what its pod has."""
        _, image, pod = workspace.options
        resources = self.pods.get(pod) or {}
        amounts = (resources.get("limits") or {}) | (resources.get("requests") or {})
        return replace(
            workspace,
            image=self.images.get(image, workspace.image),
            cpu=str(amounts.get("cpu", "")),
            memory=str(amounts.get("memory", "")),
            gpus=devices(resources),
            mounts=tuple(
                Mount(one.claim, self.home) if one.claim == workspace.home and one.path == HOME else one
                for one in workspace.mounts
            ),
        )

    def completed(self, requested: NotebookRequest) -> NotebookRequest:
        """What is asked for, with the defaults for the rest. Raises ``UsageError`` for what is not offered."""
        image, pod = requested.image_config or self.image, requested.pod_config or self.pod
        _offered("--image-config", image, self.images, self.name)
        _offered("--pod-config", pod, self.pods, self.name)
        return replace(requested, workspace_kind=self.name, image_config=image, pod_config=pod)


def offers(kubernetes: Kubernetes) -> Mapping[str, WorkspaceChoices]:
    """The kinds there are, by name. Raises ``Hidden`` where they may not be seen."""
    found = kubernetes.list("/apis/kubeflow.org/v1beta1/workspacekinds")
    return {item["metadata"]["name"]: _offer(item) for item in found}


def completed(requested: NotebookRequest, kubernetes: Kubernetes) -> NotebookRequest:
    """A new workspace, as its kind completes it; as it is where the kinds are hidden."""
    try:
        offered = offers(kubernetes)
    except BackendError:
        return requested
    kind = requested.workspace_kind or (next(iter(offered)) if len(offered) == 1 else "")
    _offered("--workspace-kind", kind, offered, "this cluster")
    return offered[kind].completed(requested)


def _offer(item: Item) -> WorkspaceChoices:
    pod = (item.get("spec") or {}).get("podTemplate") or {}
    options = pod.get("options") or {}
    images, pods = options.get("imageConfig") or {}, options.get("podConfig") or {}
    return WorkspaceChoices(
        item["metadata"]["name"],
        {one["id"]: (one.get("spec") or {}).get("image", "") for one in images.get("values") or ()},
        {one["id"]: (one.get("spec") or {}).get("resources") or {} for one in pods.get("values") or ()},
        (images.get("spawner") or {}).get("default", ""),
        (pods.get("spawner") or {}).get("default", ""),
        (pod.get("volumeMounts") or {}).get("home") or HOME,
    )


def _offered(option: str, name: str, there: Mapping[str, Any], where: str) -> None:
    if name in there:
        return
    if not name:
        raise UsageError(f"say which, {option} NAME: {where} has {', '.join(there)}")
    close = get_close_matches(name, there, 1)
    hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(there) or 'none'}"
    raise UsageError(f"{option} {name}: {where} does not have it; {hint}")
