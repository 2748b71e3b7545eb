"""A run is a stream of events, and its state is their fold.

===========  =========  =====================================================================
kind         about      data
===========  =========  =====================================================================
``created``  the run    name, pipeline, backend, arguments, experiment, environment, url, schedule, owner
``task``     a task     name, parent, group, iteration, needs, takes: {sibling: [name]}, condition, code
``state``    run, task  state; error: {message, traceback, place} of a task, a string of a run
``inputs``   a task     values: {name: value}
``outputs``  run, task  values: {name: value}; metrics: {name: number}
``decided``  a task     text: the result of its condition, until it waits again
``cached``   a task     (nothing)
``doing``    a task     text: what it waits for, or what is done for it; until its next state
``ranks``    a task     ranks: {number: what is new of a process of a training}, see ``rank_fold``
``usage``    run, task  attempt: what an attempt at a task occupied; total: what the run did, by purpose, at its end
``note``     the run    text: a note for the user on this run, in one line
``notes``    the run    texts: all notes that replace the earlier ones
===========  =========  =====================================================================

Values are JSON, with an artifact written as ``{"$artifact": {name, type, uri, metadata, digest}}``, the digest where
it is known, and a metric that is not finite as its text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from kfnb import entities
from kfnb.entities import Artifact, RunState, Task, TaskError
from kfnb.jobs.fold import Event, JobFold
from kfnb.resources.runs.rank_fold import ended, merged
from kfnb.resources.runs.usage_data import amounts_of, usage_of
from kfnb.text import finite


def encode(value: Any) -> Any:
    """A value of the model as JSON data."""
    if isinstance(value, Artifact):
        return {
            "$artifact": {
                "name": value.name,
                "type": value.type,
                "uri": value.uri,
                "metadata": dict(value.metadata),
                **({"digest": value.digest} if value.digest else {}),
            }
        }
    if isinstance(value, Mapping):
        return _as_data({name: encode(item) for name, item in value.items()})
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    return finite.written(value)


def literal(value: Any) -> Any:
    """A value with its artifacts unchanged, for events that are not stored: ``decode`` returns it unchanged.

    An output of a step on a cluster must not count as an artifact because it looks like an encoded one.
    """
    if isinstance(value, dict):
        return _as_data({name: literal(item) for name, item in value.items()})
    return [literal(item) for item in value] if isinstance(value, list) else value


def _as_data(value: dict[str, Any]) -> dict[str, Any]:
    """The dict, marked if it looks like an encoded value."""
    return {"$data": value} if set(value) in ({"$artifact"}, {"$data"}) else value


def _artifact(fields: dict[str, Any]) -> Artifact:
    """An artifact of its fields, without those of a newer kfnb."""
    return Artifact(**{name: value for name, value in fields.items() if name in _FIELDS})


_FIELDS = frozenset({"name", "type", "uri", "metadata", "digest"})


def decode(value: Any, artifact: Callable[[dict[str, Any]], Artifact] = _artifact) -> Any:
    """The inverse of ``encode``; ``artifact`` creates an artifact from its fields."""
    if isinstance(value, dict):
        if set(value) == {"$artifact"}:
            return artifact(value["$artifact"])
        if set(value) == {"$data"} and isinstance(value["$data"], dict):
            value = value["$data"]
        return {name: decode(item, artifact) for name, item in value.items()}
    if isinstance(value, list):
        return [decode(item, artifact) for item in value]
    return value


class RunFold(JobFold[str]):
    """Folds the events of a run, one at a time; ``run`` is the result so far."""

    FIELDS = {  # noqa: RUF012 - a class variable of the base
        "created": frozenset(
            {
                "name",
                "pipeline",
                "backend",
                "experiment",
                "arguments",
                "environment",
                "url",
                "schedule",
                "owner",
            }
        ),
        "task": frozenset({"name", "parent", "group", "iteration", "needs", "takes", "condition", "code"}),
        "state": frozenset({"state", "error"}),
        "inputs": frozenset({"values"}),
        "outputs": frozenset({"values", "metrics"}),
        "decided": frozenset({"text"}),
        "cached": frozenset(),
        "doing": frozenset({"text"}),
        "ranks": frozenset({"ranks"}),
        "usage": frozenset({"attempt", "total"}),
        "note": frozenset({"text"}),
        "notes": frozenset({"texts"}),
    }

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self.id = run_id
        self._run = entities.RunSnapshot(id=run_id, name="", pipeline="", backend="")
        self._tasks: dict[str, Task] = {}

    @property
    def run(self) -> entities.RunSnapshot:
        """The run as of the last event."""
        return replace(self._run, tasks=tuple(self._tasks.values()), notes=(*self._run.notes, *self.notes))

    @property
    def finished(self) -> bool:
        """Whether the run is finished."""
        return self._run.state.finished

    @property
    def tasks(self) -> Mapping[str, Task]:
        """Its tasks and groups as of the last event, by id."""
        return MappingProxyType(self._tasks)

    def _part(self, event: Event) -> str:
        return event.task

    def _concerns(self, event: Event) -> bool:
        return not event.task or event.kind == "task" or event.task in self._tasks

    def _decoded(self, value: Any) -> Any:
        return decode(value, lambda fields: self._made(Artifact, fields))

    def _on_created(self, event: Event) -> None:
        fields = {name: value for name, value in event.data.items() if name in self.FIELDS["created"]}
        fields |= {"arguments": self._decoded(fields["arguments"])} if "arguments" in fields else {}
        self._run = replace(self._run, created=event.time, **fields)

    def _on_task(self, event: Event) -> None:
        data = event.data
        self._tasks[event.task] = Task(
            id=event.task,
            name=data["name"],
            parent=data.get("parent", ""),
            group=data.get("group", False),
            iteration=data.get("iteration"),
            needs=tuple(data.get("needs", ())),
            takes={source: tuple(names) for source, names in data.get("takes", {}).items()},
            condition=data.get("condition", ""),
            code=data.get("code", ""),
        )

    def _on_state(self, event: Event) -> None:
        state = RunState(event.data["state"])
        error = event.data.get("error")
        task_error = self._made(TaskError, error) if event.task and error else None
        if not event.task:
            if self._run.state.finished and not state.finished:
                self._begin_again()
            self._run = _entered(self._run, state, event.time)
            self._run = replace(self._run, error=str(error) if error else "")
            return
        task = self._tasks[event.task]
        if state in (RunState.PENDING, RunState.RUNNING, RunState.SKIPPED):
            task = replace(task, outputs={}, metrics={}, ranks=())  # those of an earlier attempt
        if state is RunState.PENDING:
            task = replace(task, decided="")
        if state is RunState.RUNNING:
            task = replace(task, attempts=task.attempts + 1, began=(*task.began, event.time))
        if state.finished:
            task = replace(task, ranks=ended(task.ranks))
        task = _entered(task, state, event.time)
        self._tasks[event.task] = replace(task, error=task_error, doing="")

    def _begin_again(self) -> None:
        """A run that had ended is tried again: no one waited between its end and now."""
        self._run = replace(self._run, started=None)
        for id, task in self._tasks.items():
            if task.state in (RunState.FAILED, RunState.CANCELED):
                self._tasks[id] = replace(task, started=None)

    def _on_inputs(self, event: Event) -> None:
        self._tasks[event.task] = replace(self._tasks[event.task], inputs=self._decoded(event.data["values"]))

    def _on_outputs(self, event: Event) -> None:
        values = self._decoded(event.data["values"])
        metrics = {name: finite.read(value) for name, value in event.data.get("metrics", {}).items()}
        if not event.task:
            self._run = replace(self._run, result=values, metrics=metrics)
        else:
            self._tasks[event.task] = replace(self._tasks[event.task], outputs=values, metrics=metrics)

    def _on_note(self, event: Event) -> None:
        self._run = replace(self._run, notes=(*self._run.notes, str(event.data["text"])))

    def _on_notes(self, event: Event) -> None:
        self._run = replace(self._run, notes=tuple(map(str, event.data["texts"])))

    def _on_doing(self, event: Event) -> None:
        self._tasks[event.task] = replace(self._tasks[event.task], doing=str(event.data["text"]))

    def _on_ranks(self, event: Event) -> None:
        task = self._tasks[event.task]
        self._tasks[event.task] = replace(task, ranks=merged(task.ranks, event.data["ranks"]))

    def _on_usage(self, event: Event) -> None:
        if not event.task:
            self._run = replace(self._run, used=amounts_of(event.data["total"]))
        else:
            task = self._tasks[event.task]
            usage = usage_of(event.data["attempt"])
            self._tasks[event.task] = replace(task, usage=(*task.usage, usage))

    def _on_decided(self, event: Event) -> None:
        self._tasks[event.task] = replace(self._tasks[event.task], decided=str(event.data["text"]))

    def _on_cached(self, event: Event) -> None:
        self._tasks[event.task] = replace(self._tasks[event.task], cached=True)


def _entered(thing: Any, state: RunState, time: float) -> Any:
    """A run or a task after it entered ``state`` at ``time``."""
    if state is RunState.RUNNING:
        # a further attempt keeps the first start: the duration is what the user waited
        return replace(thing, state=state, started=thing.started or time, finished=None)
    return replace(thing, state=state, finished=time if state.finished else None)


def fold(run_id: str, events: Iterable[Event]) -> entities.RunSnapshot:
    """The run from its ``events``."""
    total = RunFold(run_id)
    total.take(events)
    return total.run
