"""What Kubernetes knows of the pods of a training: what they ran on, and what they occupied."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from kfnb.entities import Amounts, Purpose, added_up
from kfnb.entities.manifest import RunRecord
from kfnb.remote.kubernetes.fields import word
from kfnb.remote.kubernetes.pod_layers import PodLayers, shared_environments
from kfnb.remote.kubernetes.pod_usage import pod_usage
from kfnb.resources.training.trainer.objects import CONTAINER
from kfnb.resources.training.trainer.resources import TrainerResources


def record_of_pods(resources: TrainerResources, name: str, tasks: Sequence[str]) -> RunRecord:
    """What a training ran on: what its first pod did, as all have one template."""
    reader = PodLayers(resources.kubernetes, resources.namespace)
    layers = [reader.of(pod, CONTAINER) for pod in resources.pods(name)[:1]]
    notes = () if layers else (f"Kubernetes has no pod of {name} any more",)
    found = {task: layers[0] for task in tasks if layers}
    return RunRecord(environments=shared_environments(found), notes=notes)


def occupied_by_pods(resources: TrainerResources, name: str) -> Mapping[Purpose, Amounts]:
    """What the pods of a training occupied that Kubernetes still has; empty without any."""
    usages = (
        pod_usage(
            pod, Purpose.FAILED if word(pod, "status", "phase") == "Failed" else Purpose.WORK, time.time()
        )
        for pod in resources.pods(name)
    )
    return added_up(usage for usage in usages if usage is not None)
