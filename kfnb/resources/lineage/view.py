"""``draw_lineage``: a lineage as a graph, with what a thing was made of and what it was used for as trees."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from kfnb.resources.lineage.model import Lineage, LineageEdge, LineageNode, NodeKind, version_number
from kfnb.ui import theme
from kfnb.ui.blocks import Block, Picture, Section, Text, Title, bundle, notes_section
from kfnb.ui.graph.picture import draw
from kfnb.ui.graph.scene import Item, Link, Scene
from kfnb.ui.states import StateStyle, style_of
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import assignments, moment, short, type_name

MOST_DRAWN = 300
"""Maximum nodes of a picture: a larger one is unreadable, and makes the notebook large."""
MOST_ROWS = 300
_DIGITS = 12
_SAVED = "kf_model"
"""The output in which ``kf.save`` puts models."""
_SUBJECT = StateStyle("◆", "This", theme.BLUE, "M8 4.4 L11.6 8 L8 11.6 L4.4 8 Z", solid=True)
_WORDS = {NodeKind.DATA: "data version", NodeKind.MODEL: "model"}
_COLUMNS = (
    Column("Name"),
    Column("Kind", whole=True),
    Column("Used as"),
    Column("Run", whole=True),
    Column("When", whole=True),
    Column("Parameters"),
)


def draw_lineage(lineage: Lineage) -> dict[str, str]:
    """A lineage as a mimebundle of HTML and text."""
    lineage = _without_shortcuts(_without_saved(lineage))
    blocks: list[Block] = [_title(lineage), *notes_section(lineage.notes)]
    if lineage.edges and len(lineage.nodes) <= MOST_DRAWN:
        blocks.append(Picture(draw(_scene(lineage))))
    elif lineage.edges:
        blocks.append(
            Text(f"The graph of {len(lineage.nodes)} nodes is too large to draw; limit it with a depth.")
        )
    for heading, backwards in (("Made of", True), ("Used for", False)):
        if tree := list(_tree(lineage, heading, backwards=backwards)):
            blocks.append(Section(heading, tree))
    if not lineage.edges:
        blocks.append(Text("Nothing is known of what it was made of or used for."))
    return bundle(f"Lineage of {lineage.ref}", blocks)


def _without_saved(lineage: Lineage) -> Lineage:
    """Without what ``kf.save`` wrote and nothing took, where versions of models stand for it."""
    took = {edge.source for edge in lineage.edges} | set(lineage.subjects)
    kinds = {node.id: node.kind for node in lineage.nodes}
    registered = {edge.source for edge in lineage.edges if kinds[edge.target] is NodeKind.MODEL}
    saved = {
        edge.target
        for edge in lineage.edges
        if edge.name == _SAVED and edge.source in registered and edge.target not in took
    }
    return replace(
        lineage,
        nodes=tuple(node for node in lineage.nodes if node.id not in saved),
        edges=tuple(edge for edge in lineage.edges if edge.target not in saved),
    )


def _without_shortcuts(lineage: Lineage) -> Lineage:
    """Without the edges of registrations, which have no name, where other edges lead the same way step by step."""
    if len(lineage.nodes) > MOST_DRAWN:
        return lineage
    kept = list(lineage.edges)
    for edge in [one for one in kept if not one.name]:
        others = [one for one in kept if one is not edge]
        if edge.target in replace(lineage, subjects=(edge.source,), edges=tuple(others)).below:
            kept = others
    return replace(lineage, edges=tuple(kept))


def _title(lineage: Lineage) -> Title:
    subjects = [lineage.node(id) for id in lineage.subjects]
    facts = [f"{_word(node)} {node.digest[:_DIGITS]}".rstrip() for node in subjects[:1] if node.digest]
    if lineage.models:
        facts.append(f"models made of it: {_some(lineage.models)}")
    if lineage.data:
        facts.append(f"data behind it: {_some(lineage.data)}")
    return Title(f"Lineage of {lineage.ref}", facts=tuple(facts))


def _some(refs: Sequence[str], most: int = 5) -> str:
    more = f" and {len(refs) - most} more" if len(refs) > most else ""
    return ", ".join(refs[:most]) + more


def _name(node: LineageNode) -> str:
    """A task's name with its iteration; the versions that content is, each with its aliases, else its own name."""
    if node.kind is NodeKind.TASK:
        *groups, name = node.name.split("/")
        return f"{name}{_in_brackets([one for one in groups if one.isdigit()], '[]')}"
    versions = filter(version_number, node.refs)
    named = ", ".join(f"{ref}{_in_brackets(_aliases(node, ref.partition('@')[0]))}" for ref in versions)
    return named or node.name


