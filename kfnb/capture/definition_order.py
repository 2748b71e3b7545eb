"""The order of definitions in a text: each after those that it needs when it runs."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from kfnb.capture.definitions import Definition
from kfnb.capture.names import StarNames, read_names


def in_order(sources: Sequence[Definition], star_names: StarNames) -> list[tuple[Definition, set[str]]]:
    """The sources, each after those that its definition needs, with the names that it needs when it runs."""
    needs = {}
    for source in sources:
        assert source.node is not None
        needs[source.name] = set(read_names(ast.Module([source.node], []), star_names).reads)
    known = {source.name: source for source in sources}
    done: dict[str, tuple[Definition, set[str]]] = {}

    def add(name: str, around: tuple[str, ...] = ()) -> None:
        if name in known and name not in done and name not in around:
            for other in sorted(needs[name]):
                add(other, (*around, name))
            done[name] = known[name], needs[name]

    for source in sources:
        add(source.name)
    return list(done.values())
