"""The graph of a compiled pipeline: its tasks and groups, and the data between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Any

from kfnb.entities import Graph, GraphEdge, GraphNode, Port, imported_data, importers
from kfnb.pipeline.spec import Compiled, parameter_type
from kfnb.text import conditions


def graph_of(compiled: Compiled) -> Graph:
    """The graph of a compiled pipeline, before it runs."""
    spec = compiled.spec
    nodes: list[GraphNode] = []
    edges: list[GraphEdge] = []
    _walk(spec, spec["root"], "", nodes, edges)
    definitions = spec["root"].get("inputDefinitions", {})
    params = [
        Port(name, parameter_type(one), "parameter", _default(one))
        for name, one in definitions.get("parameters", {}).items()
    ]
    params += [
        Port(name, one.get("artifactType", {}).get("schemaTitle", ""), "artifact")
        for name, one in definitions.get("artifacts", {}).items()
    ]
    return Graph(compiled.name, tuple(params), tuple(nodes), tuple(edges), compiled.notes)


def _default(definition: Mapping[str, Any]) -> str:
    value = definition.get("defaultValue")
    if parameter_type(definition) == "int" and value is not None:
        value = int(value)  # the spec stores every number as a double
    return "" if value is None else repr(value)


def _walk(
    spec: Mapping[str, Any],
    component: Mapping[str, Any],
    parent: str,
    nodes: list[GraphNode],
    edges: list[GraphEdge],
) -> None:
    tasks: Mapping[str, Any] = component.get("dag", {}).get("tasks", {})
    titles = {executor: files.title for executor, files in importers(spec)}
    titles |= {executor: data.ref for executor, data in imported_data(spec)}
    for key in _in_order(tasks):
        task = tasks[key]
        node_id = f"{parent}/{key}" if parent else key
        inner = spec.get("components", {}).get(task["componentRef"]["name"], {})
        is_group = "dag" in inner
        name = titles.get(inner.get("executorLabel", "")) or task.get("taskInfo", {}).get("name", key)
        nodes.append(GraphNode(node_id, name, parent, is_group, _label(task)))
        edges += [
            GraphEdge(f"{parent}/{source}" if parent else source, node_id, label)
            for source, label in _sources(task)
        ]
        if is_group:
            _walk(spec, inner, node_id, nodes, edges)


def _in_order(tasks: Mapping[str, Any]) -> Iterator[str]:
    """The tasks in an order in which they could run; KFP's files have no order."""
    sorter = TopologicalSorter({key: [source for source, _ in _sources(task)] for key, task in tasks.items()})
    sorter.prepare()
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=_natural)
        yield from ready
        sorter.done(*ready)


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """A sorting key by which ``condition-10`` comes after ``condition-9``."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name))


def _sources(task: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(task, output) for each input that a task takes from a sibling; the output is empty for mere order."""
    inputs = task.get("inputs", {})
    producers = set()
    for one in [*inputs.get("parameters", {}).values(), *inputs.get("artifacts", {}).values()]:
        for value in one.values():
            if isinstance(value, Mapping) and "producerTask" in value:
                label = value.get("outputParameterKey") or value.get("outputArtifactKey") or ""
                producers.add(value["producerTask"])
                yield value["producerTask"], str(label)
    for name in task.get("dependentTasks", ()):
        if name not in producers:
            yield name, ""


def _label(task: Mapping[str, Any]) -> str:
    condition = task.get("triggerPolicy", {}).get("condition")
    if condition:
        return conditions.words(str(condition))
    iterator = task.get("parameterIterator") or task.get("artifactIterator")
    if iterator:
        limit = task.get("iteratorPolicy", {}).get("parallelismLimit")
        return f"for each of {_items(iterator)}" + (f", {limit} at once" if limit else "")
    return ""


def _items(iterator: Mapping[str, Any]) -> str:
    """The items of a loop as written in the pipeline, or the name that they come from."""
    items = iterator.get("items", {})
    return str(items.get("raw") or items.get("inputParameter") or items.get("inputArtifact")).removeprefix(
        "pipelinechannel--"
    )
