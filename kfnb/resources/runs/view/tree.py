"""A run's tasks as a tree, and its loops' iterations stacked.

Backends write an iteration either as a separate group (``loop/0``, a child of ``loop``) or only as a
segment in its tasks' ids (``loop/0/train``, a child of ``loop``): both result in the same tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from kfnb.entities import RunState, Task
from kfnb.ui.states import overall, shown

Path = tuple[str, ...]


@dataclass(frozen=True)
class Leaf:
    """A task in the tree: ``path`` has its groups' names and its own, ``indices`` the iterations of its loops."""

    task: Task
    path: Path
    indices: tuple[int, ...]

    @property
    def label(self) -> str:
        """``train`` or, in loops, ``train [0][2]``."""
        return self.task.title + " " * bool(self.indices) + "".join(f"[{index}]" for index in self.indices)

    @property
    def depth(self) -> int:
        """How many groups it is in."""
        return len(self.path) - 1


@dataclass(frozen=True)
class Stack:
    """All iterations of one task or group. ``iterations`` is how often a loop's body appears in the run."""

    path: Path
    leaves: tuple[Leaf, ...]
    needs: tuple[Path, ...]
    iterations: int = 0

    @property
    def first(self) -> Task:
        """One of the iterations, for what all have in common."""
        return self.leaves[0].task

    @property
    def states(self) -> list[RunState]:
        """The state of each."""
        return [leaf.task.state for leaf in self.leaves]

    @property
    def state(self) -> RunState:
        """The most informative of their states."""
        return overall(self.states)


class Tree:
    """The tasks of a run as a tree. Unknown or cyclic parents count as the root."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        # an empty id is the root's
        self.tasks = {task.id: shown(task) for task in tasks if task.id}

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """Each task and group, parents first, iterations in order; an iteration's own group is left out."""
        return tuple(self._walk())

    def _walk(self) -> Iterator[Leaf]:
        children: dict[str, list[Task]] = {}
        for task in self.tasks.values():
            children.setdefault(self._parent(task), []).append(task)
        todo: list[tuple[Task, Path, tuple[int, ...]]] = [
            (task, (), ()) for task in reversed(children.get("", []))
        ]
        while todo:
            task, path, indices = todo.pop()
            if is_indexed(task) and task.iteration is not None:
                indices = (*indices, task.iteration)
            own = path if is_iteration(task) else (*path, task.name)
            if not is_iteration(task):
                yield Leaf(task, own, indices)
            below = sorted(children.get(task.id, []), key=_iteration_number)
            todo += [(child, own, indices) for child in reversed(below)]

    def _parent(self, task: Task) -> str:
        seen = {task.id}
        above = task
        while above.parent in self.tasks and above.parent not in seen:
            above = self.tasks[above.parent]
            seen.add(above.id)
        return task.parent if task.parent in self.tasks and above.parent not in seen else ""

    @cached_property
    def stacks(self) -> tuple[Stack, ...]:
        """The leaves, stacked by path."""
        by_path: dict[Path, list[Leaf]] = {}
        for leaf in self.leaves:
            by_path.setdefault(leaf.path, []).append(leaf)
        return tuple(self._stack(path, leaves) for path, leaves in by_path.items())

    def _stack(self, path: Path, leaves: list[Leaf]) -> Stack:
        needs = dict.fromkeys((*path[:-1], need) for leaf in leaves for need in leaf.task.needs)
        return Stack(path, tuple(leaves), tuple(needs), self._iterations.get(path, 0))

    @cached_property
    def _iterations(self) -> dict[Path, int]:
        paths = {leaf.task.id: leaf.path for leaf in self.leaves}
        seen = {(task.parent, task.iteration) for task in self.tasks.values() if is_indexed(task)}
        counts: dict[Path, int] = {}
        for parent, _ in seen:
            if parent in paths:
                counts[paths[parent]] = counts.get(paths[parent], 0) + 1
        return counts

    @cached_property
    def _places(self) -> dict[str, int]:
        return {leaf.task.id: place for place, leaf in enumerate(self.leaves)}

    def inside(self, leaf: Leaf) -> tuple[Leaf, ...]:
        """Everything in a group, at any depth; it follows the group among the leaves."""
        start = self._places[leaf.task.id] + 1
        end = start
        while end < len(self.leaves) and self.leaves[end].depth > leaf.depth:
            end += 1
        return self.leaves[start:end]

    @cached_property
    def waiting(self) -> dict[str, str]:
        """What tasks wait for, or what is done for them before they run, and which: ``train``, ``train and 2 more``."""
        by_reason: dict[str, list[str]] = {}
        for leaf in self.leaves:
            if leaf.task.doing and not leaf.task.state.finished:
                by_reason.setdefault(leaf.task.doing, []).append(leaf.label)
        return {
            text: labels[0] + (f" and {len(labels) - 1} more" if len(labels) > 1 else "")
            for text, labels in by_reason.items()
        }

    @property
    def work(self) -> tuple[Leaf, ...]:
        """The leaves without groups: what a run actually runs."""
        return tuple(leaf for leaf in self.leaves if not leaf.task.group)


def is_indexed(task: Task) -> bool:
    """Whether it has its own iteration, not that of a group above it."""
    start = f"{task.parent}/{task.iteration}"
    return task.iteration is not None and (task.id == start or task.id.startswith(f"{start}/"))


def is_iteration(task: Task) -> bool:
    """Whether this group is an iteration of its parent loop."""
    return task.group and is_indexed(task) and task.id == f"{task.parent}/{task.iteration}"


def _iteration_number(task: Task) -> int:
    return -1 if task.iteration is None else task.iteration
