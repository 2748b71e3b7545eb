"""Where the boxes of a graph stand: left to right, groups around what is in them.

``arrange`` lays out each group by itself, innermost first, and then takes it for one box. An edge between
boxes of different groups joins the outermost boxes that part them, so an edge never runs through a box.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from kfnb.ui.graph import layering
from kfnb.ui.graph.layering import Edge

COLUMN_GAP = 40.0
ROW_GAP = 18.0
PADDING = 14.0
HEADER = 30.0
STOP_HEIGHT = 4.0
# for each box and edge, on the average
MOST_STOPS = 10

Point = tuple[float, float]
Sizes = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Box:
    """Something to place. A box that others name as ``parent`` is a group: its size is the least it takes."""

    id: str
    width: float
    height: float
    parent: str = ""


@dataclass(frozen=True)
class Place:
    """A rectangle by its upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Route:
    """An edge's way: from point to point, level from an even one to the odd one after it, else in a curve.

    ``carries`` are the edges, as they were given, that go this way.
    """

    source: str
    target: str
    points: tuple[Point, ...]
    carries: tuple[Edge, ...]


@dataclass(frozen=True)
class Layout:
    """Everything placed, in a picture of ``width`` by ``height``."""

    width: float
    height: float
    places: Mapping[str, Place]
    routes: tuple[Route, ...]


def arrange(boxes: Sequence[Box], edges: Iterable[Edge]) -> Layout:
    """Place ``boxes``; edges that name no box, or join a group and what is in it, are left out."""
    by_id = {box.id: box for box in boxes}
    chains = {box.id: _chain(box, by_id) for box in boxes}
    members: dict[str, list[str]] = defaultdict(list)
    for box in by_id.values():
        members[chains[box.id][-2]].append(box.id)
    inner: dict[str, dict[Edge, list[Edge]]] = defaultdict(lambda: defaultdict(list))
    for edge in dict.fromkeys(edges):
        lifted = _lift(edge, chains)
        if lifted:
            inner[lifted[0]][lifted[1]].append(edge)
    sizes = {box.id: (box.width, box.height) for box in boxes}
    levels: dict[str, Layout] = {}
    for group in sorted(members, key=lambda id: len(chains.get(id, ())), reverse=True):
        levels[group] = _arrange_level(members[group], inner[group], sizes)
        if group:
            sizes[group] = _around(by_id[group], levels[group])
    return _join(levels)


def _chain(box: Box, by_id: Mapping[str, Box]) -> tuple[str, ...]:
    """The ids from the root (an empty one) down to the box; an unknown or circular parent is the root."""
    chain = {box.id: None}
    top = box
    while top.parent in by_id and top.parent not in chain:
        top = by_id[top.parent]
        chain[top.id] = None
    # a ring of parents has no way up: all its members are the root's
    return ("", box.id) if top.parent in chain else ("", *reversed(chain))


def _lift(edge: Edge, chains: Mapping[str, tuple[str, ...]]) -> tuple[str, Edge] | None:
    """The innermost group that holds both ends, and the edge between what holds each end in there."""
    if edge[0] not in chains or edge[1] not in chains:
        return None
    common = ""
    for one, other in zip(chains[edge[0]], chains[edge[1]], strict=False):
        if one != other:
            return common, (one, other)
        common = one
    return None


def _around(box: Box, level: Layout) -> tuple[float, float]:
    return max(box.width, level.width + 2 * PADDING), level.height + HEADER + PADDING


