"""What a pod ran on, as Kubernetes knows it: the image by its digest, what it requested, its node."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from kfnb.entities.manifest import Layer, LayerName, StepEnvironment
from kfnb.entities.manifest_json import layers_data
from kfnb.errors import BackendError, Hidden
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.fields import Item, at, mapping, rows, word

_GPU = "nvidia.com/gpu"
_LABELS = {
    (LayerName.HARDWARE, "instance_type"): "node.kubernetes.io/instance-type",
    (LayerName.HARDWARE, "region"): "topology.kubernetes.io/region",
    (LayerName.HARDWARE, "zone"): "topology.kubernetes.io/zone",
    (LayerName.ACCELERATOR, "product"): "nvidia.com/gpu.product",
    (LayerName.DRIVERS, "nvidia"): "nvidia.com/cuda.driver-version.full",
    (LayerName.DRIVERS, "cuda"): "nvidia.com/cuda.runtime-version.full",
}
"""The labels of a node that tell facts: Kubernetes' own, and those of NVIDIA's feature discovery."""
_INFO = {
    (LayerName.OS, "distribution"): "osImage",
    (LayerName.OS, "kernel"): "kernelVersion",
    (LayerName.RUNTIME, "container_runtime"): "containerRuntimeVersion",
    (LayerName.RUNTIME, "kubelet"): "kubeletVersion",
    (LayerName.HARDWARE, "architecture"): "architecture",
}
"""The fields of a node's ``nodeInfo``. The distribution is the node's, not the container's."""
_OF_A_NODE = (*_LABELS, *_INFO)


class PodLayers:
    """Reads what pods ran on. Each node and each claim is asked for once."""

    def __init__(self, kubernetes: Kubernetes, namespace: str) -> None:
        self._kubernetes, self._namespace = kubernetes, namespace
        self._known: dict[str, tuple[Item, str]] = {}

    def of(self, pod: Item, container: str) -> tuple[Layer, ...]:
        """The layers of a pod whose own program runs in ``container``."""
        own = _named(rows(pod, "spec", "containers"), container)
        status = _named(rows(pod, "status", "containerStatuses"), container)
        runtime = {
            "container": "Kubernetes",
            "image": word(own, "image") or None,
            "image_digest": _digest(word(status, "imageID")),
            "namespace": word(pod, "metadata", "namespace") or None,
            "node": word(pod, "spec", "nodeName") or None,
            "requests": dict(mapping(own, "resources", "limits"))
            | dict(mapping(own, "resources", "requests")),
        }
        hidden = {} if runtime["image_digest"] else {"image_digest": "the container has not started"}
        facts = {key: value for key, value in runtime.items() if key not in hidden}
        return (
            Layer(LayerName.RUNTIME, facts, hidden),
            Layer(LayerName.STORAGE, {"volumes": self._volumes(pod)}),
            Layer(LayerName.ACCELERATOR, {"count": _number(at(own, "resources", "limits", _GPU))}),
            *self._node(word(pod, "spec", "nodeName")),
        )

    def _node(self, name: str) -> Iterable[Layer]:
        if not name:
            return
        node, why = self._read(f"/api/v1/nodes/{quote(name, safe='')}")
        found: dict[LayerName, dict[str, Any]] = {layer: {} for layer, _ in _OF_A_NODE}
        for (layer, fact), label in _LABELS.items():
            if text := word(mapping(node, "metadata", "labels"), label):
                found[layer][fact] = text
        for (layer, fact), field in _INFO.items():
            if text := word(node, "status", "nodeInfo", field):
                found[layer][fact] = text
        for layer, facts in found.items():
            hidden = {fact: why for own, fact in _OF_A_NODE if own is layer} if why else {}
            yield Layer(layer, facts, hidden)

    def _volumes(self, pod: Item) -> dict[str, Any]:
        """The claims that the pod mounts, with their class and size."""
        found: dict[str, Any] = {}
        for volume in rows(pod, "spec", "volumes"):
            claim = word(volume, "persistentVolumeClaim", "claimName")
            if claim:
                path = f"/api/v1/namespaces/{self._namespace}/persistentvolumeclaims/{quote(claim, safe='')}"
                known, why = self._read(path)
                found[claim] = (
                    {"hidden": why}
                    if why
                    else {
                        "class": word(known, "spec", "storageClassName") or None,
                        "size": word(known, "status", "capacity", "storage") or None,
                    }
                )
        return found

    def _read(self, path: str) -> tuple[Item, str]:
        """An object, or why it cannot be read."""
        if path not in self._known:
            try:
                self._known[path] = self._kubernetes.get(path), ""
            except Hidden:
                self._known[path] = {}, "you may not read it on this cluster"
            except BackendError as error:
                self._known[path] = {}, str(error)
        return self._known[path]


def shared_environments(layers: Mapping[str, tuple[Layer, ...]]) -> tuple[StepEnvironment, ...]:
    """What tasks ran on, by their ids, as environments: those that ran on the same share one."""
    grouped: dict[str, list[str]] = {}
    for task, own in layers.items():
        text = json.dumps(layers_data(own), sort_keys=True)
        grouped.setdefault(hashlib.sha256(text.encode()).hexdigest(), []).append(task)
    found = [StepEnvironment(digest, tuple(tasks), layers[tasks[0]]) for digest, tasks in grouped.items()]
    return tuple(sorted(found, key=lambda one: -len(one.tasks)))


def _named(items: Iterable[Item], name: str) -> Item:
    return next((one for one in items if word(one, "name") == name), {})


def _digest(image: str) -> str | None:
    """The digest in an ``imageID``: ``docker.io/library/python@sha256:...``."""
    found = re.search(r"sha256:[0-9a-f]{64}", image)
    return found[0] if found else None


def _number(text: Any) -> int:
    return int(text) if str(text).isdecimal() else 0
