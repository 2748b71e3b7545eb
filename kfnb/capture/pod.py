"""The settings of a step's pod: resources, environment, volumes, and scheduling, in Kubernetes' terms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Holder = Literal["secret", "config_map"]
"""Objects that hold values by key, as KFP's SDK spells them in the names of its functions."""


@dataclass(frozen=True)
class EnvVariable:
    """An environment variable whose value is in the pipeline, readable for everyone."""

    name: str
    value: str


@dataclass(frozen=True)
class KeyVariable:
    """The environment variable ``name`` with the value of ``key`` in the secret or config map ``source``."""

    holder: Holder
    source: str
    key: str
    name: str


@dataclass(frozen=True)
class Folder:
    """A folder ``path`` with the keys of a secret or config map as files, or with the content of a volume claim."""

    holder: Holder | Literal["pvc"]
    source: str
    path: str


@dataclass(frozen=True)
class NodeLabel:
    """A label that the node must have."""

    key: str
    value: str


@dataclass(frozen=True)
class Toleration:
    """A taint that the pod tolerates. ``value`` None for any value, ``effect`` empty for all effects."""

    key: str
    value: str | None = None
    effect: str = ""


@dataclass(frozen=True)
class PodSettings:
    """The settings of a step's pod. ``cpu`` in cores and ``memory`` as Kubernetes writes them (``500m``, ``4G``); empty
    and 0 for not given. ``accelerator`` is the resource name of the GPUs, ``timeout`` is in seconds.
    """

    cpu: str = ""
    memory: str = ""
    gpu: int = 0
    accelerator: str = "nvidia.com/gpu"
    env: tuple[EnvVariable, ...] = ()
    keys: tuple[KeyVariable, ...] = ()
    folders: tuple[Folder, ...] = ()
    node_labels: tuple[NodeLabel, ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    pull_secrets: tuple[str, ...] = ()
    timeout: int = 0

    def described(self) -> Iterator[tuple[str, str]]:
        """Each setting and its value, in the terms of the options."""
        if self.cpu:
            yield "cpu", self.cpu
        if self.memory:
            yield "memory", self.memory
        if self.gpu:
            yield self.accelerator, str(self.gpu)
        if self.timeout:
            yield "timeout", f"{self.timeout} s"
        for variable in self.env:
            yield f"variable {variable.name}", variable.value
        for held in self.keys:
            yield f"variable {held.name}", f"{_words(held.holder)} {held.source}, key {held.key}"
        for folder in self.folders:
            yield f"folder {folder.path}", f"{_words(folder.holder)} {folder.source}"
        for label in self.node_labels:
            yield f"node label {label.key}", label.value
        for taint in self.tolerations:
            value = "any value" if taint.value is None else taint.value
            yield f"toleration {taint.key}", f"{value}, {taint.effect or 'all effects'}"
        for name in self.pull_secrets:
            yield "image pull secret", name


def _words(holder: str) -> str:
    return "volume claim" if holder == "pvc" else holder.replace("_", " ")
