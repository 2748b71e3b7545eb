"""The outputs of groups and of the pipeline, from those of their tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from kfnb.entities import Task
from kfnb.resources.runs.kubeflow.plan import DagPlan


def results(root: DagPlan, tasks: Sequence[Task]) -> dict[str, Any]:
    """The outputs of the pipeline with these tasks."""
    return _outputs(root, "", {task.id: task for task in tasks})


def _outputs(dag: DagPlan, prefix: str, tasks: Mapping[str, Task]) -> dict[str, Any]:
    steps = {step.name: step for step in dag.steps}
    found: dict[str, Any] = {}
    for name, choices in dag.outputs.items():
        for step, output in choices:
            given = _of_step(steps[step].inner, prefix + step, tasks, loop=steps[step].loop)
            if output in given:
                found.setdefault(name, given[output])
    return found


def _of_step(inner: DagPlan | None, task: str, tasks: Mapping[str, Task], *, loop: bool) -> Mapping[str, Any]:
    known = tasks.get(task)
    if known is None or inner is None:
        return known.outputs if known else {}
    if not loop:
        return _outputs(inner, f"{task}/", tasks)
    turns = {one.iteration for one in tasks.values() if one.parent == task and one.iteration is not None}
    each = [_outputs(inner, f"{task}/{turn}/", tasks) for turn in sorted(turns)]
    found: dict[str, Any] = {}
    for name in inner.outputs:
        given = [one[name] for one in each if name in one]
        # lists collected from nested loops are flattened, as for a task that takes them
        found[name] = list(chain.from_iterable(given)) if _collects(inner, name) else given
    return found


def _collects(dag: DagPlan, output: str) -> bool:
    """Whether an output of a DAG is a list collected from a loop in it."""
    steps = {step.name: step for step in dag.steps}
    return any(
        (inner := steps[step].inner) is not None and (steps[step].loop or _collects(inner, its))
        for step, its in dag.outputs.get(output, ())
    )
