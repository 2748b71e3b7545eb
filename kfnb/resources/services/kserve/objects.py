"""KServe's objects: their paths, labels and annotations, and those of kfnb on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kfnb.remote.kubernetes.fields import Item, at, mapping

GROUP = "serving.kserve.io"
Kind = Literal["inferenceservices", "inferencegraphs"]
VERSIONS: Mapping[Kind, str] = {"inferenceservices": "v1beta1", "inferencegraphs": "v1alpha1"}

SERVICE, REVISION = "kfnb/service", "kfnb/revision"
"""Labels: the service that an object belongs to, and the number of the revision that a predictor and its pods are."""
STOP = f"{GROUP}/stop"
"""The annotation that lets KServe remove all pods of a service, and keep the service."""
MODE = f"{GROUP}/deploymentMode"
POD_OF = f"{GROUP}/inferenceservice"
"""KServe's label of an InferenceService's pods."""
POD_OF_GRAPH = f"{GROUP}/inferencegraph"
"""KServe's label of the pods that an InferenceGraph splits requests by."""
CONTAINER = "kserve-container"
"""The container that serves."""
CONTAINERS = ("storage-initializer", "modelcar-init", CONTAINER)
"""That and those that fetch its folder before: from a store, or as an image."""


@dataclass(frozen=True)
class Write:
    """An object that is to be made (``exists`` is false), replaced, or deleted (``body`` is None)."""

    kind: Kind
    name: str
    body: Item | None
    exists: bool = True


def canary_name(service: str) -> str:
    """The InferenceService of the canary, where a graph splits the requests."""
    return f"{service}-canary"


def graph_name(service: str) -> str:
    """The InferenceGraph that splits the requests."""
    return f"{service}-split"


def written(kind: Kind, name: str, service: str, spec: Mapping[str, Any], beside: Item) -> dict[str, Any]:
    """An object of a service that is new, in the mode of the one ``beside`` it."""
    named = {"inferenceservices": "InferenceService", "inferencegraphs": "InferenceGraph"}
    metadata: dict[str, Any] = {"name": name, "labels": {SERVICE: service}}
    mode = at(beside, "metadata", "annotations", MODE)
    if mode is not None:
        metadata["annotations"] = {MODE: mode}
    return {
        "apiVersion": f"{GROUP}/{VERSIONS[kind]}",
        "kind": named[kind],
        "metadata": metadata,
        "spec": dict(spec),
    }


def changed(item: Item, spec: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """An object with another ``spec`` and with ``labels`` beside those of others; its status is the controller's."""
    metadata = mapping(item, "metadata")
    kept = {name: value for name, value in mapping(metadata, "labels").items() if name not in REGISTRY_LABELS}
    found = {
        name: value for name, value in metadata.items() if name not in ("managedFields", "creationTimestamp")
    }
    rest = {name: value for name, value in item.items() if name not in ("metadata", "status", "spec")}
    return {**rest, "metadata": {**found, "labels": {**kept, **labels}}, "spec": dict(spec)}


MODEL_ID, VERSION_ID = "modelregistry/registered-model-id", "modelregistry/model-version-id"
REGISTRY_LABELS = (MODEL_ID, VERSION_ID)
"""Labels by which Kubeflow's model registry knows what an InferenceService serves."""


def revision_of(predictor: Any) -> int:
    """The revision that a predictor is; 0 for one that kfnb did not write."""
    return number_of(at(predictor, "labels", REVISION))


def revision_of_pod(item: Item) -> int:
    """The revision that a pod, or a revision of Knative's, belongs to; 0 if unknown."""
    return number_of(at(item, "metadata", "labels", REVISION))


def number_of(value: Any) -> int:
    """A label's value as a number; 0 if it is none."""
    return int(value) if isinstance(value, str) and value.isdecimal() else 0


def is_stopped(item: Item) -> bool:
    """Whether an object was stopped."""
    return str(at(item, "metadata", "annotations", STOP)).lower() == "true"
