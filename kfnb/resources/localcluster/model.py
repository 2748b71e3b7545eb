"""A cluster on this machine: its record, its state, and how much of Kubeflow runs in it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kfnb.resources.cluster.model import Check, CheckOutcome, KubeflowPart


class Reached(str, Enum):
    """How far a cluster has come: its start has begun, it runs, or all that was asked for was ready."""

    BEGUN = "begun"
    STARTED = "started"
    READY = "ready"

    def __str__(self) -> str:
        """The word."""
        return self.value


@dataclass(frozen=True)
class Record:
    """A managed cluster, what was requested, and which parts are installed.

    ``cores``, ``memory`` (GiB) and ``driver`` are minikube's, empty where none were given.
    """

    profile: str
    tool: str
    release: str
    manifests: str
    kubernetes: str
    parts: tuple[str, ...]
    cores: int = 0
    memory: int = 0
    driver: str = ""
    reached: Reached = Reached.BEGUN


class Found(str, Enum):
    """The state of a cluster, as its tool reports it."""

    ABSENT = "absent"
    STOPPED = "stopped"
    RUNNING = "running"

    def __str__(self) -> str:
        """The word."""
        return self.value


@dataclass(frozen=True)
class LocalClusterStatus:
    """How a cluster is. ``parts`` are those of Kubeflow that are there, ``trouble`` why they cannot be seen.

    ``hairpin`` says whether a pod reaches its own service, None where nothing runs.
    """

    record: Record
    found: Found
    parts: tuple[KubeflowPart, ...] = ()
    release: str = ""
    trouble: str = ""
    hairpin: Check | None = None

    @property
    def ready(self) -> bool:
        """Whether it came up whole, and all of it runs."""
        whole = self.record.reached is Reached.READY and self.found is Found.RUNNING and not self.trouble
        cut = self.hairpin is not None and self.hairpin.outcome is CheckOutcome.BAD
        return whole and not cut and not any(part.failing for part in self.parts)


def with_profile(command: str, profile: str) -> str:
    """A command for a cluster: the option ``--profile`` is added unless the cluster has the default name."""
    return command if profile == "kubeflow" else f"{command} --profile {profile}"
