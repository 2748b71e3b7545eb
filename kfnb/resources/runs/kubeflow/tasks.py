"""The tasks and groups of a run, from the server's rows and other facts.

Rows are not always right: a finished run has RUNNING tasks for a few more seconds (the recordings show it), a
terminated run ends as FAILED, unknown times are those of 1970 or of the year 1, and a task that was never reached has
no row, or one without a state. Of a workflow over 1 MiB, KFP 2.17 no longer reads nodes: its rows stay unchanged, and
ML Metadata or the workflow itself have the rest (``ObservedState``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from kfnb.entities import RunState, Task, TaskError
from kfnb.resources.runs.kubeflow.plan import DagPlan, TaskPlan
from kfnb.resources.runs.kubeflow.states import state_named
from kfnb.resources.runs.kubeflow.task_facts import ObservedState, TaskFacts
from kfnb.resources.runs.kubeflow.task_rows import Row, Rows
from kfnb.text import conditions
from kfnb.text.timestamps import seconds

_INCOMPLETE = "Kubeflow's API server has not recorded all of this run, as of workflows over 1 MiB"
_SHOWN = 5
"""Maximum number of tasks in a note."""


@dataclass(frozen=True)
class EnclosingGroup:
    """The state of the group (or the run) that a task is in."""

    state: RunState
    finished: float | None

    @property
    def left_out(self) -> RunState:
        """The state of a task without any facts."""
        if not self.state.finished:
            return RunState.PENDING
        return RunState.CANCELED if self.state is RunState.CANCELED else RunState.SKIPPED


class TaskBuilder:
    """Builds the tasks of one run, in the order of its pipeline: ``made``."""

    def __init__(self, rows: Rows, canceled: float | None, facts: Callable[[str], TaskFacts]) -> None:
        self.made: list[Task] = []
        self._rows, self._canceled, self._facts = rows, canceled, facts
        self._seen: dict[str, list[str]] = {}
        self._unknown: list[str] = []
        self._missing = False

    def notes(self) -> Iterator[str]:
        """Notes on states that are not the server's, a line for each source.

        A row may lag behind the end of its run by seconds, so an outdated row alone does not get a note.
        """
        for source, tasks in self._seen.items() if self._missing else ():
            yield f"{_INCOMPLETE}: {_some(tasks)} shown from {source}"
        if self._unknown:
            yield (
                f"{_INCOMPLETE}: there are no records of {_some(self._unknown, verb=False)}, whose states are inferred "
                "from the run's; set %kf_config metadata=ADDRESS or context=NAME to read what happened"
            )

    def dag(
        self, dag: DagPlan, prefix: str, parent: str, index: int | None, around: EnclosingGroup
    ) -> list[Task]:
        """The tasks of a group in the state ``around``, without those inside of them."""
        own: dict[str, Task] = {}
        for step in dag.steps:
            place = len(self.made)
            needs = [own[need] for need in step.needs if need in own]
            task = self._task(step, prefix + step.name, parent, index, around, needs)
            self.made.append(task)
            if step.inner is not None:
                inside = self._inside(step.inner, step, task)
                task = self.made[place] = self._group(task, inside, around)
            own[step.name] = task
        return list(own.values())

    def _inside(self, inner: DagPlan, step: TaskPlan, task: Task) -> list[Task]:
        around = EnclosingGroup(task.state, task.finished)
        if not step.loop:
            return self.dag(inner, f"{task.id}/", task.id, None, around)
        rounds = range(max(self._rows.rounds.get(task.id, 0), self._facts(task.id).turns))
        return [
            one for turn in rounds for one in self.dag(inner, f"{task.id}/{turn}/", task.id, turn, around)
        ]

    def _task(
        self,
        step: TaskPlan,
        task: str,
        parent: str,
        index: int | None,
        around: EnclosingGroup,
        needs: Sequence[Task],
    ) -> Task:
        row, facts = self._rows.found.get(task), self._facts(task)
        seen = facts.seen if _is_news(facts, row, around) else None
        state = self._seen_state(seen, around) if seen else self._state(row, step, around, needs)
        if seen is not None:
            started, finished, began = _seen_times(seen, row, state, around)
        else:
            started, finished, began = self._times(row, task, state, around)
        if (
            around.state.finished
            and (step.inner is None or bool(step.condition))
            and not _unhooked(step, needs)
        ):
            self._account(task, seen, row, around)
        word = (row or {}).get("state")
        unknown = f"unknown state {word}" if word and state_named(word) is None else ""
        cached = (
            step.inner is None and row is not None and _cached(row) if facts.cached is None else facts.cached
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
            doing="" if state.finished else facts.doing or unknown,
            condition=conditions.words(step.condition),
            decided=_decided(step, state, facts),
            code=step.code,
            inputs=facts.inputs if step.inner is None else {},
            outputs=facts.outputs if state is RunState.SUCCEEDED else {},
            metrics=facts.metrics if state is RunState.SUCCEEDED else {},
            cached=cached and state is RunState.SUCCEEDED,
            attempts=len(began),
            error=(facts.error or _error(row)) if state is RunState.FAILED else None,
        )

    def _seen_state(self, seen: ObservedState, around: EnclosingGroup) -> RunState:
        if seen.state.finished or not around.state.finished:
            return seen.state
        return around.state

    def _account(
        self, task: str, seen: ObservedState | None, row: Row | None, around: EnclosingGroup
    ) -> None:
        """Record the source of the state of a finished run's task, if it was not the server."""
        if seen is not None:
            self._seen.setdefault(seen.source, []).append(task)
            self._missing = self._missing or row is None
        elif row is None and around.state is RunState.SUCCEEDED:
            self._unknown.append(task)

    def _state(
        self, row: Row | None, step: TaskPlan, around: EnclosingGroup, needs: Sequence[Task]
    ) -> RunState:
        """A task's state: that of its row, adapted to the group around it."""
        if row is None:
            return _left_out(step, around, needs)
        if not row.get("state"):  # Argo's Omitted
            state = RunState.SKIPPED if seconds(row.get("end_time")) else RunState.PENDING
            state = around.left_out if around.state.finished else state
        else:
            state = state_named(row["state"]) or (
                RunState.RUNNING if row.get("start_time") else RunState.PENDING
            )
        if state is RunState.FAILED and self._canceled is not None:
            return RunState.CANCELED if (seconds(row.get("end_time")) or 0) >= self._canceled else state
        return around.state if around.state.finished and not state.finished else state

    def _times(
        self, row: Row | None, task: str, state: RunState, around: EnclosingGroup
    ) -> tuple[float | None, float | None, tuple[float, ...]]:
        """When a task started and finished, and when each attempt began."""
        started = seconds((row or {}).get("start_time"))
        finished = seconds((row or {}).get("end_time"))
        ended = (finished or around.finished) if state.finished else None
        if not (row or {}).get("state") or state in (RunState.PENDING, RunState.SKIPPED) or started is None:
            return None, ended, ()
        assert row is not None
        running = [item for item in row.get("state_history") or () if item.get("state") == "RUNNING"]
        again = [at for item in running[1:] if (at := seconds(item.get("update_time"))) is not None]
        # in a retried run, a row may start again
        first = min(started, seconds(running[0].get("update_time")) or started) if again else started
        more = max(self._rows.tries.get(task, 0) - 1 - len(again), 0)
        return first, ended, (first, *again, *[(again or [first])[-1]] * more)

    def _group(self, group: Task, inside: Sequence[Task], around: EnclosingGroup) -> Task:
        """A group, inferred from its tasks if there are no facts, with the error of the first failed task."""
        row, seen = self._rows.found.get(group.id), self._facts(group.id).seen
        known = _final(row) or (seen is not None and seen.state.finished)
        if inside and not known and (row is None or around.state.finished):
            group = _together(group, inside, around)
        first = next((task.error for task in inside if task.state is RunState.FAILED and task.error), None)
        if group.state is not RunState.FAILED or first is None:
            return group
        return replace(group, error=replace(first, traceback=""))


