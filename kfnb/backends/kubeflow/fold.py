"""A run as Kubeflow Pipelines tells it, as a ``model.Run``: the same tasks and groups as the local engine would give.

``rows.py`` finds the row of each task. What rows say is not always the last word: a run that has ended has tasks that
are RUNNING for a few seconds more (the recordings show it), one that was terminated ends as FAILED, times that are not
known yet are those of 1970 or of the year 1, and a task that was never reached has no row, or one without a state.
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from kfnb.backends.environment import FROM_STUDY, environment_of, of_study
from kfnb.backends.iterations import measured
from kfnb.backends.kubeflow.plan import Dag, Plan, Step, plan_of
from kfnb.backends.kubeflow.results import results
from kfnb.backends.kubeflow.rows import Row, Rows
from kfnb.backends.kubeflow.summary import summary, unprepared
from kfnb.model import Run, RunState, Task, TaskError

Json = Mapping[str, Any]

_NEVER = 60 * 60 * 24 * 365
"""Seconds since 1970 before which nothing ran: Go's zero times stand for none."""
_STATES = {"ERROR": RunState.FAILED, **{state.value: state for state in RunState}}
"""The states by KFP's words; Argo's ERROR is a failure too."""


@dataclass(frozen=True)
class Told:
    """What others than the server's rows know of a task: its pod, its log, ML Metadata.

    ``doing`` says what a task that is not finished waits for; ``going`` that it waits for nothing: its pod runs.
    """

    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    error: TaskError | None = None
    cached: bool | None = None
    doing: str = ""
    going: bool = False


NOTHING = Told()


def outline(answer: Json, experiment: str = "", url: str = "") -> Run:
    """A run without its tasks, which is cheap."""
    spec, state = spec_of(answer), state_of(answer)
    plan = plan_of({**spec, "components": {}, "root": {**spec.get("root", {}), "dag": {}}})
    finished = seconds(answer.get("finished_at"))
    error = answer.get("error") or {}
    study = of_study(str(answer.get("description") or ""))
    return Run(
        id=str(answer.get("run_id", "")),
        name=str(answer.get("display_name", "")),
        pipeline=plan.name,
        backend="kubeflow",
        state=state,
        arguments=plan.arguments((answer.get("runtime_config") or {}).get("parameters") or {}),
        experiment=experiment,
        created=seconds(answer.get("created_at")),
        started=_started(answer),
        finished=finished if state.finished else None,
        error=str(error.get("message", "")) if state is RunState.FAILED else "",
        environment={**environment_of(spec), **study},
        notes=tuple(FROM_STUDY + told for told in study.values()),
        url=url,
        archived=answer.get("storage_state") == "ARCHIVED",
    )


def fold(
    answer: Json,
    plan: Plan,
    told: Callable[[str], Told] = lambda _: NOTHING,
    experiment: str = "",
    url: str = "",
) -> Run:
    """The run, with all of its tasks and groups. ``told`` gives what is known of a task besides, by its id."""
    run = outline(answer, experiment, url)
    rows = (answer.get("run_details") or {}).get("task_details") or ()
    tasks = _Tasks(Rows(rows, plan.root), _canceled_at(answer), told)
    tasks.dag(plan.root, "", "", None, _Around(run.state, run.finished))
    whole = replace(run, tasks=tuple(tasks.made))
    if not run.state.finished:
        return whole
    return replace(
        whole,
        result=results(plan.root, whole.tasks) if run.state is RunState.SUCCEEDED else {},
        metrics=measured(whole.tasks),
        error=(summary(plan.root, whole.tasks) or unprepared(rows, told("").error) or run.error)
        if run.state is RunState.FAILED
        else run.error,
    )


def state_of(answer: Json) -> RunState:
    """The state of a run. One that was terminated ends as FAILED, and is CANCELED here."""
    state = _state(answer.get("state"))
    if state is RunState.FAILED and _canceled_at(answer) is not None:
        return RunState.CANCELED
    return state or RunState.PENDING


def seconds(text: Any) -> float | None:
    """A time of the server's in seconds since 1970; None for one that stands for none."""
    found = _seconds(text) if isinstance(text, str) else None
    return found if found is not None and found > _NEVER else None


@lru_cache(maxsize=1 << 14)
def _seconds(text: str) -> float | None:
    try:
        whole = calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))
        return whole + float(f"0{text[19:].rstrip('Z')}" if text[19:20] == "." else 0)
    except ValueError:
        return None


def spec_of(answer: Json) -> Json:
    """The PipelineSpec in a run's answer, which holds it alone or beside a platform's; empty where there is none."""
    spec = answer.get("pipeline_spec")
    spec = spec if isinstance(spec, dict) else {}
    inner: Json = spec.get("pipeline_spec", spec)
    return inner


def _state(word: Any) -> RunState | None:
    """A state in KFP's words; None for one that this version does not know."""
    return _STATES.get(word)


def _history(thing: Json) -> list[tuple[str, float | None]]:
    return [
        (str(item.get("state", "")), seconds(item.get("update_time")))
        for item in thing.get("state_history") or ()
    ]


def _started(answer: Json) -> float | None:
    return next((at for state, at in _history(answer) if state == "RUNNING"), None)


