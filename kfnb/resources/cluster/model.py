"""The status of a cluster, as one user sees it, and of this machine; checks of both."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Generic, TypeVar

from kfnb.entities import Listing, RunSnapshot
from kfnb.resources.monitors.model import MonitorOutline

T = TypeVar("T")


class Knowledge(str, Enum):
    """What is known of a thing. A hidden thing may exist or not: the user has no permission to see it."""

    KNOWN = "known"
    ABSENT = "absent"
    HIDDEN = "hidden"
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        """The word."""
        return self.value


@dataclass(frozen=True)
class StatusItem(Generic[T]):
    """A part of the status. ``value`` is set if it is known, else ``reason`` says why not.

    ``more`` is the number of items of a long list that were not read, None if that is unknown.
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
    """The user that Kubernetes authenticates; ``account`` is the service account, as ``NAMESPACE/NAME``, or empty."""

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
    """Kubernetes' version; ``verdict`` says in a sentence whether the installed Kubeflow supports it."""

    version: str
    release: str = ""
    supported: bool | None = None
    verdict: str = ""


@dataclass(frozen=True)
class KubeflowPart:
    """A part of Kubeflow: whether it is installed, its version, and how many of its deployments are ready.

    ``health`` says whether the deployments could be read; ``failing`` are those that are not ready, as
    ``NAMESPACE/NAME``.
    """

    name: str
    knowledge: Knowledge
    version: str = ""
    health: Knowledge = Knowledge.UNKNOWN
    ready: int = 0
    desired: int = 0
    failing: tuple[str, ...] = ()
    wanted = property(attrgetter("desired"))
    """The former name."""


@dataclass(frozen=True)
class Quota:
    """How much of a resource a namespace may use: ``used`` and ``hard`` as Kubernetes writes them, ``share`` 0 to 1."""

    resource: str
    used: str
    hard: str
    share: float = 0.0


@dataclass(frozen=True)
class Gpus:
    """The GPUs of one kind; ``free`` is None where the pods that use them cannot be read."""

    kind: str
    resource: str
    total: int
    free: int | None = None


@dataclass(frozen=True)
class ClusterNode:
    """A node of the cluster: ``cpu`` in cores and ``memory`` in bytes, both allocatable."""

    name: str
    ready: bool
    cpu: float = 0.0
    memory: int = 0
    gpus: int = 0
    schedulable: bool = True
    version: str = ""
    message: str = ""


@dataclass(frozen=True)
class VolumeClaim:
    """A persistent volume claim; ``phase`` is ``Bound``, ``Pending`` or ``Lost``."""

    name: str
    size: str = ""
    phase: str = ""
    kind: str = ""
    modes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PodDefault:
    """A PodDefault; ``on`` is whether this notebook's pod has its label, None outside of a notebook's pod.

    ``pipelines`` is whether it lets pods call Kubeflow Pipelines.
    """

    name: str
    description: str = ""
    labels: tuple[str, ...] = ()
    on: bool | None = None
    pipelines: bool = False
    told = property(attrgetter("description"))
    """The former name."""


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
    """A pod that does not run yet. ``reason`` is a Kubernetes reason, ``owner`` the pod's owner as KIND/NAME."""

    name: str
    reason: str
    message: str = ""
    owner: str = ""
    created: str = ""


@dataclass(frozen=True)
class KubeflowWork:
    """A study, a service or a training job on the cluster; ``state`` is its newest condition."""

    kind: str
    name: str
    state: str
    message: str = ""
    created: str = ""


@dataclass(frozen=True)
class Problem:
    """A problem, its reason, and the command or YAML that fixes it or shows more (empty where there is none)."""

    what: str
    why: str = ""
    fix: str = ""
    kind: str = "command"


@dataclass(frozen=True)
class Machine:
    """This machine: the usable ``cores``, memory and disk in bytes, and the folder of runs."""

    cores: int
    memory: int = 0
    memory_free: int = 0
    home: str = ""
    disk_free: int = 0
    python: str = ""


@dataclass(frozen=True)
class Status:
    """The status of the environment.

    ``backend`` is where runs go, ``server`` Kubernetes' address, empty without a cluster; ``within`` is the namespace
    that was read, ``contexts`` are those of the kubeconfig if none is set.
    """

    backend: str
    here: Machine
    server: str = ""
    context: str = ""
    contexts: tuple[str, ...] = ()
    within: str = ""
    as_of: float = 0.0
    user: StatusItem[User] = StatusItem()
    namespace: StatusItem[Namespace] = StatusItem()
    version: StatusItem[Version] = StatusItem()
    kubeflow: StatusItem[tuple[KubeflowPart, ...]] = StatusItem()
    quota: StatusItem[tuple[Quota, ...]] = StatusItem()
    gpus: StatusItem[tuple[Gpus, ...]] = StatusItem()
    nodes: StatusItem[tuple[ClusterNode, ...]] = StatusItem()
    volumes: StatusItem[tuple[VolumeClaim, ...]] = StatusItem()
    pod_defaults: StatusItem[tuple[PodDefault, ...]] = StatusItem()
    notebooks: StatusItem[tuple[NotebookServer, ...]] = StatusItem()
    workspaces: StatusItem[tuple[NotebookServer, ...]] = StatusItem()
    waiting: StatusItem[tuple[WaitingPod, ...]] = StatusItem()
    runs: StatusItem[tuple[RunSnapshot, ...]] = StatusItem()
    studies: StatusItem[tuple[KubeflowWork, ...]] = StatusItem()
    services: StatusItem[tuple[KubeflowWork, ...]] = StatusItem()
    training: StatusItem[tuple[KubeflowWork, ...]] = StatusItem()
    monitors: StatusItem[tuple[MonitorOutline, ...]] = StatusItem()
    troubles: tuple[Problem, ...] = ()
    asked = property(attrgetter("as_of"))
    """The former name."""

    @property
    def healthy(self) -> bool:
        """Whether no problem was found."""
        return not self.troubles


class CheckOutcome(str, Enum):
    """The outcome of a check; what could not be checked is skipped."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"
    SKIPPED = "skipped"

    def __str__(self) -> str:
        """The word."""
        return self.value


@dataclass(frozen=True)
class Check:
    """A check: its outcome, what was found, and how to fix it."""

    name: str
    outcome: CheckOutcome
    message: str = ""
    fix: str = ""
    told = property(attrgetter("message"))
    """The former name."""


class CheckList(Listing[Check]):
    """Checks, in order."""
