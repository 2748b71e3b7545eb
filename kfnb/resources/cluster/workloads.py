"""The workloads of a namespace: notebooks, pods that wait, studies, services and training jobs."""

from __future__ import annotations

from collections.abc import Sequence

from kfnb.entities import RunState
from kfnb.remote.kubernetes.experiments import experiment_state
from kfnb.remote.kubernetes.fields import Item, at, condition, rows, word
from kfnb.remote.kubernetes.notebooks import server, stopped
from kfnb.remote.kubernetes.pods import PodState, diagnose
from kfnb.resources.cluster.model import KubeflowWork, NotebookServer, WaitingPod
from kfnb.resources.cluster.probe import More, ProbeTarget, first

_LAST = "notebooks.kubeflow.org/last-activity"
_WORKSPACE = "notebooks.kubeflow.org/workspace-name"
_OWNERS = {
    "notebook-name": "notebook",
    _WORKSPACE: "workspace",
    "serving.kserve.io/inferenceservice": "inferenceservice",
    "katib.kubeflow.org/experiment": "experiment",
    "jobset.sigs.k8s.io/jobset-name": "trainjob",
    "pipeline/runid": "run",
}
_TRAINING_ENDS = ("Failed", "Complete", "Suspended")


def notebooks(place: ProbeTarget) -> tuple[tuple[NotebookServer, ...], More]:
    """The notebooks of version 1."""
    found, more = first(place.kubernetes, place.within("apis/kubeflow.org/v1", "notebooks"))
    return tuple(map(_notebook, found)), more


def _notebook(item: Item) -> NotebookServer:
    found = server(item)
    if stopped(item):
        state, message = "stopped", ""
    elif found.state is PodState.RUNNING:
        state, message = "running", ""
    else:
        state, message = "failing" if found.stuck else "waiting", found.message
    containers = rows(item, "spec", "template", "spec", "containers")
    image = word(containers[0], "image") if containers else ""
    last = word(item, "metadata", "annotations", _LAST)
    return NotebookServer(item["metadata"]["name"], state, "Notebook", image, message, last)


def workspaces(place: ProbeTarget) -> tuple[tuple[NotebookServer, ...], More]:
    """The workspaces: notebooks of version 2."""
    found, more = first(place.kubernetes, place.within("apis/kubeflow.org/v1beta1", "workspaces"))
    return tuple(map(_workspace, found)), more


def _workspace(item: Item) -> NotebookServer:
    states = {"Running": "running", "Paused": "stopped", "Error": "failing"}
    paused = "stopped" if at(item, "spec", "paused") else "waiting"
    state = states.get(word(item, "status", "state"), paused)
    image = word(item, "spec", "podTemplate", "options", "imageConfig")
    message = "" if state in ("running", "stopped") else word(item, "status", "stateMessage")
    return NotebookServer(item["metadata"]["name"], state, "Workspace", image, message)


def waiting(place: ProbeTarget) -> tuple[tuple[WaitingPod, ...], More]:
    """The pods that do not run yet, and why."""
    found, more = first(
        place.kubernetes, place.within("api/v1", "pods"), {"fieldSelector": "status.phase=Pending"}
    )
    return tuple(map(_waiting, found)), more


def _waiting(item: Item) -> WaitingPod:
    labels = at(item, "metadata", "labels") or {}
    owner = next((f"{kind}/{labels[name]}" for name, kind in _OWNERS.items() if name in labels), "")
    found = diagnose(item)
    return WaitingPod(item["metadata"]["name"], found.word or "Pending", found.message, owner, _created(item))


def studies(place: ProbeTarget) -> tuple[tuple[KubeflowWork, ...], More]:
    """Katib's experiments."""
    found, more = first(place.kubernetes, place.within("apis/kubeflow.org/v1beta1", "experiments"))
    return _newest([_study(item) for item in found]), more


def _study(item: Item) -> KubeflowWork:
    state, state_condition = experiment_state(item)
    message = word(state_condition, "message") if state is RunState.FAILED else ""
    return KubeflowWork("Study", item["metadata"]["name"], str(state).capitalize(), message, _created(item))


def services(place: ProbeTarget) -> tuple[tuple[KubeflowWork, ...], More]:
    """KServe's InferenceServices."""
    found, more = first(place.kubernetes, place.within("apis/serving.kserve.io/v1beta1", "inferenceservices"))
    return _newest([_service(item) for item in found]), more


def _service(item: Item) -> KubeflowWork:
    ready = condition(item, "Ready")
    state = {"True": "Ready", "False": "Not ready"}.get(word(ready, "status"), "Unknown")
    conditions = (ready, *rows(item, "status", "conditions"))
    messages = [word(one, "message") for one in conditions if one.get("status") == "False"]
    message = max(messages, key=len, default="") if state != "Ready" else ""
    return KubeflowWork("Service", item["metadata"]["name"], state, message, _created(item))


def training(place: ProbeTarget) -> tuple[tuple[KubeflowWork, ...], More]:
    """The Trainer's jobs."""
    found, more = first(place.kubernetes, place.within("apis/trainer.kubeflow.org/v1alpha1", "trainjobs"))
    return _newest([_training(item) for item in found]), more


def _training(item: Item) -> KubeflowWork:
    name, made = item["metadata"]["name"], _created(item)
    for state in _TRAINING_ENDS:
        found = condition(item, state)
        if found.get("status") == "True":
            message = word(found, "message") if state == "Failed" else ""
            return KubeflowWork("Training job", name, state, message, made)
    return KubeflowWork("Training job", name, "Running" if item.get("status") else "Created", "", made)


def _created(item: Item) -> str:
    return word(item, "metadata", "creationTimestamp")


def _newest(found: Sequence[KubeflowWork]) -> tuple[KubeflowWork, ...]:
    return tuple(sorted(found, key=lambda one: (one.created, one.name), reverse=True))