def _canceled_at(answer: Json) -> float | None:
    """When the run was terminated, if it was since it last began to run."""
    for state, at in reversed(_history(answer)):
        if state == "CANCELING":
            return at or 0.0
        if state == "RUNNING":
            return None
    return None


@dataclass(frozen=True)
class _Around:
    """The group (or the run) that a task is in, as it stands."""

    state: RunState
    finished: float | None

    @property
    def left_out(self) -> RunState:
        """The state of a task that nothing is told of."""
        if not self.state.finished:
            return RunState.PENDING
        return RunState.CANCELED if self.state is RunState.CANCELED else RunState.SKIPPED


class _Tasks:
    """Makes the tasks of one run, in the order of its pipeline: ``made``."""

    def __init__(self, rows: Rows, canceled: float | None, told: Callable[[str], Told]) -> None:
        self.made: list[Task] = []
        self._rows, self._canceled, self._told = rows, canceled, told

    def dag(self, dag: Dag, prefix: str, parent: str, index: int | None, around: _Around) -> list[Task]:
        """The tasks of a group that is in the state ``around``; its own, without those inside of them."""
        own = []
        for step in dag.steps:
            place = len(self.made)
            task = self._task(step, prefix + step.name, parent, index, around)
            self.made.append(task)
            if step.inner is not None:
                inside = self._inside(step.inner, step, task)
                task = self.made[place] = _with_first_error(task, inside)
            own.append(task)
        return own

    def _inside(self, inner: Dag, step: Step, task: Task) -> list[Task]:
        around = _Around(task.state, task.finished)
        if not step.loop:
            return self.dag(inner, f"{task.id}/", task.id, None, around)
        rounds = range(self._rows.rounds.get(task.id, 0))
        return [
            one for turn in rounds for one in self.dag(inner, f"{task.id}/{turn}/", task.id, turn, around)
        ]

    def _task(self, step: Step, task: str, parent: str, index: int | None, around: _Around) -> Task:
        row, told = self._rows.found.get(task), self._told(task)
        state = self._state(row, around)
        started, finished, began = self._times(row, task, state, around)
        word = (row or {}).get("state")
        unknown = f"Kubeflow says {word}" if word and _state(word) is None else ""
        cached = (
            step.inner is None and row is not None and _cached(row) if told.cached is None else told.cached
        )
        return Task(
            id=task,
            name=step.name,
            state=state,
            parent=parent,
            group=step.inner is not None,
            iteration=index,
            needs=step.needs,
            takes=step.takes,
            started=started,
            finished=finished,
            began=began,
            doing="" if state.finished else told.doing or unknown,
            inputs=told.inputs if step.inner is None else {},
            outputs=told.outputs if state is RunState.SUCCEEDED else {},
            metrics=told.metrics if state is RunState.SUCCEEDED else {},
            cached=cached and state is RunState.SUCCEEDED,
            attempts=len(began),
            error=(told.error or _error(row)) if state is RunState.FAILED else None,
        )

    def _state(self, row: Row | None, around: _Around) -> RunState:
        """A task's state: what its row says, made to fit what is around it."""
        if row is None:
            return around.left_out
        if not row.get("state"):  # Argo's Omitted
            return (
                RunState.SKIPPED
                if seconds(row.get("end_time")) and not around.state.finished
                else around.left_out
            )
        state = _state(row["state"]) or (RunState.RUNNING if row.get("start_time") else RunState.PENDING)
        if state is RunState.FAILED and self._canceled is not None:
            return RunState.CANCELED if (seconds(row.get("end_time")) or 0) >= self._canceled else state
        return around.state if around.state.finished and not state.finished else state

    def _times(
        self, row: Row | None, task: str, state: RunState, around: _Around
    ) -> tuple[float | None, float | None, tuple[float, ...]]:
        """When a task started and finished, and when each attempt at it began."""
        started = seconds((row or {}).get("start_time"))
        finished = seconds((row or {}).get("end_time"))
        if row is None or state in (RunState.PENDING, RunState.SKIPPED) or started is None:
            return None, (finished or around.finished) if state.finished else None, ()
        running = [item for item in row.get("state_history") or () if item.get("state") == "RUNNING"]
        again = [at for item in running[1:] if (at := seconds(item.get("update_time"))) is not None]
        more = max(self._rows.tries.get(task, 0) - 1 - len(again), 0)
        began = (started, *again, *[(again or [started])[-1]] * more)
        return started, (finished or around.finished) if state.finished else None, began


def _cached(row: Row) -> bool:
    """A task whose outputs were taken over has no pod: it starts and ends at once, and never runs."""
    return row.get("start_time") == row.get("end_time") and all(
        state != "RUNNING" for state, _ in _history(row)
    )


def _error(row: Row | None) -> TaskError | None:
    message = ((row or {}).get("error") or {}).get("message")
    return TaskError(str(message)) if message else None


def _with_first_error(group: Task, inside: Sequence[Task]) -> Task:
    """A group with the error of the first of its tasks that failed, in short."""
    first = next((task.error for task in inside if task.state is RunState.FAILED and task.error), None)
    if group.state is not RunState.FAILED or first is None:
        return group
    return replace(group, error=replace(first, traceback=""))