def _is_news(facts: TaskFacts, row: Row | None, around: EnclosingGroup) -> bool:
    """Whether other sources have newer facts about a task than its row."""
    seen = facts.seen
    if seen is None or _final(row):
        return False
    if row is None:
        return True
    if not seen.state.finished:
        return facts.going and row.get("state") == RunState.PENDING
    # a failed attempt may be followed by another
    over = around.state.finished or seen.state is not RunState.FAILED
    return bool(row.get("state")) and over


def _unhooked(step: TaskPlan, needs: Sequence[Task]) -> bool:
    """Whether a task is known not to have run: its hook has another task, or belongs to a task that did not run."""
    return step.never or (step.anyway and any(need.state is RunState.SKIPPED for need in needs))


def _left_out(step: TaskPlan, around: EnclosingGroup, needs: Sequence[Task]) -> RunState:
    """The state of a task without any facts."""
    # a successful run has run everything without a condition
    ran = not (step.condition or step.never) and all(need.state is RunState.SUCCEEDED for need in needs)
    return RunState.SUCCEEDED if around.state is RunState.SUCCEEDED and ran else around.left_out


def _together(group: Task, inside: Sequence[Task], around: EnclosingGroup) -> Task:
    """A group as its tasks show it."""
    began = min((task.started for task in inside if task.started is not None), default=None)
    if not around.state.finished:
        if began is None:
            return group
        return replace(group, state=RunState.RUNNING, started=began, began=(began,), attempts=1)
    ended = (RunState.FAILED, RunState.CANCELED, RunState.SUCCEEDED, RunState.SKIPPED)
    states = {task.state for task in inside}
    return replace(group, state=next(state for state in ended if state in states))


