"""A run's loops: the tasks and the items of each of their iterations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from kfnb.entities import Artifact
from kfnb.resources.runs.view.tree import Leaf, Tree, is_indexed
from kfnb.text.group_names import group_title
from kfnb.ui.words import assignments, short

Values = Mapping[str, Any]
MOST_NAMED = 2


@dataclass(frozen=True)
class Turn:
    """One iteration: its tasks, and the inputs that it does not share with the others."""

    index: int
    leaves: tuple[Leaf, ...]
    items: Values = field(default_factory=dict)


@dataclass(frozen=True)
class LoopIterations:
    """A loop's group, its iterations, the inputs that all of them share, and the names of those that they do not."""

    leaf: Leaf
    turns: tuple[Turn, ...]
    common: Values
    over: tuple[str, ...]


class Loops:
    """The loops of a tree."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    @cached_property
    def by_group(self) -> dict[str, LoopIterations]:
        """Each loop by its group's id; a nested loop appears once for each iteration of the outer loop."""
        heads = {task.parent for task in self._tree.tasks.values() if is_indexed(task)}
        return {
            leaf.task.id: _loop(leaf, self._tree.inside(leaf))
            for leaf in self._tree.leaves
            if leaf.task.group and leaf.task.id in heads
        }

    @cached_property
    def _items(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = defaultdict(dict)
        for loop in self.by_group.values():
            for turn in loop.turns:
                for leaf in turn.leaves:
                    found[leaf.task.id].update(turn.items)
        return dict(found)

    def items(self, leaf: Leaf) -> Values:
        """The inputs that distinguish the iterations of a task: ``{"C": 0.1}``."""
        return self._items.get(leaf.task.id, {})

    def label(self, leaf: Leaf) -> str:
        """The iteration of a task: ``[0] C = 0.1``; empty outside of loops."""
        turn = "".join(f"[{index}]" for index in leaf.indices)
        return " ".join(filter(None, (turn, assignments(self.items(leaf)))))

    def title(self, leaf: Leaf) -> str:
        """The label of a group: ``loop over C``."""
        word = group_title(leaf.task)
        loop = self.by_group.get(leaf.task.id)
        names = loop.over if loop else ()
        return f"{word} over {', '.join(names)}" if 0 < len(names) <= MOST_NAMED else word


def _loop(head: Leaf, inside: Sequence[Leaf]) -> LoopIterations:
    level = len(head.indices)
    by_index: dict[int, list[Leaf]] = defaultdict(list)
    for leaf in inside:
        if len(leaf.indices) > level:
            by_index[leaf.indices[level]].append(leaf)
    given = {index: dict(_given(leaves)) for index, leaves in by_index.items()}
    # until two iterations have begun, it is unknown what they share
    compared = sum(map(bool, given.values())) > 1
    varying = _varying(list(given.values())) if compared else {name for own in given.values() for name in own}
    made = {index: set(_made(leaves)) for index, leaves in by_index.items()}
    items = [
        name
        for name in dict.fromkeys(name for own in given.values() for name in own if name in varying)
        if any(name in own and short(own[name]) not in made[index] for index, own in given.items())
    ]
    turns = tuple(
        Turn(index, tuple(leaves), {name: given[index][name] for name in items if name in given[index]})
        for index, leaves in sorted(by_index.items())
    )
    common = {name: value for own in given.values() for name, value in own.items() if name not in varying}
    return LoopIterations(head, turns, common, tuple(items) if compared else ())


def _given(leaves: Sequence[Leaf]) -> Iterator[tuple[str, Any]]:
    """The parameters of an iteration's tasks."""
    for leaf in leaves:
        for name, value in leaf.task.inputs.items():
            if not isinstance(value, Artifact | list | tuple):
                yield name, value


def _made(leaves: Sequence[Leaf]) -> Iterator[str]:
    """The outputs of an iteration's tasks: an input with such a value is not an item of the loop."""
    for leaf in leaves:
        for value in leaf.task.outputs.values():
            if not isinstance(value, Artifact):
                yield short(value)


def _varying(turns: Sequence[Values]) -> set[str]:
    """The names whose values differ between iterations."""
    seen: dict[str, set[str]] = defaultdict(set)
    for values in turns:
        for name, value in values.items():
            seen[name].add(short(value))
    return {name for name, values in seen.items() if len(values) > 1}
