"""Where one is, and what there is: a cluster as one user sees it, and this machine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from kfnb.model.run import Run

T = TypeVar("T")


class Knowledge(str, Enum):
    """What is known of a thing. What is hidden may be there or not: the user may not look."""

    KNOWN = "known"
    ABSENT = "absent"
    HIDDEN = "hidden"
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        """The word."""
        return self.value


@dataclass(frozen=True)
class Part(Generic[T]):
    """The answer to one question. ``value`` is there where it is known, ``reason`` says why where it is not.

    ``more`` is how many things of a long list were not looked at, None where there are some that nobody counted.
    """

    knowledge: Knowledge = Knowledge.UNKNOWN
    value: T | None = None
    reason: str = ""
    more: int | None = 0

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.knowledge is Knowledge.KNOWN


@dataclass(frozen=True)
class User:
    """Whom Kubernetes takes us for; ``account`` is the service account, as ``NAMESPACE/NAME``, empty for a person."""

    name: str
    groups: tuple[str, ...] = ()
    account: str = ""


@dataclass(frozen=True)
class Namespace:
    """A namespace; ``owner`` is the person whose profile it is, ``phase`` is ``Active`` or ``Terminating``."""

    name: str
    owner: str = ""
    phase: str = ""


@dataclass(frozen=True)
class Version:
    """Kubernetes' version; ``verdict`` tells whether the Kubeflow here supports it, in a sentence."""

    version: str
    release: str = ""
    supported: bool | None = None
    verdict: str = ""


@dataclass(frozen=True)
class KubeflowPart:
    """A part of Kubeflow: whether it is there, its version, and how many of its deployments are ready.

    ``health`` says whether that could be seen; ``failing`` are the deployments that are not ready, as
    ``NAMESPACE/NAME``.
    """

    name: str
    knowledge: Knowledge
    version: str = ""
    health: Knowledge = Knowledge.UNKNOWN
    ready: int = 0
    wanted: int = 0
    failing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Quota:
    """How much of a resource a namespace may use: ``used`` and ``hard`` as Kubernetes writes them, ``share`` 0 to 1."""

    resource: str
    used: str
    hard: str
    share: float = 0.0


@dataclass(frozen=True)
class Gpus:
    """The GPUs of one kind; ``free`` is None where the pods that use them cannot be seen."""

    kind: str
    resource: str
    total: int
    free: int | None = None


@dataclass(frozen=True)
class ClusterNode:
    """A machine of the cluster: ``cpu`` in cores, ``memory`` in bytes, both as pods may have them."""

    name: str
    ready: bool
    cpu: float = 0.0
    memory: int = 0
    gpus: int = 0
    schedulable: bool = True
    version: str = ""
    message: str = ""


@dataclass(frozen=True)
class Volume:
    """A claim to storage; ``phase`` is ``Bound``, ``Pending`` or ``Lost``."""

    name: str
    size: str = ""
    phase: str = ""
    kind: str = ""
    modes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PodDefault:
    """What pods with a label are given; ``on`` whether this notebook's own pod has that label, None outside of one.

    ``pipelines`` tells whether it lets them call Kubeflow Pipelines.
    """

    name: str
    told: str = ""
    labels: tuple[str, ...] = ()
    on: bool | None = None
    pipelines: bool = False


@dataclass(frozen=True)
class NotebookServer:
    """A notebook of version 1, or a workspace (version 2). ``state`` is running, waiting, stopped or failing."""

    name: str
    state: str
    kind: str = "Notebook"
    image: str = ""
    message: str = ""
    last_activity: str = ""


@dataclass(frozen=True)
class WaitingPod:
    """A pod that does not run yet. ``reason`` is one of Kubernetes' words, ``owner`` what it belongs to: KIND/NAME."""

    name: str
    reason: str
    message: str = ""
    owner: str = ""
    created: str = ""


@dataclass(frozen=True)
class Work:
    """A study, a service or a training job, as the cluster has it; ``state`` is its newest condition."""

    kind: str
    name: str
    state: str
    message: str = ""
    created: str = ""


@dataclass(frozen=True)
class Trouble:
    """What is broken, why, and the one command or YAML that mends it or shows more (empty where there is none)."""

    what: str
    why: str = ""
    fix: str = ""
    kind: str = "command"


@dataclass(frozen=True)
class Machine:
    """This machine: ``cores`` that we may use, memory and disk in bytes, and where runs are kept."""

    cores: int
    memory: int = 0
    memory_free: int = 0
    home: str = ""
    disk_free: int = 0
    python: str = ""


@dataclass(frozen=True)
class Status:
    """Where one is, and what there is.

    ``backend`` is where runs go, ``server`` Kubernetes' address, empty where there is no cluster; ``within`` the
    namespace that was looked at, ``contexts`` those of the kubeconfig where none is set.
    """

    backend: str
    here: Machine
    server: str = ""
    context: str = ""
    contexts: tuple[str, ...] = ()
    within: str = ""
    asked: float = 0.0
    user: Part[User] = Part()
    namespace: Part[Namespace] = Part()
    version: Part[Version] = Part()
    kubeflow: Part[tuple[KubeflowPart, ...]] = Part()
    quota: Part[tuple[Quota, ...]] = Part()
    gpus: Part[tuple[Gpus, ...]] = Part()
    nodes: Part[tuple[ClusterNode, ...]] = Part()
    volumes: Part[tuple[Volume, ...]] = Part()
    pod_defaults: Part[tuple[PodDefault, ...]] = Part()
    notebooks: Part[tuple[NotebookServer, ...]] = Part()
    workspaces: Part[tuple[NotebookServer, ...]] = Part()
    waiting: Part[tuple[WaitingPod, ...]] = Part()
    runs: Part[tuple[Run, ...]] = Part()
    studies: Part[tuple[Work, ...]] = Part()
    services: Part[tuple[Work, ...]] = Part()
    training: Part[tuple[Work, ...]] = Part()
    troubles: tuple[Trouble, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether nothing was found that is broken."""
        return not self.troubles
