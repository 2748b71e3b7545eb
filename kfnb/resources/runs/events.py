"""A run is a stream of events, and its state is their fold.

Events are append-only facts. ``fold`` makes the ``model.Run`` that they add up to; an event of a kind that this
version does not know (from a newer kfnb) is skipped, and counted in ``Fold.unknown`` so that it can be said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from kfnb import model
from kfnb.model import Artifact, RunState, Task, TaskError


@dataclass(frozen=True)
class Event:
    """One fact about a run. ``task`` is a task's id, empty for the run itself; ``time`` in epoch seconds.

    ===========  =========  =====================================================================
    kind         about      data
    ===========  =========  =====================================================================
    ``created``  the run    name, pipeline, backend, arguments, experiment, environment, url
    ``task``     a task     name, parent, group, iteration, needs, takes: {sibling: [name]}, condition
    ``state``    run, task  state; error: {message, traceback, place} of a task, a string of a run
    ``inputs``   a task     values: {name: value}
    ``outputs``  run, task  values: {name: value}; metrics: {name: number}
    ``decided``  a task     text: what its condition came to, until it waits again
    ``cached``   a task     (nothing)
    ``doing``    a task     text: what it waits for, or what is done for it; until its next state
    ``note``     the run    text: what the user should know of this run, in one line
    ``notes``    the run    texts: all that the user should know of it from now on
    ===========  =========  =====================================================================

    Values are JSON, with an artifact written as ``{"$artifact": {name, type, uri, metadata}}``.
    """

    seq: int
    time: float
    kind: str
    task: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


def encode(value: Any) -> Any:
    """A value of the model as JSON data."""
    if isinstance(value, Artifact):
        return {
            "$artifact": {
                "name": value.name,
                "type": value.type,
                "uri": value.uri,
                "metadata": dict(value.metadata),
            }
        }
    if isinstance(value, Mapping):
        return {name: encode(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    return value


def decode(value: Any) -> Any:
    """The opposite of ``encode``."""
    if isinstance(value, dict):
        if set(value) == {"$artifact"}:
            return Artifact(**value["$artifact"])
        return {name: decode(item) for name, item in value.items()}
    if isinstance(value, list):
        return [decode(item) for item in value]
    return value


class Fold:
    """Adds events up, one at a time; ``run`` is what they amount to so far.

    ``seq`` is the last event's number, ``unknown`` the kinds that this version did not understand.
    """

    def __init__(self, run_id: str) -> None:
        self.id = run_id
        self.seq = 0
        self.unknown: set[str] = set()
        self._run = model.Run(id=run_id, name="", pipeline="", backend="")
        self._tasks: dict[str, Task] = {}

    @property
    def run(self) -> model.Run:
        """The run as of the last event."""
        return replace(self._run, tasks=tuple(self._tasks.values()))

    @property
    def tasks(self) -> Mapping[str, Task]:
        """Its tasks and groups as of the last event, by id."""
        return MappingProxyType(self._tasks)

    def add(self, event: Event) -> None:
        """Take one more event into account."""
        self.seq = max(self.seq, event.seq)
        change = getattr(self, f"_on_{event.kind}", None)
        if change is None:
            self.unknown.add(event.kind)
        elif not event.task or event.kind == "task" or event.task in self._tasks:
            change(event)

    def _on_created(self, event: Event) -> None:
        known = ("name", "pipeline", "backend", "experiment", "arguments", "environment", "url")
        fields = {name: event.data[name] for name in known if name in event.data}
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
        )

    def _on_state(self, event: Event) -> None:
        state = RunState(event.data["state"])
        error = event.data.get("error")
        if not event.task:
            self._run = _entered(self._run, state, event.time)
            self._run = replace(self._run, error=str(error) if error else "")
            return
        task = self._tasks[event.task]
        if state in (RunState.PENDING, RunState.RUNNING, RunState.SKIPPED):
            task = replace(task, outputs={}, metrics={})  # those of an earlier attempt
        if state is RunState.PENDING:
            task = replace(task, decided="")
        if state is RunState.RUNNING:
            task = replace(task, attempts=task.attempts + 1, began=(*task.began, event.time))
        task = _entered(task, state, event.time)
        self._tasks[event.task] = replace(task, error=TaskError(**error) if error else None, doing="")

    def _on_inputs(self, event: Event) -> None:
        self._tasks[event.task] = replace(self._tasks[event.task], inputs=decode(event.data["values"]))

    def _on_outputs(self, event: Event) -> None:
        values, metrics = decode(event.data["values"]), event.data.get("metrics", {})
        if not event.task:
            self._run = replace(self._run, result=values, metrics=metrics)
        else:
            self._tasks[event.task] = replace(self._tasks[event.task], outputs=values, metrics=metrics)

    def _on_note(self, event: Event) -> None:
        self._run = replace(self._run, notes=(*self._run.notes, str(event.data["text"])))

    def _on_notes(self, event: Event) -> None:
        self._run = replace(self._run, notes=tuple(event.data["texts"]))

    def _on_doing(self, event: Event) -> None:
        self._tasks[event.task] = replace(self._tasks[event.task], doing=str(event.data["text"]))

    def _on_decided(self, event: Event) -> None:
        self._tasks[event.task] = replace(self._tasks[event.task], decided=str(event.data["text"]))

    def _on_cached(self, event: Event) -> None:
        self._tasks[event.task] = replace(self._tasks[event.task], cached=True)


def _entered(thing: Any, state: RunState, time: float) -> Any:
    """A run or a task as it is after it entered ``state`` at ``time``."""
    if state is RunState.RUNNING:
        # a retry keeps the first start: the duration is what the user waited
        return replace(thing, state=state, started=thing.started or time, finished=None)
    return replace(thing, state=state, finished=time if state.finished else None)


def fold(run_id: str, events: Iterable[Event]) -> model.Run:
    """The run that ``events`` add up to."""
    total = Fold(run_id)
    for event in events:
        total.add(event)
    return total.run
