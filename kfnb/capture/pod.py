"""What a step asks of its pod: room, environment, folders, and where it may run. The words are Kubernetes' own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Holder = Literal["secret", "config_map"]
"""What holds values by key; as KFP's SDK spells it in the names of its functions."""


@dataclass(frozen=True)
class EnvVariable:
    """An environment variable whose value stands in the pipeline, for all to read."""

    name: str
    value: str


@dataclass(frozen=True)
class KeyVariable:
    """The environment variable ``name``, whose value is that of ``key`` in the secret or config map ``source``."""

    holder: Holder
    source: str
    key: str
    name: str


@dataclass(frozen=True)
class Folder:
    """At ``path`` the step sees the keys of a secret or config map as files, or what a volume claim holds."""

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
    """A taint of nodes that the pod bears. ``value`` None for any value, ``effect`` empty for all effects."""

    key: str
    value: str | None = None
    effect: str = ""


@dataclass(frozen=True)
class PodSettings:
    """All that a step asks for. ``cpu`` in cores and ``memory`` as Kubernetes writes them (``500m``, ``4G``); empty
    and 0 for not said. ``accelerator`` is the resource that a GPU is asked by, ``timeout`` in seconds.
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
        """Each thing that is asked for, and its value, in the words that a user typed."""
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
