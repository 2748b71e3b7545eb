"""``draw_graph``: a pipeline before it runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from kfnb.model import Edge, Graph, Node
from kfnb.widgets.blocks import Block, Items, Picture, Section, Title, bundle
from kfnb.widgets.component import port_table
from kfnb.widgets.picture import draw
from kfnb.widgets.scene import Item, Link, Scene
from kfnb.widgets.table import Cell, Column, Table, Value


def draw_graph(graph: Graph) -> dict[str, str]:
    """A pipeline as a mimebundle of HTML and text."""
    blocks: list[Block] = [Title(graph.name, facts=("pipeline", _size(graph)))]
    if graph.notes:
        blocks.append(Section("Notes", [Items(graph.notes)]))
    if graph.parameters:
        blocks.append(Section("Parameters", [port_table("Parameters", graph.parameters)]))
    if graph.nodes:
        blocks += [Picture(draw(_scene(graph))), Section("Steps", [_table(graph)])]
    return bundle(f"Pipeline {graph.name}", blocks)


def _size(graph: Graph) -> str:
    steps = sum(not node.group for node in graph.nodes)
    return "1 step" if steps == 1 else f"{steps} steps"


def _scene(graph: Graph) -> Scene:
    items = tuple(
        Item(node.id, _title(node), parent=node.parent, group=node.group, hint=node.label or node.name)
        for node in graph.nodes
    )
    links = tuple(Link(edge.source, edge.target, edge.label) for edge in graph.edges)
    return Scene(f"Graph of {graph.name}: {_size(graph)}", items, links)


def _title(node: Node) -> str:
    return node.label or node.name if node.group else node.name


def _table(graph: Graph) -> Table:
    taken: dict[str, list[Edge]] = defaultdict(list)
    for edge in graph.edges:
        taken[edge.target].append(edge)
    names = {node.id: _title(node) for node in graph.nodes}
    rows: list[list[Value]] = []
    for node, depth in _walk(graph):
        rows.append(
            [
                Cell(_title(node), indent=depth),
                "" if node.group else node.label,
                _sources(taken[node.id], names),
            ]
        )
    return Table("Steps", (Column("Step"), Column("What"), Column("Takes")), rows).without_empty_columns()


def _sources(edges: list[Edge], names: dict[str, str]) -> str:
    """``df, cols from load; score from evaluate``; a step that is only waited for is ``after load``."""
    by_source: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        by_source[names.get(edge.source, edge.source)] += [edge.label] if edge.label else []
    return "; ".join(
        f"{', '.join(labels)} from {source}" if labels else f"after {source}"
        for source, labels in by_source.items()
    )


def _walk(graph: Graph) -> Iterator[tuple[Node, int]]:
    """Each node with how many groups it is in, groups before what is in them; without rings of parents."""
    known = {node.id for node in graph.nodes}
    children: dict[str, list[Node]] = defaultdict(list)
    for node in graph.nodes:
        children[node.parent if node.parent in known else ""].append(node)
    todo = [(node, 0) for node in reversed(children.pop("", []))]
    while todo:
        node, depth = todo.pop()
        yield node, depth
        todo += [(child, depth + 1) for child in reversed(children.pop(node.id, []))]
