"""Notebooks on a cluster: servers that Kubeflow runs for a person, of version 1 (Notebook) or 2 (Workspace)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter

from kfnb.resources.cluster.model import Knowledge, StatusItem


class NotebookState(str, Enum):
    """The state of a notebook. A failing notebook does not start and needs to be fixed."""

    RUNNING = "running"
    STARTING = "starting"
    FAILING = "failing"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DELETING = "being deleted"

    def __str__(self) -> str:
        """The word."""
        return self.value


@dataclass(frozen=True)
class Mount:
    """A volume claim in a notebook, and its path."""

    claim: str
    path: str


@dataclass(frozen=True)
class Notebook:
    """A notebook. ``kind`` is ``Notebook`` (version 1) or ``Workspace`` (version 2).

    ``why`` says why it does not run yet. Times are in seconds since the epoch, None if unknown: ``since`` is when its
    state began. ``cpu`` and ``memory`` are as Kubernetes writes them, ``gpus`` are numbers by kind. A workspace gets
    them from its ``options``: its kind, image configuration and pod configuration.
    """

    name: str
    state: NotebookState
    kind: str = "Notebook"
    namespace: str = ""
    why: str = ""
    since: float | None = None
    image: str = ""
    cpu: str = ""
    memory: str = ""
    gpus: tuple[tuple[int, str], ...] = ()
    mounts: tuple[Mount, ...] = ()
    home: str = ""
    last_activity: float | None = None
    created: float | None = None
    creator: str = ""
    options: tuple[str, ...] = ()
    here: bool = False
    """Whether this program runs in the notebook."""

    @property
    def word(self) -> str:
        """The word for its kind in a sentence: ``notebook`` or ``workspace``."""
        return self.kind.lower()


_UNASKED: StatusItem[tuple[Notebook, ...]] = StatusItem()


@dataclass(frozen=True)
class NotebookList:
    """The notebooks of a namespace, each kind known, absent from the cluster, or hidden from its user.

    ``sizeless`` says why the resources of the workspaces are unknown, if they are.
    """

    namespace: str
    notebooks: StatusItem[tuple[Notebook, ...]] = _UNASKED
    workspaces: StatusItem[tuple[Notebook, ...]] = _UNASKED
    sizeless: str = ""

    def __iter__(self) -> Iterator[Notebook]:
        """All notebooks that the user may see."""
        return iter((*(self.notebooks.value or ()), *(self.workspaces.value or ())))

    def __len__(self) -> int:
        return len(list(iter(self)))

    @property
    def unseen(self) -> tuple[tuple[str, StatusItem[tuple[Notebook, ...]]], ...]:
        """The kinds that could not be read, but may exist."""
        both = (("Notebooks", self.notebooks), ("Workspaces", self.workspaces))
        return tuple((name, part) for name, part in both if part.knowledge in _UNSEEN)


@dataclass(frozen=True)
class DryRun:
    """What would be created, as YAML, and the server's warnings: nothing was created."""

    yaml: str
    accepted: bool
    message: str
    told = property(attrgetter("message"))
    """The former name."""


_UNSEEN = (Knowledge.HIDDEN, Knowledge.UNKNOWN)
