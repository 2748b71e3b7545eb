"""The changes between two snapshots of a run, as the events that lead from one to the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kfnb.entities import RunSnapshot, RunState, Task, TaskError
from kfnb.resources.runs.events import literal
from kfnb.resources.runs.rank_fold import news

Fact = tuple[float, str, str, Mapping[str, Any]]
"""An event without its number: time, kind, task, data. Artifacts are objects, not JSON: they can be opened."""


def changes(old: RunSnapshot | None, new: RunSnapshot, now: float) -> Iterator[Fact]:
    """The facts that lead from ``old`` (None: no snapshot yet) to ``new``.

    ``now`` is the time of changes without a time of the server.
    """
    if old is None or _head(old) != _head(new):
        yield new.created or now, "created", "", _head(new)
    if new.notes != (old.notes if old else ()):
        yield now if old else new.created or now, "notes", "", {"texts": list(new.notes)}
    before = {task.id: task for task in old.tasks} if old else {}
    for task in new.tasks:
        if before.get(task.id) != task:
            yield from _of_task(before.pop(task.id, None), task, now)
        else:
            del before[task.id]
    for gone in before.values():  # an iteration that another attempt at the run does not have
        if gone.state is not RunState.SKIPPED:
            yield now, "state", gone.id, {"state": RunState.SKIPPED}
    yield from _of_run(old, new, now)


def _head(run: RunSnapshot) -> dict[str, Any]:
    return {
        "name": run.name,
        "pipeline": run.pipeline,
        "backend": run.backend,
        "experiment": run.experiment,
        "arguments": run.arguments,
        "environment": run.environment,
        "url": run.url,
    }


def _of_run(old: RunSnapshot | None, new: RunSnapshot, now: float) -> Iterator[Fact]:
    had = (old.result, old.metrics) if old else ({}, {})
    if had != (new.result, new.metrics):
        yield new.finished or now, "outputs", "", {"values": literal(new.result), "metrics": new.metrics}
    if new.started is not None and (old is None or old.started is None) and new.state is not RunState.RUNNING:
        yield new.started, "state", "", {"state": RunState.RUNNING}
    if old is None or (old.state, old.error, old.finished) != (new.state, new.error, new.finished):
        at = new.finished if new.state.finished else new.started if new.state is RunState.RUNNING else now
        yield at or now, "state", "", {"state": new.state} | ({"error": new.error} if new.error else {})


def _of_task(old: Task | None, new: Task, now: float) -> Iterator[Fact]:
    if old is None or _shape(old) != _shape(new) or new.began[: len(old.began)] != old.began:
        yield new.started or now, "task", new.id, _shape(new)
        old = None
    if new.inputs and (old is None or old.inputs != new.inputs):
        yield new.started or now, "inputs", new.id, {"values": literal(new.inputs)}
    entered = new.began[len(old.began) if old else 0 :]
    for at in entered:
        yield at, "state", new.id, {"state": RunState.RUNNING}
    if new.cached and not (old and old.cached):
        yield new.finished or now, "cached", new.id, {}
    if entered or old is None or (old.state, old.error, old.finished) != (new.state, new.error, new.finished):
        known = (old is None or bool(entered)) and new.state is (
            RunState.RUNNING if entered else RunState.PENDING
        )
        if not known or new.error is not None:
            yield from _state(new, now)
        old = None  # a new state resets the details of the previous state
    if (new.outputs or new.metrics) and (
        old is None or (old.outputs, old.metrics) != (new.outputs, new.metrics)
    ):
        yield new.finished or now, "outputs", new.id, {"values": literal(new.outputs), "metrics": new.metrics}
    if new.decided != (old.decided if old else ""):
        yield new.started or new.finished or now, "decided", new.id, {"text": new.decided}
    if ranks := news(old.ranks if old else (), new.ranks):
        yield now, "ranks", new.id, {"ranks": ranks}
    if new.doing != (old.doing if old else ""):
        yield now, "doing", new.id, {"text": new.doing}


def _shape(task: Task) -> dict[str, Any]:
    shape = {
        "name": task.name,
        "parent": task.parent,
        "group": task.group,
        "needs": list(task.needs),
        "takes": {source: list(names) for source, names in task.takes.items()},
    }
    shape |= {name: text for name in ("condition", "code") if (text := getattr(task, name))}
    return shape | ({} if task.iteration is None else {"iteration": task.iteration})


def _state(task: Task, now: float) -> Iterator[Fact]:
    at = task.finished if task.state.finished else task.began[-1] if task.began else now
    yield at or now, "state", task.id, {"state": task.state} | _error(task.error)


def _error(error: TaskError | None) -> dict[str, Any]:
    if error is None:
        return {}
    return {"error": {"message": error.message, "traceback": error.traceback, "place": error.place}}
