"""Kubeflow's manifests: the parts of a release, what they need, and where they stand. See manifests.yaml."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from kfnb.errors import UsageError

_KUBERNETES_CPU, _KUBERNETES_MEMORY, _IMAGES = 950, 2048, 20
"""What Kubernetes itself takes of a node (kubeadm's and kind's own requests, thousandths and MiB), GB for images."""


@dataclass(frozen=True)
class ManifestPart:
    """A part of Kubeflow. ``needs`` are ready before it is applied; ``folders`` are those of the manifests.

    ``cpu`` in thousandths of a core, ``memory`` in MiB, ``storage`` in GB.
    """

    name: str
    title: str
    needs: tuple[str, ...]
    folders: tuple[str, ...]
    cpu: int = 0
    memory: int = 0
    storage: int = 0

    @property
    def runs(self) -> bool:
        """Whether it has pods, which can be waited for."""
        return self.cpu > 0


@dataclass(frozen=True)
class Size:
    """What a machine must have: cores, memory in GiB, disk in GB."""

    cores: int
    memory: int
    disk: int


@dataclass(frozen=True)
class ManifestRelease:
    """A release: where its manifests are, the image of kind's nodes that it was tested with, and its parts in order."""

    release: str
    manifests: str
    image: str
    parts: tuple[ManifestPart, ...]

    @property
    def kubernetes(self) -> str:
        """The version of Kubernetes that the release's own tests start: ``1.36.1``."""
        return self.image.partition(":v")[2].partition("@")[0]

    def chosen(self, only: Sequence[str] = ()) -> tuple[ManifestPart, ...]:
        """The parts that are named, with all that they need, in order; all of them where none is named.

        Raises ``UsageError`` for a name that is none.
        """
        known = {part.name: part for part in self.parts}
        waiting = list(only) or list(known)
        taken: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name not in known:
                raise UsageError(
                    f"--only {name}: Kubeflow {self.release} has no such part; its parts are {', '.join(known)}"
                )
            if name not in taken:
                taken.add(name)
                waiting += known[name].needs
        return tuple(part for part in self.parts if part.name in taken)


def release(name: str = "") -> ManifestRelease:
    """A release by its name, by default the newest. Raises ``UsageError``."""
    found = releases()
    if not name:
        return list(found.values())[-1]
    if name not in found:
        raise UsageError(f"--release {name}: kfnb knows the manifests of {', '.join(found)}")
    return found[name]


@cache
def releases() -> Mapping[str, ManifestRelease]:
    """The releases whose manifests are known, the oldest first."""
    import yaml

    data = yaml.safe_load(Path(__file__).with_name("manifests.yaml").read_text(encoding="utf-8"))
    return {name: _release(name, row, data["parts"]) for name, row in data["releases"].items()}


def size(parts: Sequence[ManifestPart]) -> Size:
    """What a machine must have for these parts, with Kubernetes itself."""
    return Size(
        cores=math.ceil((_KUBERNETES_CPU + sum(part.cpu for part in parts)) / 1000),
        memory=math.ceil((_KUBERNETES_MEMORY + sum(part.memory for part in parts)) / 1024),
        disk=_IMAGES + sum(part.storage for part in parts),
    )


def place(manifests: str, folder: str) -> str:
    """What kustomize is to build: a folder of a checkout, or of a repository (``URL?ref=REF``)."""
    if not remote(manifests):
        return str(Path(manifests) / folder)
    address, question, query = manifests.partition("?")
    return f"{address.rstrip('/')}//{folder}{question}{query}"


def remote(manifests: str) -> bool:
    """Whether manifests are fetched by kustomize itself."""
    return "://" in manifests or manifests.startswith(("github.com/", "git@", "git::"))


def check(manifests: str, release: ManifestRelease, parts: Sequence[ManifestPart]) -> None:
    """Raise ``UsageError`` where manifests cannot be those of the release."""
    if remote(manifests):
        if "@" in manifests.partition("://")[2].partition("/")[0]:
            raise UsageError(
                "--manifests: remove the password from the address; git's credential helper provides it"
            )
        return
    if not Path(manifests).is_dir():
        raise UsageError(f"--manifests {manifests}: folder not found")
    if missing := _missing(manifests, parts):
        fitting = [one.release for one in releases().values() if not _missing(manifests, one.parts)]
        hint = (
            f"it fits --release {' or '.join(fitting)}"
            if fitting
            else "is it a checkout of kubeflow/manifests?"
        )
        raise UsageError(
            f"--manifests {manifests} has no {missing}, which Kubeflow {release.release} has: {hint}"
        )


def _missing(manifests: str, parts: Sequence[ManifestPart]) -> str:
    folders = (folder for part in parts for folder in part.folders)
    return next((folder for folder in folders if not (Path(manifests) / folder).is_dir()), "")


def _release(name: str, row: Mapping[str, Any], parts: Mapping[str, Any]) -> ManifestRelease:
    folders = row["folders"]
    made = tuple(
        ManifestPart(
            part,
            values["title"],
            tuple(values["needs"]),
            tuple(folders[part]),
            values.get("cpu", 0),
            values.get("memory", 0),
            values.get("storage", 0),
        )
        for part, values in parts.items()
        if part in folders
    )
    return ManifestRelease(name, row["manifests"], row["image"], made)
