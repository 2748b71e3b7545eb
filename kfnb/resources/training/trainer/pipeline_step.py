"""The step of a pipeline whose training has several nodes: what makes a TrainJob of it, in the step's own pod."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kfnb.errors import BackendError
from kfnb.resources.training.trainer import pod_cluster, pod_program, pod_step, pod_store
from kfnb.resources.training.trainer.objects import QUEUE
from kfnb.resources.training.trainer.step import TrainingStep
from kfnb.resources.training.trainer.trainjob import (
    ITEM,
    LOADER,
    ClusterTraining,
    TrainerSchema,
    everywhere,
    outputs_of,
    pack,
    sources,
    without_program,
)
from kfnb.text.quantity import part

Json = Mapping[str, Any]

_LOADER = LOADER.replace("''.join(sys.argv[1:])", "sys.argv[1]")
"""As in the pods, but that the step's own command follows."""
_OF_THE_STEP = ("imagePullPolicy", "imagePullSecret", "podMetadata")
"""The settings that the step's own pod keeps: all others are for the pods that train."""
_LONGEST_NAME = 24


def launching(training: ClusterTraining, schema: TrainerSchema, restarts: int) -> dict[str, Any]:
    """The container of the step, which makes, follows and deletes the TrainJob. ``training.root`` is of all trainings.

    The command of the step stays at the end of the new one, so that its program is found there. Raises
    ``BackendError`` for a step that is not a Python function.
    """
    step = training.step
    container = step.container
    if "--executor_input" not in container.get("args", ()):
        raise BackendError(f"{step.name} is not a Python function")
    trainjob = without_program(training, schema)
    trainjob["metadata"] = {"labels": {QUEUE: training.queue} if training.queue else {}}
    resources = trainjob["spec"]["trainer"].get("resourcesPerNode", {})
    trainjob["spec"]["trainer"] |= (
        {"resourcesPerNode": _of_a_node(resources, training.nodes)} if resources else {}
    )
    job = {
        "modules": sources(pod_store, pod_program, pod_cluster, pod_step),
        "name": training.name,
        "trainjob": trainjob,
        "training": {"modules": sources(pod_store, pod_program), **everywhere(training)},
        "outputs": outputs_of(step),
        "nodes": training.nodes,
        "restarts": restarts,
        "places": {"job": training.runtime.job, "subdomain": training.runtime.subdomain},
        "folder": training.root,
        "item": ITEM,
    }
    command = ["python3", "-u", "-c", _LOADER, pack(job), *container["command"]]
    return {**{name: one for name, one in container.items() if name != "resources"}, "command": command}


def settings_of(training: ClusterTraining) -> dict[str, Any]:
    """The Kubernetes settings of the step's own pod, with the keys of the store."""
    kept = {name: one for name, one in training.step.settings.items() if name in _OF_THE_STEP}
    keys: dict[str, list[dict[str, str]]] = {}
    for one in training.access.env:
        reference = one["valueFrom"]["secretKeyRef"]
        keys.setdefault(reference["name"], []).append({"secretKey": reference["key"], "envVar": one["name"]})
    held = [{"secretName": name, "keyToEnv": pairs} for name, pairs in keys.items()]
    return {**kept, **({"secretAsEnv": held} if held else {})}


def step_name(step: TrainingStep) -> str:
    """What the names of its TrainJobs begin with."""
    middle = re.sub("[^a-z0-9]+", "-", step.name.lower()).strip("-")
    return f"step-{middle}"[:_LONGEST_NAME].rstrip("-")


def _of_a_node(resources: Mapping[str, Mapping[str, str]], nodes: int) -> dict[str, dict[str, str]]:
    """The resources of a pod: a step has those of all its processes."""
    return {
        kind: {name: part(value, nodes) for name, value in group.items()} for kind, group in resources.items()
    }
