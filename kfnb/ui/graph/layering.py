"""One level of a graph in layers: the layer of each node, its rank there, and its place.

The classical method (Sugiyama): layers by longest path, edges over several layers led through extra
stops, order by barycenters, then heights that pull neighbours level. Pure numbers; nothing here knows what is
drawn.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

Edge = tuple[str, str]
Links = Mapping[str, Sequence[str]]

SWEEPS = 4


def neighbours(
    nodes: Iterable[str], edges: Iterable[Edge]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The nodes before and the nodes after each node."""
    before: dict[str, list[str]] = {node: [] for node in nodes}
    after: dict[str, list[str]] = {node: [] for node in before}
    for source, target in edges:
        before[target].append(source)
        after[source].append(target)
    return before, after


def forward(nodes: Sequence[str], edges: Sequence[Edge]) -> tuple[list[str], list[Edge]]:
    """The nodes in an order that all edges follow, and those edges; one that closes a cycle is left out."""
    before, after = neighbours(nodes, edges)
    waiting = {node: len(before[node]) for node in nodes}
    ready = deque(node for node in nodes if not waiting[node])
    rest = iter(nodes)
    order: dict[str, int] = {}
    while len(order) < len(waiting):
        node = ready.popleft() if ready else next(node for node in rest if node not in order)
        if node in order:
            continue
        order[node] = len(order)
        for following in after[node]:
            waiting[following] -= 1
            if not waiting[following]:
                ready.append(following)
    return list(order), [(source, target) for source, target in edges if order[source] < order[target]]


def layer_numbers(order: Sequence[str], before: Links, after: Links) -> dict[str, int]:
    """Each node one layer after the last that it needs; what needs nothing, right before its first use."""
    layer: dict[str, int] = {}
    for node in order:
        layer[node] = max((layer[source] + 1 for source in before[node]), default=0)
    for node in reversed(order):
        if not before[node] and after[node]:
            layer[node] = min(layer[target] for target in after[node]) - 1
    return layer


def sort_layers(layers: Sequence[list[str]], before: Links, after: Links) -> None:
    """Order each layer, in place, by where its neighbours stand, so that few edges cross."""
    place = {node: float(index) for nodes in layers for index, node in enumerate(nodes)}
    for sweep in range(SWEEPS):
        links, path = (before, layers) if sweep % 2 == 0 else (after, layers[::-1])
        for nodes in path:
            nodes.sort(key=lambda node: _mean([place[other] for other in links[node]], place[node]))
            place.update((node, float(index)) for index, node in enumerate(nodes))


def heights(
    layers: Sequence[Sequence[str]], sizes: Mapping[str, float], gap: float, before: Links, after: Links
) -> dict[str, float]:
    """The height of each node's middle: near its neighbours', in its layer's order, ``gap`` between two."""
    middle: dict[str, float] = defaultdict(float)
    for sweep in range(SWEEPS):
        links, path = (before, layers) if sweep % 2 == 0 else (after, layers[::-1])
        for nodes in path:
            targets = [_mean([middle[other] for other in links[node]], middle[node]) for node in nodes]
            apart = [(sizes[one] + sizes[other]) / 2 + gap for one, other in pairwise(nodes)]
            middle.update(zip(nodes, spread(targets, apart), strict=True))
    return middle


def spread(targets: Sequence[float], apart: Sequence[float]) -> list[float]:
    """The places nearest to ``targets`` (least squares) that keep their order and the distances ``apart``.

    Isotonic regression by pooling adjacent violators, on what is left when the distances are taken off.
    """
    offsets = [0.0]
    for distance in apart:
        offsets.append(offsets[-1] + distance)
    pools: list[tuple[float, int]] = []
    for place, offset in zip(targets, offsets, strict=False):
        total, count = place - offset, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            last = pools.pop()
            total, count = total + last[0], count + last[1]
        pools.append((total, count))
    flat = [total / count for total, count in pools for _ in range(count)]
    return [place + offset for place, offset in zip(flat, offsets, strict=False)]


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default
