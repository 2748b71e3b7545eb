"""The order in which a program must make the tasks of a DAG, so that KFP gives them the same names again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any

from kfnb.errors import PipelineError

GROUP = re.compile(r"(condition-branches|condition|for-loop|exit-handler)-(\d+)")

Number = tuple[str, int]
"""What KFP counts, and the count: tasks by the name of their function, groups all together."""


def in_order(
    tasks: Mapping[str, Mapping[str, Any]],
    numbers: Callable[[str, Mapping[str, Any]], Iterator[Number]],
) -> list[str]:
    """The keys of the tasks. ``numbers`` gives those of a task and of all that is in it.

    A task comes after those that it needs, an exit task before its handler, and what KFP counts in the order of the
    counts. Raises ``PipelineError`` for a cycle.
    """
    before: dict[str, set[str]] = {key: set() for key in tasks}
    for key, task in tasks.items():
        for needed in task.get("dependentTasks") or ():
            if needed not in tasks:
                raise PipelineError(f"task {key} depends on {needed}, which does not exist", ref=key)
            if exits(task):
                before[needed].add(key)
            else:
                before[key].add(needed)
    counted: dict[str, list[tuple[int, str]]] = {}
    for key, task in tasks.items():
        for what, number in numbers(key, task):
            counted.setdefault(what, []).append((number, key))
    for places in counted.values():
        keys = [key for _, key in sorted(places)]
        for earlier, later in pairwise(keys):
            if earlier != later:
                before[later].add(earlier)
    try:
        return list(TopologicalSorter(before).static_order())
    except CycleError as error:
        raise PipelineError(f"the tasks form a cycle: {' -> '.join(error.args[1])}") from None


def exits(task: Mapping[str, Any]) -> bool:
    """Whether a task is that of an exit handler, which runs after it however it ends."""
    return any(one.startswith("exit-handler-") for one in task.get("dependentTasks") or ()) and (
        task.get("triggerPolicy", {}).get("strategy") == "ALL_UPSTREAM_TASKS_COMPLETED"
    )
