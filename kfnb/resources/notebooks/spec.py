"""The specification of a new notebook, checked before it is sent: Kubernetes accepts much that never starts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kfnb.errors import UsageError
from kfnb.resources.notebooks.model import Mount
from kfnb.text.quantity import amount

HOME = "/home/jovyan"
"""Where Kubeflow's images have the home of their user."""

LONGEST = 52
"""Characters of a name: Kubernetes adds to it what makes the names and labels of pods."""
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_CLAIM = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_IMAGE = re.compile(r"[a-z0-9][\w.:/-]*[\w](@sha256:[0-9a-f]{64})?")
_QUANTITY = re.compile(r"\d+(\.\d+)?([numkKMGTPE]i?)?")
_RESOURCE = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-\w.]*[A-Za-z0-9])?")
_LEAST_MEMORY = 64 * 2**20
"""Bytes without which no notebook server starts: who writes --memory 4 means 4Gi."""


@dataclass(frozen=True)
class Claim:
    """A new volume claim, of so much storage."""

    name: str
    size: str

    def body(self, namespace: str) -> Mapping[str, object]:
        """It as Kubernetes is given it. One pod at a time may have it, as Kubeflow's own pages have it."""
        return {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": self.name, "namespace": namespace},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": self.size}}},
        }


@dataclass(frozen=True)
class NotebookRequest:
    """A new notebook: an ``image`` with ``cpu``, ``memory`` and ``gpu``, or, of a workspace, its kind's options.

    ``size`` is that of a new volume for its home, ``mounts`` are claims that are there, ``labels`` those of its pod.
    Raises ``UsageError`` for what would be accepted though it is wrong.
    """

    name: str
    image: str = ""
    cpu: str = "0.5"
    memory: str = "1Gi"
    gpu: int = 0
    accelerator: str = "nvidia.com/gpu"
    mounts: tuple[Mount, ...] = ()
    size: str = ""
    service_account: str = "default-editor"
    labels: tuple[tuple[str, str], ...] = ()
    workspace_kind: str = ""
    image_config: str = ""
    pod_config: str = ""

    def __post_init__(self) -> None:
        """Check it."""
        if not _NAME.fullmatch(self.name) or len(self.name) > LONGEST:
            raise UsageError(
                f"{self.name}: a notebook's name has lowercase letters, digits and -, begins with a letter, "
                f"and has at most {LONGEST} characters"
            )
        if self.image and not _IMAGE.fullmatch(self.image):
            raise UsageError(f"--image {self.image}: write it as it is pulled, such as registry/name:tag")
        _quantity("--cpu", self.cpu, "2 or 500m", 0.001)
        _quantity("--memory", self.memory, "4Gi or 512Mi", _LEAST_MEMORY)
        if self.size:
            _quantity("--size", self.size, "10Gi", _LEAST_MEMORY)
        if self.gpu < 0:
            raise UsageError(f"--gpu {self.gpu}: give a number from 0 on")
        if not _RESOURCE.fullmatch(self.accelerator):
            raise UsageError(f"--accelerator {self.accelerator}: write it as nodes have it: nvidia.com/gpu")
        if not _CLAIM.fullmatch(self.service_account):
            raise UsageError(
                f"--service-account {self.service_account}: write a name as Kubernetes has it "
                "(small letters, digits, - and .)"
            )
        self._check_mounts()

    def _check_mounts(self) -> None:
        for mount in self.mounts:
            if not _CLAIM.fullmatch(mount.claim) or not mount.path.startswith("/"):
                raise UsageError(
                    f"--volume {mount.claim}:{mount.path}: write NAME:/PATH, the name of a claim and where"
                )
            if ".." in mount.path.split("/") or mount.path == "/":
                raise UsageError(f"--volume {mount.claim}:{mount.path}: cannot be mounted at {mount.path}")
        paths = [mount.path for mount in self.mounts] + ([HOME] if self.size else [])
        twice = next((path for path in paths if paths.count(path) > 1), None)
        if twice is not None:
            hint = ": --size makes a new home" if twice == HOME and self.size else ""
            raise UsageError(f"two volumes are mounted at {twice}{hint}")

    @property
    def claim(self) -> Claim | None:
        """The volume that is to be made, named as Kubeflow's own pages name it."""
        return Claim(f"{self.name}-workspace", self.size) if self.size else None

    @property
    def all_mounts(self) -> tuple[Mount, ...]:
        """The volumes, with the new one for the home."""
        return ((Mount(self.claim.name, HOME),) if self.claim else ()) + self.mounts


def _quantity(option: str, text: str, example: str, least: float) -> None:
    if not _QUANTITY.fullmatch(text):
        raise UsageError(f"{option} {text}: write it as Kubernetes does, {example}")
    if amount(text) < least:
        raise UsageError(f"{option} {text}: that is too little to start; did you mean {example}?")
