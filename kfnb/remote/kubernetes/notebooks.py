"""What a Notebook (version 1) tells of its pod, for who lists notebooks and who tells the status of a namespace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kfnb.remote.kubernetes.pods import Diagnosis, PodReason, PodState, diagnose

Item = Mapping[str, Any]

STOPPED = "kubeflow-resource-stopped"
"""The annotation that stops a notebook; its value is since when."""


def stopped(item: Item) -> bool:
    """Whether a notebook was told to stop, by a person or by the culler."""
    return STOPPED in ((item.get("metadata") or {}).get("annotations") or {})


def server(item: Item) -> Diagnosis:
    """How a notebook's server is, whatever it was told: its controller repeats the conditions and the state of its pod.

    Objects of Kubeflow's CRDs may hold anything anywhere, or nothing.
    """
    status = _mapping(item.get("status"))
    pod = _mapping(_mapping(_mapping(item.get("spec")).get("template")).get("spec"))
    if status.get("readyReplicas"):
        return Diagnosis(PodState.RUNNING)
    containers = [one for one in pod.get("containers") or () if isinstance(one, Mapping)]
    if not containers:
        return Diagnosis(
            PodState.BLOCKED, PodReason.START, "it has no container to start: delete it, and create it anew"
        )
    first, state = containers[0], _mapping(status.get("containerState"))
    conditions = [one for one in status.get("conditions") or () if isinstance(one, Mapping)]
    found = diagnose(
        {
            "spec": pod,
            "status": {
                "phase": "Pending",
                "conditions": conditions,
                "containerStatuses": [
                    {"name": first.get("name", ""), "image": first.get("image", ""), "state": state}
                ],
            },
        }
    )
    if found.state is PodState.SUCCEEDED:
        return Diagnosis(PodState.FAILED, PodReason.EXIT_CODE, "its server ended with exit code 0")
    return found


def _mapping(found: Any) -> Item:
    return found if isinstance(found, Mapping) else {}
