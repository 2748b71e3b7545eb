"""Pods of a run that no recording has, by what Kubernetes would tell of them."""

from typing import Any

from kfnb.resources.runs.kubeflow import pods
from kfnb.resources.runs.kubeflow.pods import TaskPod


def made(role: str = "", *, memory: str = "", **status: Any) -> TaskPod:
    """A pod with that status, whose own container may use so much ``memory``."""
    limits = {"resources": {"limits": {"memory": memory}}} if memory else {}
    return pods.parse(
        {
            "metadata": {"name": "p", "annotations": {"pipelines.kubeflow.org/runtime-role": role}},
            "spec": {"containers": [{"name": "main", **limits}]},
            "status": status,
        }
    )


def ended(code: int, reason: str = "Error", *, role: str = "", memory: str = "") -> TaskPod:
    """A pod that failed, as its own container ended with that exit code."""
    state = {"terminated": {"exitCode": code, "reason": reason}}
    return made(role, memory=memory, phase="Failed", containerStatuses=[{"name": "main", "state": state}])
