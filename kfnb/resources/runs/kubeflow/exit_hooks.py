"""Tasks that run however others ended (exit tasks, ``ignore_upstream_failure``), which KFP compiles to exit hooks.

Argo supports one hook per task. So of several tasks that ignore the failure of one, KFP 2.17 only runs the last by
name, and its API server refuses a pipeline in which a task depends on a task in a hook
(``backend/src/v2/compiler/argocompiler/dag.go``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]

_ANYWAY = "ALL_UPSTREAM_TASKS_COMPLETED"


def is_hook(task: Json) -> bool:
    """Whether a task of a PipelineSpec runs however its dependencies ended."""
    return bool(task.get("triggerPolicy", {}).get("strategy") == _ANYWAY)


def hooks(tasks: Json) -> dict[str, str]:
    """The task in the hook of each task of a DAG that has one, by name."""
    return {
        need: name
        for name, task in sorted(tasks.items())
        if is_hook(task)
        for need in task.get("dependentTasks", ())
    }


def without_hook(tasks: Json) -> dict[str, str]:
    """The tasks that should be in a hook and are not, each with the task that has taken its place."""
    held = hooks(tasks)
    return {
        name: held[task["dependentTasks"][0]]
        for name, task in tasks.items()
        if is_hook(task) and task.get("dependentTasks") and name not in held.values()
    }


def after_hooks(tasks: Json) -> Iterator[tuple[str, str]]:
    """The tasks that depend on a task in a hook, each with that task."""
    for name, task in tasks.items():
        for need in task.get("dependentTasks", ()):
            if is_hook(tasks.get(need, {})):
                yield name, need