def _arrange_level(nodes: Sequence[str], carried: Mapping[Edge, Sequence[Edge]], sizes: Sizes) -> Layout:
    """Place the nodes of one group, from (0, 0) on."""
    order, edges = layering.forward(nodes, list(carried))
    layer = layering.layer_numbers(order, *layering.neighbours(order, edges))
    ways = _ways(layer, edges)
    hops = dict.fromkeys(hop for edge, way in ways.items() for hop in pairwise((edge[0], *way, edge[1])))
    passed = {
        stop: number for edge, way in ways.items() for number, stop in enumerate(way, layer[edge[0]] + 1)
    }
    layer_of = {**layer, **passed}
    layers: list[list[str]] = [[] for _ in range(max(layer_of.values(), default=-1) + 1)]
    for node, number in layer_of.items():
        layers[number].append(node)
    before, after = layering.neighbours(layer_of, hops)
    layering.sort_layers(layers, before, after)
    tall = {node: sizes[node][1] if node in sizes else STOP_HEIGHT for node in layer_of}
    middle = layering.heights(layers, tall, ROW_GAP, before, after)
    columns = _columns(layers, sizes)
    top = min((middle[node] - tall[node] / 2 for node in layer_of), default=0.0)
    places = {
        node: Place(columns[layer[node]][0], middle[node] - tall[node] / 2 - top, *sizes[node])
        for node in order
    }
    levels = {node: middle[node] - top for node in layer_of}
    routes = tuple(
        Route(*edge, _points(edge, ways[edge], layer, levels, columns, places), tuple(carried[edge]))
        for edge in edges
    )
    bottom = max((levels[node] + tall[node] / 2 for node in layer_of), default=0.0)
    return Layout(columns[-1][1] if columns else 0.0, bottom, places, routes)


def _ways(layer: Mapping[str, int], edges: Sequence[Edge]) -> dict[Edge, tuple[str, ...]]:
    """Each edge's stops in the layers that it passes, shared by all edges of one source.

    Where a graph would need a great many, the longest edges get none, and run straight over what is between.
    """
    room = MOST_STOPS * (len(layer) + len(edges))
    ways: dict[Edge, tuple[str, ...]] = {}
    for source, target in sorted(edges, key=lambda edge: layer[edge[1]] - layer[edge[0]]):
        between = range(layer[source] + 1, layer[target])
        room -= len(between)
        # no box's id holds a NUL
        ways[source, target] = tuple(f"{source}\0{number}" for number in between) if room >= 0 else ()
    return ways


def _columns(layers: Sequence[Sequence[str]], sizes: Sizes) -> list[tuple[float, float]]:
    """From where to where each layer's column reaches."""
    columns: list[tuple[float, float]] = []
    left = 0.0
    for nodes in layers:
        right = left + max((sizes[node][0] for node in nodes if node in sizes), default=0.0)
        columns.append((left, right))
        left = right + COLUMN_GAP
    return columns


def _points(
    edge: Edge,
    way: Sequence[str],
    layer: Mapping[str, int],
    levels: Mapping[str, float],
    columns: Sequence[tuple[float, float]],
    places: Mapping[str, Place],
) -> tuple[Point, ...]:
    source, target = edge
    start = places[source]
    points = [(start.x + start.width, levels[source]), (columns[layer[source]][1], levels[source])]
    for stop, (left, right) in zip(way, columns[layer[source] + 1 :], strict=False):
        points += [(left, levels[stop]), (right, levels[stop])]
    points.append((places[target].x, levels[target]))
    return tuple(points)


def _join(levels: Mapping[str, Layout]) -> Layout:
    """All levels in the root's coordinates; ``levels`` has inner groups first."""
    places: dict[str, Place] = {}
    routes: list[Route] = []
    for group, level in reversed(list(levels.items())):
        corner = places[group] if group else Place(-PADDING, -HEADER, 0, 0)
        x, y = corner.x + PADDING, corner.y + HEADER
        for id, place in level.places.items():
            places[id] = Place(place.x + x, place.y + y, place.width, place.height)
        for route in level.routes:
            points = tuple((px + x, py + y) for px, py in route.points)
            routes.append(replace(route, points=points))
    root = levels.get("", Layout(0, 0, {}, ()))
    return Layout(root.width, root.height, places, tuple(routes))
