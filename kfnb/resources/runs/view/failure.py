"""What failed in a run, and what did not run because of it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kfnb.entities import RunSnapshot, RunState, Task
from kfnb.resources.runs.view.tree import Leaf, Tree
from kfnb.ui.blocks import Alert, Block, CodeBlock, Text
from kfnb.ui.states import style_of
from kfnb.ui.words import counted, one_line

SHOWN = 3
FAILED = style_of(RunState.FAILED)
NO_MESSAGE = "It left no message; its log may say why."


@dataclass(frozen=True)
class RunFailure:
    """The tasks that failed by themselves, and those that did not run because of them."""

    causes: tuple[Leaf, ...]
    blocked: tuple[Leaf, ...]


def find_failure(tree: Tree) -> RunFailure:
    """Find the failure in a run's tasks; both parts are empty if nothing failed."""
    failed = [task for task in tree.tasks.values() if task.state is RunState.FAILED]
    causes = {task.id for task in failed} - _around(tree.tasks, failed)
    blocked = _blocked(tree.tasks.values(), failed)
    around_blocked = {tree.tasks[id].parent for id in blocked}
    return RunFailure(
        causes=tuple(leaf for leaf in tree.leaves if leaf.task.id in causes),
        blocked=tuple(leaf for leaf in tree.leaves if leaf.task.id in blocked - around_blocked),
    )


def _around(tasks: Mapping[str, Task], failed: Iterable[Task]) -> set[str]:
    """The ids of all groups around failed tasks, whose failure is that of the tasks."""
    around: set[str] = set()
    for task in failed:
        parent = task.parent
        while parent in tasks and parent not in around:
            around.add(parent)
            parent = tasks[parent].parent
    return around


def _blocked(tasks: Iterable[Task], failed: Iterable[Task]) -> set[str]:
    """The ids of tasks that did not run and depend, directly or indirectly, on a failed task."""
    waiting: dict[tuple[str, int | None, str], list[Task]] = defaultdict(list)
    inside: dict[str, list[Task]] = defaultdict(list)
    for task in tasks:
        inside[task.parent].append(task)
        for need in task.needs:
            waiting[task.parent, task.iteration, need].append(task)
    blocked: set[str] = set()
    todo = deque(failed)
    while todo:
        task = todo.popleft()
        held_up = waiting[task.parent, task.iteration, task.name] + (
            inside[task.id] if task.id in blocked else []
        )
        for other in held_up:
            if other.id not in blocked and _never_ran(other):
                blocked.add(other.id)
                todo.append(other)
    return blocked


def _never_ran(task: Task) -> bool:
    return (
        task.started is None and not task.cached and task.state not in (RunState.SUCCEEDED, RunState.FAILED)
    )


def failure_blocks(run: RunSnapshot, tree: Tree) -> list[Block]:
    """The errors of a run, the first in full; empty without errors."""
    failure = find_failure(tree)
    blocks: list[Block] = [cause_block(leaf) for leaf in failure.causes[:SHOWN]]
    more = failure.causes[SHOWN:]
    if more:
        blocks.append(
            Alert(FAILED, f"{len(more)} more failed: {counted(leaf.task.name for leaf in more)}", ())
        )
    if run.error and not any(_includes(leaf, run.error) for leaf in failure.causes):
        blocks.insert(
            0 if not failure.causes else len(blocks), Alert(FAILED, "The run failed", [Text(run.error)])
        )
    if failure.blocked:
        lead = "Never ran because of it" if run.state.finished else "Does not run because of it"
        blocks.append(Text(f"{lead}: {counted(leaf.task.name for leaf in failure.blocked)}"))
    return blocks


def cause_block(leaf: Leaf) -> Alert:
    """The error of a task that failed: its message, the notebook's cell and line, and the user's own frames."""
    error = leaf.task.error
    if error is None:
        return Alert(FAILED, f"{leaf.label} failed", [Text(NO_MESSAGE)])
    place = f" ({one_line(error.place)})" if error.place else ""
    blocks: list[Block] = [Text(error.message)] if error.message else []
    if error.traceback:
        blocks.append(CodeBlock(error.traceback))
    return Alert(FAILED, f"{leaf.label} failed{place}", blocks)


def error_text(task: Task) -> str:
    """The full error of a task, for copying; empty without an error."""
    error = task.error
    if error is None:
        return ""
    place = f" ({one_line(error.place)})" if error.place else ""
    return "\n".join(filter(None, (f"{task.name} failed{place}", error.message, error.traceback)))


def _includes(leaf: Leaf, message: str) -> bool:
    """Whether the task's own error includes the run's."""
    error = leaf.task.error
    return error is not None and bool(error.message) and error.message in message
