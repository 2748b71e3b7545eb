"""What goes on in a namespace: notebooks, pods that wait, studies, services and training jobs."""

from __future__ import annotations

from collections.abc import Sequence

from kfnb.model.cluster import NotebookServer, WaitingPod, Work
from kfnb.resources.cluster.probe import Item, More, Place, at, condition, first, rows, word

_STOPPED = "kubeflow-resource-stopped"
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
_STUDY_ENDS = ("Failed", "Succeeded", "Restarting", "Running", "Created")
_TRAINING_ENDS = ("Failed", "Complete", "Suspended")


def notebooks(place: Place) -> tuple[tuple[NotebookServer, ...], More]:
    """The notebooks of version 1."""
    found, more = first(place.kubernetes, place.within("apis/kubeflow.org/v1", "notebooks"))
    return tuple(map(_notebook, found)), more


def _notebook(item: Item) -> NotebookServer:
    waits = at(item, "status", "containerState", "waiting")
    unscheduled = condition(item, "PodScheduled")
    message = word(waits, "message") or (
        word(unscheduled, "message") if unscheduled.get("status") == "False" else ""
    )
    if at(item, "metadata", "annotations", _STOPPED) is not None:
        state = "stopped"
    elif at(item, "status", "readyReplicas"):
        state = "running"
    else:
        state = "failing" if word(waits, "reason").endswith(("BackOff", "Error")) else "waiting"
    containers = rows(item, "spec", "template", "spec", "containers")
    image = word(containers[0], "image") if containers else ""
    last = word(item, "metadata", "annotations", _LAST)
    return NotebookServer(item["metadata"]["name"], state, "Notebook", image, message, last)


def workspaces(place: Place) -> tuple[tuple[NotebookServer, ...], More]:
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


def waiting(place: Place) -> tuple[tuple[WaitingPod, ...], More]:
    """The pods that do not run yet, and why."""
    found, more = first(
        place.kubernetes, place.within("api/v1", "pods"), {"fieldSelector": "status.phase=Pending"}
    )
    return tuple(map(_waiting, found)), more


def _waiting(item: Item) -> WaitingPod:
    labels = at(item, "metadata", "labels") or {}
    owner = next((f"{kind}/{labels[name]}" for name, kind in _OWNERS.items() if name in labels), "")
    reason, message = _why(item)
    return WaitingPod(item["metadata"]["name"], reason, message, owner, _created(item))


def _why(item: Item) -> tuple[str, str]:
    """Kubernetes' word and sentence for why a pod waits."""
    scheduled = condition(item, "PodScheduled")
    if scheduled.get("status") == "False":
        return word(scheduled, "reason") or "Unschedulable", word(scheduled, "message")
    containers = (*rows(item, "status", "initContainerStatuses"), *rows(item, "status", "containerStatuses"))
    states = [found for one in containers if (found := at(one, "state", "waiting"))]
    told = next((one for one in states if word(one, "reason") not in ("", "PodInitializing")), None)
    told = told or next(iter(states), {})
    return word(told, "reason") or "Pending", word(told, "message")


def studies(place: Place) -> tuple[tuple[Work, ...], More]:
    """Katib's experiments."""
    found, more = first(place.kubernetes, place.within("apis/kubeflow.org/v1beta1", "experiments"))
    return _newest([_work("Study", item, _STUDY_ENDS) for item in found]), more


def services(place: Place) -> tuple[tuple[Work, ...], More]:
    """KServe's InferenceServices."""
    found, more = first(place.kubernetes, place.within("apis/serving.kserve.io/v1beta1", "inferenceservices"))
    return _newest([_service(item) for item in found]), more


def _service(item: Item) -> Work:
    ready = condition(item, "Ready")
    state = {"True": "Ready", "False": "Not ready"}.get(word(ready, "status"), "Unknown")
    conditions = (ready, *rows(item, "status", "conditions"))
    told = [word(one, "message") for one in conditions if one.get("status") == "False"]
    message = max(told, key=len, default="") if state != "Ready" else ""
    return Work("Service", item["metadata"]["name"], state, message, _created(item))


def training(place: Place) -> tuple[tuple[Work, ...], More]:
    """The Trainer's jobs."""
    found, more = first(place.kubernetes, place.within("apis/trainer.kubeflow.org/v1alpha1", "trainjobs"))
    return _newest([_work("Training job", item, _TRAINING_ENDS) for item in found]), more


def _work(kind: str, item: Item, states: Sequence[str]) -> Work:
    for state in states:
        told = condition(item, state)
        if told.get("status") == "True":
            message = word(told, "message") if state == "Failed" else ""
            return Work(kind, item["metadata"]["name"], state, message, _created(item))
    return Work(
        kind, item["metadata"]["name"], "Running" if item.get("status") else "Created", "", _created(item)
    )


def _created(item: Item) -> str:
    return word(item, "metadata", "creationTimestamp")


def _newest(found: Sequence[Work]) -> tuple[Work, ...]:
    return tuple(sorted(found, key=lambda one: (one.created, one.name), reverse=True))
