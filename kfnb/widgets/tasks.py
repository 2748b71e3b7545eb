"""The table of a run's tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from kfnb.model import Artifact, RunState, Task
from kfnb.widgets.blocks import Block, Text
from kfnb.widgets.states import look, tally
from kfnb.widgets.table import Cell, Column, Table, Value
from kfnb.widgets.tree import Leaf, Tree
from kfnb.widgets.words import duration, short, type_name

MOST_ITERATIONS = 20
MOST_ROWS = 250

COLUMNS = (
    Column("Task"),
    Column("State", whole=True),
    Column("Time", number=True),
    Column("Note"),
    Column("Inputs"),
    Column("Outputs"),
)


def task_blocks(tree: Tree, now: float) -> list[Block]:
    """A row for each task. Of long loops the iterations that failed or run, and then the first, are shown."""
    shown = _chosen(tree.leaves)
    if not shown:
        return [Text("No task has appeared yet.")]
    loops = {stack.path: stack.iterations for stack in tree.stacks}
    rows = [_row(leaf, loops[leaf.path], now) for leaf in shown]
    blocks: list[Block] = [Table("Tasks", COLUMNS, rows).without_empty_columns()]
    kept = {leaf.task.id for leaf in shown}
    left = [leaf.task.state for leaf in tree.leaves if leaf.task.id not in kept]
    if left:
        blocks.append(Text(f"… {len(left)} more: {tally(left)}"))
    return blocks


def _chosen(leaves: Sequence[Leaf]) -> list[Leaf]:
    """What the table has room for, in order."""
    by_path: dict[tuple[str, ...], list[Leaf]] = defaultdict(list)
    for leaf in leaves:
        by_path[leaf.path].append(leaf)
    kept: set[str] = set()
    for iterations in by_path.values():
        first = sorted(
            iterations, key=lambda leaf: leaf.task.state not in (RunState.FAILED, RunState.RUNNING)
        )
        kept.update(leaf.task.id for leaf in first[:MOST_ITERATIONS])
    return [leaf for leaf in leaves if leaf.task.id in kept][:MOST_ROWS]


def _row(leaf: Leaf, iterations: int, now: float) -> list[Value]:
    task = leaf.task
    state = look(task.state)
    return [
        Cell(leaf.label, indent=leaf.depth),
        Cell(state.word, look=state),
        duration(elapsed(task.started, task.finished, now)),
        ", ".join(_notes(task, iterations)),
        _said((name, value) for name, value in task.inputs.items() if not isinstance(value, Artifact)),
        _said({**task.metrics, **task.outputs}.items()),
    ]


def _notes(task: Task, iterations: int) -> Iterable[str]:
    if iterations:
        yield f"{iterations} iterations" if iterations > 1 else "1 iteration"
    if task.cached:
        yield "cached"
    if task.attempts > 1:
        yield f"{task.attempts} attempts"


def _said(values: Iterable[tuple[str, object]]) -> str:
    """Values first, then artifacts by their types: ``accuracy = 0.94, model: Model``."""
    ordered = sorted(values, key=lambda item: isinstance(item[1], Artifact))
    return ", ".join(
        f"{name}: {type_name(value.type)}" if isinstance(value, Artifact) else f"{name} = {short(value, 28)}"
        for name, value in ordered
    )


def elapsed(started: float | None, finished: float | None, now: float) -> float | None:
    """For how long something has run, or ran; None if it did not start."""
    return None if started is None else (now if finished is None else finished) - started
