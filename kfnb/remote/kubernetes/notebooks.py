"""What a Notebook (version 1) tells of its pod, for who lists notebooks and who tells the status of a namespace."""

from __future__ import annotations

from kfnb.remote.kubernetes.fields import Item, at, mapping, rows
from kfnb.remote.kubernetes.pods import Diagnosis, PodReason, PodState, diagnose

STOPPED = "kubeflow-resource-stopped"
"""The annotation that stops a notebook; its value is since when."""


def stopped(item: Item) -> bool:
    """Whether a notebook was told to stop, by a person or by the culler."""
    return at(item, "metadata", "annotations", STOPPED) is not None


def server(item: Item) -> Diagnosis:
    """How a notebook's server is, whatever it was told: its controller repeats the conditions and the state of its pod.

    Objects of Kubeflow's CRDs may hold anything anywhere, or nothing.
    """
    if at(item, "status", "readyReplicas"):
        return Diagnosis(PodState.RUNNING)
    containers = rows(item, "spec", "template", "spec", "containers")
    if not containers:
        return Diagnosis(
            PodState.BLOCKED, PodReason.START, "it has no container to start: delete it, and create it anew"
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
