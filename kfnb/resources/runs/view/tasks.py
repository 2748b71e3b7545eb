"""The table of a run's tasks: a row for each task, and for each iteration of a loop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kfnb.entities import Artifact, RunState, Task
from kfnb.resources.runs.view.iterations import LoopIterations, Loops, Turn
from kfnb.resources.runs.view.tree import Leaf, Tree
from kfnb.text.group_names import is_branch
from kfnb.ui.blocks import Block, Text
from kfnb.ui.states import overall, style_of, tally
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import TIMES, counted, duration, kind, short

MOST_TURNS = 20
MOST_ROWS = 250
LONGEST_PAIR = 32
LONGEST_REASON = 40
# their content is shown separately
SHOWN_APART = frozenset({"system.Metrics", "system.ClassificationMetrics", "system.HTML", "system.Markdown"})

COLUMNS = (
    Column("Task"),
    Column("State", whole=True),
    Column("Time", number=True),
    Column("Note", whole=True),
    Column("Inputs"),
    Column("Outputs"),
)

Pairs = Iterable[tuple[str, Any]]


@dataclass(frozen=True)
class TaskRow:
    """A row: a task, a group or an iteration. ``left`` are the states of iterations that are left out."""

    label: str
    depth: int
    state: RunState
    span: tuple[float | None, float | None] = (None, None)
    notes: tuple[str, ...] = ()
    inputs: str = ""
    outputs: str = ""
    left: tuple[RunState, ...] = field(default=())


def task_blocks(tree: Tree, loops: Loops, now: float) -> list[Block]:
    """All tasks, loops by iterations; of long loops the failed and running iterations, and then the first."""
    lines = list(_lines(tree, loops))
    if not lines:
        return [Text("No task has appeared yet.")]
    shown = lines[:MOST_ROWS]
    blocks: list[Block] = [
        Table("Tasks", COLUMNS, [_row(line, now) for line in shown]).without_empty_columns()
    ]
    turns = [state for line in shown for state in line.left]
    if turns:
        blocks.append(Text(f"… {len(turns)} more iterations: {tally(turns)}"))
    rest = [line.state for line in lines[MOST_ROWS:]]
    if rest:
        blocks.append(Text(f"… {len(rest)} more: {tally(rest)}"))
    return blocks


def _row(line: TaskRow, now: float) -> list[Value]:
    state = style_of(line.state)
    return [
        TableCell(line.label, indent=line.depth),
        TableCell(state.word, state_style=state),
        duration(elapsed(*line.span, now)),
        ", ".join(line.notes),
        line.inputs,
        line.outputs,
    ]


def _lines(tree: Tree, loops: Loops) -> Iterator[TaskRow]:
    """The rows of a branch: its tasks if it was taken, else one row with its tasks' names."""
    leaves = tree.leaves
    place = 0
    while place < len(leaves):
        leaf = leaves[place]
        inside = tree.inside(leaf) if leaf.task.group else ()
        loop = loops.by_group.get(leaf.task.id)
        place += 1
        if loop:
            yield from _loop_lines(loop, loops)
            place += len(inside)
        elif leaf.task.group and is_branch(leaf.task.name):
            if leaf.task.state is RunState.SKIPPED:
                names = counted(one.task.name for one in inside if not one.task.group)
                yield TaskRow(names or loops.title(leaf), _depth(leaf), leaf.task.state)
                place += len(inside)
        else:
            yield _task_line(leaf, loops)


def _depth(leaf: Leaf) -> int:
    """In how many groups with their own rows a task is."""
    return sum(not is_branch(name) for name in leaf.path[:-1])


def _task_line(leaf: Leaf, loops: Loops) -> TaskRow:
    task = leaf.task
    return TaskRow(
        loops.title(leaf) if task.group else task.title,
        _depth(leaf),
        task.state,
        (task.started, task.finished),
        tuple(_notes(task)),
        _parameters(task.inputs.items()),
        values_text(_results(task)),
    )


def _notes(task: Task) -> Iterator[str]:
    if task.cached:
        yield "cached"
    if task.attempts > 1:
        yield f"{task.attempts} attempts"
    if task.doing and not task.state.finished:
        yield short(task.doing, LONGEST_REASON)