def _decided(step: TaskPlan, state: RunState, facts: TaskFacts) -> str:
    """The result of a branch's condition, if known: its inputs are recorded when it is decided."""
    begun = (RunState.RUNNING, RunState.SUCCEEDED, RunState.FAILED)
    if not step.condition or state not in (RunState.SKIPPED, *begun):
        return ""
    return conditions.decided(step.condition, facts.slipped_in, taken=state in begun)


def _seen_times(
    seen: ObservedState, row: Row | None, state: RunState, around: EnclosingGroup
) -> tuple[float | None, float | None, tuple[float, ...]]:
    """See ``TaskBuilder._times``."""
    started = seconds((row or {}).get("start_time")) or seen.started
    ended = (seen.finished or around.finished) if state.finished else None
    if started is None or state in (RunState.PENDING, RunState.SKIPPED):
        return None, ended, ()
    return started, ended, (started,) * max(seen.attempts, 1)


def _final(row: Row | None) -> bool:
    """Whether a row has the end of its task."""
    state = state_named((row or {}).get("state"))
    return state is not None and state.finished


def _some(tasks: Sequence[str], *, verb: bool = True) -> str:
    shown = ", ".join(tasks[:_SHOWN]) + (f" and {len(tasks) - _SHOWN} more" if len(tasks) > _SHOWN else "")
    return f"{shown} {'is' if len(tasks) == 1 else 'are'}" if verb else shown


def _cached(row: Row) -> bool:
    """Whether a task was cached: it has no pod, starts and ends at once, and never runs."""
    states = (item.get("state") for item in row.get("state_history") or ())
    return row.get("start_time") == row.get("end_time") and "RUNNING" not in states


def _error(row: Row | None) -> TaskError | None:
    message = ((row or {}).get("error") or {}).get("message")
    return TaskError(str(message)) if message else None
