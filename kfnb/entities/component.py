"""Components and pipelines before they run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Port:
    """An input, an output or a parameter: its name, its type as KFP calls it, and where its value comes from.

    ``unread`` marks a possible output that no step reads.
    """

    name: str
    type: str
    origin: str = ""
    default: str = ""
    unread: bool = False


@dataclass(frozen=True)
class CarriedItem:
    """A dependency that a component's step includes: its kind (``import``, ``source``, ``constant``, ``module``,
    ``transform``, ``file``, ``variable``), its origin, and the reason.
    """

    name: str
    kind: str
    origin: str
    reason: str


@dataclass(frozen=True)
class PodSetting:
    """A setting of a step's pod, and its value: ``memory`` and ``4G``, ``folder /data`` and ``volume claim data``."""

    what: str
    value: str


@dataclass(frozen=True)
class ComponentView:
    """What ``%kf_show NAME`` shows of a component: inputs, outputs, and what the step includes, with the reasons.

    ``kind`` is ``component``, or ``transform`` for what has only code. ``notes`` are for the user (a value inlined, a
    file that is not included); ``source`` is the step's program.
    """

    name: str
    cell: str
    kind: str = "component"
    image: str = ""
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    travellers: tuple[CarriedItem, ...] = ()
    packages: tuple[str, ...] = ()
    pod: tuple[PodSetting, ...] = ()
    notes: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class GraphNode:
    """A task or a group of a pipeline that has not run. ``label`` describes a group (``If accuracy > 0.9``)."""

    id: str
    name: str
    parent: str = ""
    group: bool = False
    label: str = ""


@dataclass(frozen=True)
class GraphEdge:
    """``target`` takes ``label`` (an output's name, empty for mere order) from ``source``; both are node ids."""

    source: str
    target: str
    label: str = ""


@dataclass(frozen=True)
class Graph:
    """A pipeline before it runs."""

    name: str
    parameters: tuple[Port, ...] = ()
    nodes: tuple[GraphNode, ...] = ()
    edges: tuple[GraphEdge, ...] = ()
    notes: tuple[str, ...] = ()
