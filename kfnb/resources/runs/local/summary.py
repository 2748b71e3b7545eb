"""Summaries of several tasks: a group's result, and the run's error in one line."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from kfnb.entities import RunState, TaskError
from kfnb.resources.runs.local.resolve import Result
from kfnb.resources.runs.local.spec import DagSpec, PipelineSpec, TaskSpec

_SHOWN = 3
"""Maximum number of failures in a run's error."""


class Summary:
    """Records which tasks failed, and which never ran because of it."""

    def __init__(self, pipeline: PipelineSpec) -> None:
        self._pipeline = pipeline
        self._failed: dict[str, str] = {}
        self._never: dict[str, TaskSpec] = {}

    def failed(self, task: str, name: str, error: TaskError) -> None:
        """Record that a task failed, after all retries."""
        where = f" ({error.place})" if error.place else ""
        called = name if task == name or not any(part.isdigit() for part in task.split("/")) else task
        self._failed[task] = f"{called} failed: {error.message}{where}"

    def never_ran(self, task: str, step: TaskSpec) -> None:
        """Record that a task or a group was skipped because of a failure."""
        self._never[task] = step

    def forget(self, prefix: str) -> None:
        """Forget the tasks whose ids begin with ``prefix``, since they are retried."""
        self._failed = {task: text for task, text in self._failed.items() if not task.startswith(prefix)}
        self._never = {task: step for task, step in self._never.items() if not task.startswith(prefix)}

    def __str__(self) -> str:
        more = len(self._failed) - _SHOWN
        parts = list(self._failed.values())[:_SHOWN] + ([f"{more} more failed"] if more > 0 else [])
        if self._never:
            never = dict.fromkeys(
                name for step in self._never.values() for name in self._pipeline.leaves(step)
            )
            parts.append(f"{', '.join(never)} never ran")
        return "; ".join(parts)


def worst(results: Collection[Result]) -> tuple[RunState, TaskError | None]:
    """The state of a group of tasks that ended with ``results``, and the first failure's error in short."""
    failed = [result for result in results if result.state is RunState.FAILED]
    if failed:
        error = failed[0].error
        return RunState.FAILED, replace(error, traceback="") if error else None
    canceled = any(result.state is RunState.CANCELED for result in results)
    return (RunState.CANCELED if canceled else RunState.SUCCEEDED), None


def added_up(dag: DagSpec, results: Mapping[str, Result]) -> Result:
    """The result of a DAG whose tasks ended with ``results``."""
    state, error = worst(results.values())
    outputs: dict[str, Any] = {}
    for name, choices in dag.outputs.items():
        for choice in choices:
            if choice.output in results[choice.task].outputs:
                outputs.setdefault(name, results[choice.task].outputs[choice.output])
    reused = all(result.reused for result in results.values())
    return Result(state, outputs if state is RunState.SUCCEEDED else {}, error, reused)
