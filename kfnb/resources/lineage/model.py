"""Lineage: a graph of tasks and of the artifacts that they took and made."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

from kfnb.entities import RunState


class NodeKind(str, Enum):
    """What a node of a lineage is."""

    TASK = "task"
    ARTIFACT = "artifact"
    DATA = "data"
    MODEL = "model"

    def __str__(self) -> str:
        """Return the kind as JSON has it."""
        return self.value


@dataclass(frozen=True)
class LineageNode:
    """A task of a run, or content: an artifact, a version of a data set, a version of a model.

    ``id`` is ``RUN/TASK`` for a task, ``sha256:DIGEST`` for content, its address where its digest is unknown. ``refs``
    are references to a version (``churn@3``, ``churn@champion``). The same content that several tasks made is one node.
    ``state`` is None for content, and for a task whose state is unknown. Times are in seconds since 1970.
    """

    id: str
    kind: NodeKind
    name: str
    refs: tuple[str, ...] = ()
    type: str = ""
    uri: str = ""
    digest: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    run: str = ""
    run_name: str = ""
    pipeline: str = ""
    backend: str = ""
    state: RunState | None = None
    started: float | None = None
    finished: float | None = None
    cached: bool = False
    error: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LineageEdge:
    """``target`` was made of ``source``, or took it; ``name`` is the artifact's name in the task."""

    source: str
    target: str
    name: str = ""


@dataclass(frozen=True)
class Lineage:
    """What a thing was made of and what it was used for.

    ``subjects`` are the ids of the nodes that ``ref`` names: of a run, its tasks. Nodes and edges are sorted by id.
    """

    ref: str
    subjects: tuple[str, ...]
    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...] = ()
    notes: tuple[str, ...] = ()

    @cached_property
    def above(self) -> frozenset[str]:
        """The ids of all that the subjects were made of."""
        return _reached(self.subjects, ((edge.target, edge.source) for edge in self.edges))

    @cached_property
    def below(self) -> frozenset[str]:
        """The ids of all that the subjects were used for."""
        return _reached(self.subjects, ((edge.source, edge.target) for edge in self.edges))

    @property
    def models(self) -> tuple[str, ...]:
        """The versions of models that were made of it (``churn@3``)."""
        return self._refs(self.below, NodeKind.MODEL)

    @property
    def data(self) -> tuple[str, ...]:
        """The versions of data sets that it was made of (``churn-data@2``)."""
        return self._refs(self.above, NodeKind.DATA)

    @property
    def runs(self) -> tuple[str, ...]:
        """The ids of all runs in the graph."""
        return tuple(sorted({node.run for node in self.nodes if node.run}))

    def node(self, id: str) -> LineageNode:
        """The node with an id. Raises ``KeyError``."""
        return self._by_id[id]

    def to_frame(self) -> Any:
        """The nodes as a pandas DataFrame, a row each."""
        from kfnb.extras import require

        require("pandas", "to_frame")
        import pandas as pd

        rows = [
            {
                "id": node.id,
                "kind": str(node.kind),
                "name": node.name,
                "made_of": node.id in self.above,
                "used_for": node.id in self.below,
                "run": node.run,
                "state": "" if node.state is None else str(node.state),
                "digest": node.digest,
                "uri": node.uri,
            }
            for node in self.nodes
        ]
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        return f"<Lineage of {self.ref}: made of {len(self.above)}, used for {len(self.below)}>"

    @cached_property
    def _by_id(self) -> Mapping[str, LineageNode]:
        return {node.id: node for node in self.nodes}

    def _refs(self, ids: Iterable[str], kind: NodeKind) -> tuple[str, ...]:
        found = (self._by_id[id] for id in ids if id not in self.subjects)
        refs = (ref for node in found if node.kind is kind for ref in node.refs)
        return tuple(sorted(filter(version_number, refs), key=by_number))


def version_number(ref: str) -> int:
    """The number in a reference to a version (``churn@3``); 0 for an alias, or a name alone."""
    _, _, version = ref.partition("@")
    return int(version) if version.isdigit() else 0


def by_number(ref: str) -> tuple[str, int, str]:
    """The key that sorts references: by name, and ``churn@9`` before ``churn@10`` before ``churn@champion``."""
    number = version_number(ref)
    return ref.partition("@")[0], number or sys.maxsize, ref


def _reached(starts: Iterable[str], steps: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The nodes that one step or more lead to from ``starts``. A start is among them only if it is part of a cycle."""
    following = defaultdict(list)
    for one, other in steps:
        following[one].append(other)
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        for other in following[waiting.pop()]:
            if other not in found:
                found.add(other)
                waiting.append(other)
    return frozenset(found)
