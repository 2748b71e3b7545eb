"""The diagnosis of a Notebook (version 1), for lists of notebooks and for the status of a namespace."""

from __future__ import annotations

from kfnb.remote.kubernetes.fields import Item, at, mapping, rows
from kfnb.remote.kubernetes.pods import Diagnosis, PodReason, PodState, diagnose

STOPPED = "kubeflow-resource-stopped"
"""The annotation that stops a notebook; its value is the time of the stop."""


def stopped(item: Item) -> bool:
    """Whether a notebook was stopped, by a user or by the culler."""
    return at(item, "metadata", "annotations", STOPPED) is not None


def server(item: Item) -> Diagnosis:
    """The diagnosis of a notebook's server: the controller copies the conditions and the state of its pod.

    Any field of an object of Kubeflow's CRDs may be missing or of another type.
    """
    if at(item, "status", "readyReplicas"):
        return Diagnosis(PodState.RUNNING)
    containers = rows(item, "spec", "template", "spec", "containers")
    if not containers:
        return Diagnosis(
            PodState.BLOCKED,
            PodReason.START,
            "it has no container to start: delete the notebook and create it again",
        )
    mine = {name: containers[0].get(name, "") for name in ("name", "image")}
    found = diagnose(
        {
            "spec": {"containers": containers},
            "status": {
                "phase": "Pending",
                "conditions": rows(item, "status", "conditions"),
                "containerStatuses": [{**mine, "state": mapping(item, "status", "containerState")}],
            },
        }
    )
    if found.state is PodState.SUCCEEDED:
        return Diagnosis(PodState.FAILED, PodReason.EXIT_CODE, "its server ended with exit code 0")
    return found
