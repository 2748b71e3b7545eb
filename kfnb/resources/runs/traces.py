"""What runs took and made, for the index of lineage: from events, or from a run as it is now."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kfnb.catalog.records import ArtifactRecord, Reading, RunContext, TaskExecution, Trace, Use
from kfnb.entities import RunSnapshot, RunState, Task, data_of
from kfnb.resources.runs.events import decode, encode

BEGAN = frozenset({RunState.RUNNING, RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELED})
"""The states of tasks that may have taken and made something."""
_LONGEST = 200
"""Characters of a parameter's JSON that the index keeps."""


@dataclass
class TracedTask:
    """What is known of a task. ``state`` is KFP's word; inputs and outputs are encoded as events have them."""

    state: str = ""
    started: float | None = None
    finished: float | None = None
    cached: bool = False
    error: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)


class SnapshotRecords:
    """Runs as they were when they were read, as those of a cluster. See ``kfnb.catalog.records.Source``."""

    name = "runs of a cluster"

    def __init__(self, runs: Iterable[RunSnapshot]) -> None:
        self._runs = {run.id: run for run in runs}

    def stamps(self, known: Mapping[str, str]) -> Mapping[str, str]:
        """The runs, which do not change."""
        return dict.fromkeys({**known, **self._runs}, "")

    def read(self, units: Iterable[str]) -> Iterator[Reading]:
        """The facts about runs."""
        for unit in units:
            if unit in self._runs:
                yield Reading(unit, "", traced_snapshot(self._runs[unit]))


def traced_snapshot(run: RunSnapshot) -> Trace:
    """The facts about a run as it is now."""
    context = RunContext(
        run.id,
        run.name,
        run.pipeline,
        run.backend,
        str(run.state),
        run.created,
        run.finished,
        run.experiment,
        run.owner,
        run.occupied,
    )
    tasks = (task for task in run.tasks if not task.group and task.state in BEGAN)
    return traced_tasks(context, ((task.id, _of_task(task)) for task in tasks))


def _of_task(task: Task) -> TracedTask:
    error = task.error.message if task.error else ""
    sides = encode(dict(task.inputs)), encode(dict(task.outputs))
    return TracedTask(str(task.state), task.started, task.finished, task.cached, error, *sides)


def traced_tasks(context: RunContext, tasks: Iterable[tuple[str, TracedTask]]) -> Trace:
    """The facts about a run's tasks, each with its state, its times, inputs and outputs, as events have them."""
    places: dict[tuple[str, str], int] = {}
    records: list[ArtifactRecord] = []
    executions: list[TaskExecution] = []
    uses: list[Use] = []
    for name, task in tasks:
        made = {key: _artifacts(value) for key, value in task.outputs.items()}
        if _only_fetches(made.values()):
            continue
        taken = {key: _artifacts(value) for key, value in task.inputs.items()}
        for side, output in ((taken, False), (made, True)):
            for key, artifacts in side.items():
                for one in artifacts:
                    own = one["uri"], one.get("digest", "")
                    place = places.setdefault(own, len(records))
                    if place == len(records):
                        records.append(
                            ArtifactRecord(one["name"], one["type"], *own, properties=one["metadata"])
                        )
                    uses.append(Use(len(executions), place, output, key))
        parameters = {key: _short(value) for key, value in task.inputs.items() if not taken[key]}
        executions.append(
            TaskExecution(name, task.state, task.started, task.finished, task.cached, task.error, parameters)
        )
    return Trace(context, tuple(executions), tuple(records), tuple(uses))


def _only_fetches(made: Iterable[Sequence[dict[str, Any]]]) -> bool:
    """Whether a task that made these imports a version of a data set, which was there before: it made nothing."""
    artifacts = [one for several in made for one in several]
    return bool(artifacts) and all(data_of(one["metadata"]) for one in artifacts)


def _artifacts(value: Any) -> Sequence[dict[str, Any]]:
    """The fields of an artifact, or of a list of artifacts, as ``encode`` writes them; empty for other values."""
    if not isinstance(value, dict | list):
        return ()
    if isinstance(value, dict):
        return (value["$artifact"],) if value.keys() == {"$artifact"} else ()
    if value and all(isinstance(one, dict) and one.keys() == {"$artifact"} for one in value):
        return [one["$artifact"] for one in value]
    return ()


def _short(value: Any) -> Any:
    """A parameter's value; of a long one, the beginning of its JSON."""
    if isinstance(value, bool | int | float) or value is None:
        return value
    if not isinstance(value, str):
        value = decode(value)
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return value if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
