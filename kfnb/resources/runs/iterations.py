"""Tasks in loops: their values joined into lists over the iterations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kfnb.entities import ByTask, OfTask, RunState, Task


def joined(
    tasks: Sequence[Task],
    part: Callable[[Task], Mapping[str, Any]],
    what: str = "value",
    *,
    over: bool = True,
) -> ByTask[Any]:
    """``part`` of each task by the task's name: a mapping of values, for a task in a loop of lists of them.

    ``what`` is the name of a value; ``over`` is whether the run is finished.
    """
    by_name: dict[str, list[Task]] = {}
    for task in tasks:
        if not task.group:
            by_name.setdefault(task.name, []).append(task)
    loops = {task.id: task.iteration for task in tasks if task.iteration is not None}
    return ByTask(
        {
            name: OfTask(_join(found, part, loops), task=name, what=what, state=_state(found))
            for name, found in by_name.items()
        },
        over=over,
    )


def measured(tasks: Sequence[Task]) -> dict[str, Any]:
    """The metrics of tasks, by ``task.metric``: a number; for a task in a loop the list over its iterations."""
    metrics = joined(tasks, lambda task: task.metrics)
    return {f"{task}.{name}": value for task, values in metrics.items() for name, value in values.items()}


def _join(
    tasks: Sequence[Task], part: Callable[[Task], Mapping[str, Any]], loops: Mapping[str, int]
) -> dict[str, Any]:
    found: dict[str, list[tuple[tuple[int, ...], Any]]] = {}
    for task in tasks:
        index = _index(task, loops)
        for name, value in part(task).items():
            found.setdefault(name, []).append((index, value))
    return {name: _nested(values) for name, values in found.items()}


def _state(iterations: Sequence[Task]) -> RunState:
    """The state of a task in all iterations: that of an unfinished iteration, or else of the last."""
    return next((task.state for task in iterations if not task.state.finished), iterations[-1].state)


def _index(task: Task, loops: Mapping[str, int]) -> tuple[int, ...]:
    """The iterations that a task belongs to, the outermost first."""
    parts = task.id.split("/")
    ids = ["/".join(parts[: length + 1]) for length in range(len(parts))]
    return tuple(loops[one] for one in ids if one in loops)


def _nested(values: list[tuple[tuple[int, ...], Any]]) -> Any:
    if all(not index for index, _ in values):
        return values[-1][1]
    groups: dict[int, list[tuple[tuple[int, ...], Any]]] = {}
    for index, value in values:
        # a task of that name outside of the loop precedes those in it
        groups.setdefault(index[0] if index else -1, []).append((index[1:], value))
    return [_nested(groups[number]) for number in sorted(groups)]
