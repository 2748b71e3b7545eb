"""``draw_graph``: a pipeline before it runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from kfnb.entities import Graph, GraphEdge, GraphNode
from kfnb.resources.components.view.component import port_table
from kfnb.text.group_names import group_word
from kfnb.ui.blocks import Block, Picture, Section, Title, bundle, notes_section
from kfnb.ui.graph.layering import forward
from kfnb.ui.graph.picture import draw
from kfnb.ui.graph.scene import Item, Link, Scene
from kfnb.ui.table import Column, Table, TableCell, Value


def draw_graph(graph: Graph) -> dict[str, str]:
    """A pipeline as a mimebundle of HTML and text."""
    blocks: list[Block] = [Title(graph.name, facts=("pipeline", _size(graph)))]
    blocks += notes_section(graph.notes)
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


def _title(node: GraphNode) -> str:
    return node.label or group_word(node.name) if node.group else node.name


def _table(graph: Graph) -> Table:
    taken: dict[str, list[GraphEdge]] = defaultdict(list)
    for edge in graph.edges:
        taken[edge.target].append(edge)
    names = {node.id: _title(node) for node in graph.nodes}
    rows: list[list[Value]] = []
    for node, depth in _walk(graph):
        rows.append(
            [
                TableCell(_title(node), indent=depth),
                "" if node.group else node.label,
                _sources(taken[node.id], names),
            ]
        )
    return Table("Steps", (Column("Step"), Column("What"), Column("Takes")), rows).without_empty_columns()


def _sources(edges: list[GraphEdge], names: dict[str, str]) -> str:
    """The inputs as text: ``df, cols from load; score from evaluate``, or ``after load`` for mere order."""
    by_source: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        by_source[names.get(edge.source, edge.source)] += [edge.label] if edge.label else []
    return "; ".join(
        f"{', '.join(labels)} from {source}" if labels else f"after {source}"
        for source, labels in by_source.items()
    )


def _walk(graph: Graph) -> Iterator[tuple[GraphNode, int]]:
    """Each node with its depth in groups, groups before their content; cycles of parents are skipped."""
    known = {node.id for node in graph.nodes}
    children: dict[str, list[GraphNode]] = defaultdict(list)
    for node in graph.nodes:
        children[node.parent if node.parent in known else ""].append(node)
    orders = _Orders(graph)
    todo = [(node, 0) for node in reversed(orders.sort(children.pop("", [])))]
    while todo:
        node, depth = todo.pop()
        yield node, depth
        todo += [(child, depth + 1) for child in reversed(orders.sort(children.pop(node.id, [])))]


class _Orders:
    """The order of the nodes of a group, by its edges and those of its content."""

    def __init__(self, graph: Graph) -> None:
        self._parents = {node.id: node.parent for node in graph.nodes}
        self._edges = [(self._chain(edge.source), self._chain(edge.target)) for edge in graph.edges]

    def _chain(self, node: str) -> list[str]:
        """A node, its group, and so on outwards."""
        chain: list[str] = []
        while node in self._parents and node not in chain:
            chain.append(node)
            node = self._parents[node]
        return chain

    def sort(self, nodes: list[GraphNode]) -> list[GraphNode]:
        by_id = {node.id: node for node in nodes}
        lifted = (
            (next((id for id in source if id in by_id), ""), next((id for id in target if id in by_id), ""))
            for source, target in self._edges
        )
        edges = [
            (source, target)
            for source, target in dict.fromkeys(lifted)
            if source and target and source != target
        ]
        order, _ = forward(list(by_id), edges)
        return [by_id[id] for id in order]