def _in_brackets(words: Sequence[str], brackets: str = "()") -> str:
    return f" {brackets[0]}{', '.join(words)}{brackets[1]}" if words else ""


def _aliases(node: LineageNode, model: str) -> list[str]:
    """The aliases of a model that name the node."""
    named = (ref.partition("@") for ref in node.refs if not version_number(ref))
    return [alias for name, _, alias in named if name == model and alias not in ("", "latest")]


def _word(node: LineageNode) -> str:
    return _WORDS.get(node.kind) or (type_name(node.type).lower() if node.type else str(node.kind))


def _scene(lineage: Lineage) -> Scene:
    items = tuple(_item(node, subject=node.id in lineage.subjects) for node in lineage.nodes)
    links = tuple(Link(edge.source, edge.target, edge.name) for edge in lineage.edges)
    tasks = sum(node.kind is NodeKind.TASK for node in lineage.nodes)
    label = f"Lineage of {lineage.ref}: {tasks} tasks, {len(lineage.nodes) - tasks} artifacts"
    return Scene(label, items, links)


def _item(node: LineageNode, *, subject: bool) -> Item:
    style = style_of(node.state) if node.state else None
    if node.kind is NodeKind.TASK:
        caption = " · ".join(filter(None, (node.run, "cached" if node.cached else "")))
        return Item(node.id, _name(node), caption, state_style=style, hint=_hint(node))
    caption = " · ".join((_word(node), *_aliases(node, node.name.partition("@")[0])))
    faint = node.kind is NodeKind.ARTIFACT and not subject
    return Item(
        node.id, node.name, caption, state_style=_SUBJECT if subject else None, faint=faint, hint=_hint(node)
    )


def _hint(node: LineageNode) -> str:
    facts = (
        node.id if node.kind is NodeKind.TASK else node.name,
        node.pipeline,
        moment(node.started),
        assignments(node.parameters),
        f"sha256 {node.digest[:_DIGITS]}" if node.digest else "",
        node.uri,
        short(node.error) if node.error else "",
    )
    return "; ".join(filter(None, facts))


def _tree(lineage: Lineage, label: str, *, backwards: bool) -> Iterator[Block]:
    rows: list[list[Value]] = [
        _row(node, edge, depth, again=again)
        for node, edge, depth, again in islice(_walk(lineage, backwards=backwards), MOST_ROWS + 1)
    ]
    if rows:
        yield Table(label, _COLUMNS, rows[:MOST_ROWS]).without_empty_columns()
    if len(rows) > MOST_ROWS:
        yield Text("There are more; limit it with a depth.")


def _row(node: LineageNode, edge: LineageEdge, depth: int, *, again: bool) -> list[Value]:
    style = style_of(node.state) if node.state else None
    is_task = node.kind is NodeKind.TASK
    return [
        TableCell(_name(node), state_style=style, indent=depth, hint=_hint(node)),
        f"{_word(node)}, as above" if again else _word(node),
        edge.name,
        TableCell(node.run, code=True),
        moment(node.started) if is_task else "",
        "" if again else assignments(node.parameters),
    ]


def _walk(lineage: Lineage, *, backwards: bool) -> Iterator[tuple[LineageNode, LineageEdge, int, bool]]:
    """Each node with the edge by which it was met, its depth, and whether it was met before: depth first.

    Where there are several subjects, as the tasks of a run, what is between them is not what they were made of.
    """
    following: Mapping[str, list[LineageEdge]] = defaultdict(list)
    for edge in reversed(lineage.edges):
        following[edge.target if backwards else edge.source].append(edge)
    several = len(lineage.subjects) > 1
    inside = set(lineage.subjects) | (lineage.below if backwards else set()) if several else set()
    met = set(lineage.subjects)
    todo = [(edge, 0) for id in reversed(lineage.subjects) for edge in following[id]]
    while todo:
        edge, depth = todo.pop()
        id = edge.source if backwards else edge.target
        if id in inside:
            continue
        yield lineage.node(id), edge, depth, id in met
        if id not in met:
            met.add(id)
            todo += [(further, depth + 1) for further in following[id]]