def _loop_lines(loop: LoopIterations, loops: Loops) -> Iterator[TaskRow]:
    task, count = loop.leaf.task, len(loop.turns)
    states = {turn.index: _turn_state(turn, settled=task.state.finished) for turn in loop.turns}
    turns = _chosen(loop.turns, states)
    listed = {turn.index for turn in turns}
    yield TaskRow(
        loops.title(loop.leaf),
        _depth(loop.leaf),
        task.state,
        (task.started, task.finished),
        (f"{count} iterations" if count > 1 else "1 iteration",),
        _parameters(loop.common.items()),
        left=tuple(state for index, state in states.items() if index not in listed),
    )
    for turn in turns:
        yield _turn_line(turn, states[turn.index], _depth(loop.leaf) + 1)


def _chosen(turns: Sequence[Turn], states: Mapping[int, RunState]) -> list[Turn]:
    first_states = (RunState.FAILED, RunState.RUNNING)
    first = sorted(turns, key=lambda turn: states[turn.index] not in first_states)
    return sorted(first[:MOST_TURNS], key=lambda turn: turn.index)


def _turn_state(turn: Turn, *, settled: bool) -> RunState:
    """The state of an iteration; until its loop has ``settled``, an unfinished group in it may add tasks."""
    groups = [leaf.task.state for leaf in turn.leaves if leaf.task.group and not leaf.task.state.finished]
    return overall([*(task.state for task in _work(turn)), *([] if settled else groups)])


def _work(turn: Turn) -> list[Task]:
    """The iteration's tasks; skipped tasks only if it skipped all."""
    tasks = [leaf.task for leaf in turn.leaves if not leaf.task.group] or [leaf.task for leaf in turn.leaves]
    return [task for task in tasks if task.state is not RunState.SKIPPED] or tasks


def _turn_line(turn: Turn, state: RunState, depth: int) -> TaskRow:
    work = _work(turn)
    started = [task.started for task in work if task.started is not None]
    finished = [task.finished for task in work if task.finished is not None]
    return TaskRow(
        f"[{turn.index}] {_steps(work, state)}",
        depth,
        state,
        (min(started, default=None), max(finished, default=None) if state.finished else None),
        tuple(_turn_notes(work)),
        values_text(turn.items.items()),
        values_text(pair for task in work for pair in _results(task)),
    )


def _steps(work: Sequence[Task], state: RunState) -> str:
    """``train · evaluate``, each with its icon if their states differ."""
    by_name: dict[str, list[RunState]] = {}
    for task in work:
        by_name.setdefault(task.name, []).append(task.state)
    mixed = any(one is not state for states in by_name.values() for one in states)
    return " · ".join(
        (f"{style_of(overall(states)).icon} " if mixed else "")
        + name
        + (f" {TIMES} {len(states)}" if len(states) > 1 else "")
        for name, states in by_name.items()
    )


def _turn_notes(work: Sequence[Task]) -> Iterator[str]:
    cached = sum(task.cached for task in work)
    if cached:
        yield "cached" if cached == len(work) else f"{cached} of {len(work)} cached"
    attempts = sum(max(0, task.attempts - 1) for task in work)
    if attempts:
        yield "1 retry" if attempts == 1 else f"{attempts} retries"


def _results(task: Task) -> Iterator[tuple[str, Any]]:
    """The outputs of a task; and its metrics, unless they are shown as an artifact."""
    apart = any(artifact.type == "system.Metrics" for artifact in task.artifacts.values())
    yield from {**({} if apart else task.metrics), **task.outputs}.items()


def _parameters(values: Pairs) -> str:
    return values_text((name, value) for name, value in values if not kind(value))


def values_text(values: Pairs) -> str:
    """Values first, then artifacts by their types: ``accuracy = 0.94, model: Model``, without duplicates."""
    plain, artifacts = [], []
    for name, value in values:
        what = kind(value)
        if not what:
            plain.append(_together(f"{name} = {short(value, 28)}"))
        elif not (isinstance(value, Artifact) and value.type in SHOWN_APART):
            artifacts.append(_together(f"{name}: {what}"))
    return ", ".join(dict.fromkeys((*plain, *artifacts)))


def _together(pair: str) -> str:
    """A pair without line breaks, unless it is long."""
    return pair.replace(" ", "\N{NO-BREAK SPACE}") if len(pair) <= LONGEST_PAIR else pair


def elapsed(started: float | None, finished: float | None, now: float) -> float | None:
    """How long something has run; None if it did not start."""
    return None if started is None else (now if finished is None else finished) - started
