"""Several runs side by side: what each of them was given, logged and took."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kfnb.entities import Compared, Comparison, RunSnapshot, Task
from kfnb.resources.runs.iterations import joined, measured


def compared(
    runs: Sequence[RunSnapshot], differing: Sequence[Compared] = (), *, whole: bool = False
) -> Comparison:
    """The runs side by side; ``differing`` are the facts of their manifests that differ."""
    return Comparison(
        runs=tuple(runs),
        arguments=_rows([run.arguments for run in runs]),
        metrics=_rows([measured(run.tasks) or run.metrics for run in runs]),
        environment=(*_rows([run.environment for run in runs]), *differing),
        states=_rows([_by_task(run, lambda task: str(task.state)) for run in runs]),
        seconds=_rows([_by_task(run, lambda task: task.seconds) for run in runs]),
        whole=whole,
    )


def _by_task(run: RunSnapshot, part: Callable[[Task], Any]) -> dict[str, Any]:
    found = joined(run.tasks, lambda task: {"": part(task)})
    return {name: values[""] for name, values in found.items()}


def _rows(columns: Sequence[Mapping[str, Any]]) -> tuple[Compared, ...]:
    names = dict.fromkeys(name for column in columns for name in column)
    return tuple(Compared(name, tuple(column.get(name) for column in columns)) for name in names)
