"""Elyra's ``.pipeline`` file: its nodes, in an order in which they can run, and what each is given."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from kfnb.errors import UsageError

_KINDS = {"execute-notebook-node": ".ipynb", "execute-python-node": ".py"}


@dataclass(frozen=True)
class ElyraNode:
    """A notebook or a script. ``given`` are its properties, with the pipeline's defaults; ``previous`` are ids."""

    id: str
    label: str
    file: Path
    given: Mapping[str, Any]
    previous: tuple[str, ...]


@dataclass(frozen=True)
class ElyraPipeline:
    """A pipeline: ``parameters`` by name, with a type and a default; ``nodes`` in order."""

    name: str
    description: str
    parameters: Mapping[str, Mapping[str, Any]]
    nodes: tuple[ElyraNode, ...]
    comments: tuple[str, ...]


def read_elyra(path: Path) -> ElyraPipeline:
    """Read a file. Raises ``UsageError`` for what is not such a pipeline, or has nodes that cannot be converted."""
    found = _document(path)
    try:
        primary = next(one for one in found["pipelines"] if one["id"] == found["primary_pipeline"])
        data = primary.get("app_data") or {}
        properties = data.get("properties") or {}
        defaults = properties.get("pipeline_defaults") or {}
        nodes = [_node(one, defaults, path) for one in primary["nodes"]]
        return ElyraPipeline(
            name=str(properties.get("name") or path.stem),
            description=str(properties.get("description") or ""),
            parameters={one["name"]: one for one in properties.get("pipeline_parameters") or ()},
            nodes=tuple(_in_order(nodes, path)),
            comments=tuple(_comments(data)),
        )
    except (KeyError, TypeError, AttributeError, StopIteration) as error:
        raise UsageError(
            f"{path} is not a pipeline of Elyra's: {error!r} in its JSON", ref=str(path)
        ) from None


def _document(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist", code="file-not-found", ref=str(path)) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", ref=str(path)) from None
    except ValueError:
        raise UsageError(f"{path} is not a pipeline of Elyra's: it is not JSON", ref=str(path)) from None


def _node(node: Mapping[str, Any], defaults: Mapping[str, Any], path: Path) -> ElyraNode:
    data = node.get("app_data") or {}
    given = data.get("component_parameters") or data  # before Elyra 3.7 they were the data themselves
    label = str(
        data.get("label") or (data.get("ui_data") or {}).get("label") or Path(given.get("filename", "")).stem
    )
    kind = str(node.get("op") or node.get("type"))
    if kind not in _KINDS:
        raise UsageError(
            f"{path}: node {label or node['id']} is {kind}, which cannot be converted:",
            hint="only notebooks and Python scripts can be; remove that node, and write its step in the notebook",
            ref=str(path),
        )
    links = [link for port in node.get("inputs") or () for link in port.get("links") or ()]
    previous = tuple(dict.fromkeys(str(link["node_id_ref"]) for link in links))
    return ElyraNode(
        str(node["id"]), label, path.parent / given["filename"], _with(defaults, given), previous
    )


def _with(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> Mapping[str, Any]:
    """A node's properties; its lists are added to the pipeline's, and what is empty is the pipeline's."""
    both = {**defaults, **{key: value for key, value in own.items() if value not in (None, "", [])}}
    for key, value in defaults.items():
        if isinstance(value, list):
            both[key] = [*value, *(own.get(key) or [])]
    return both


def _in_order(nodes: Sequence[ElyraNode], path: Path) -> list[ElyraNode]:
    known = {node.id: node for node in nodes}
    lost = [node.label for node in nodes if not set(node.previous) <= known.keys()]
    if lost:
        raise UsageError(
            f"{path}: node {lost[0]} follows a node that the pipeline does not have", ref=str(path)
        )
    if not nodes:
        raise UsageError(f"{path} has no nodes", ref=str(path))
    try:
        return [
            known[one] for one in TopologicalSorter({node.id: node.previous for node in nodes}).static_order()
        ]
    except CycleError as error:
        labels = " -> ".join(known[one].label for one in reversed(error.args[1]))
        raise UsageError(f"{path}: the nodes form a cycle: {labels}", ref=str(path)) from None


def _comments(data: Mapping[str, Any]) -> list[str]:
    comments = (data.get("ui_data") or {}).get("comments") or ()
    return [str(one["content"]) for one in comments if one.get("content")]
