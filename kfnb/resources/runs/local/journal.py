"""Records the engine's progress: each change of a run as an event, in the run's event log."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from kfnb.entities import Amounts, RunSnapshot, RunState, Task, TaskError, Usage
from kfnb.jobs.eventlog import EventLog, Fact
from kfnb.resources.runs.events import RunFold, encode, fold
from kfnb.resources.runs.iterations import measured
from kfnb.resources.runs.local.spec import TaskSpec
from kfnb.resources.runs.metrics import metrics
from kfnb.resources.runs.usage_data import amounts_data, usage_data
from kfnb.text import conditions


@dataclass(frozen=True)
class AnnouncedTasks:
    """The tasks of a DAG by their names: those that are ``groups``, and the digests of the others' programs."""

    steps: Mapping[str, TaskSpec]
    groups: Collection[str] = ()
    codes: Mapping[str, str] = field(default_factory=dict)


class Journal:
    """Writes the events of one run, and has the tasks that an earlier attempt finished (``earlier``)."""

    def __init__(self, run_id: str, log: EventLog) -> None:
        self._run_id, self._log = run_id, log
        past = RunFold(run_id)
        past.take(log.read())
        self.earlier = {task.id: task for task in past.run.tasks}
        self._announced: set[str] = set()
        self.occupied = dict(past.run.occupied)
        """What the run occupied in attempts that have ended."""

    def done(self, task: str) -> Task | None:
        """A task or a group that an earlier attempt at the run finished; None if it did not."""
        earlier = self.earlier.get(task)
        return earlier if earlier is not None and earlier.state is RunState.SUCCEEDED else None

    def tasks(self, parent: str, prefixes: Mapping[str, int | None], tasks: AnnouncedTasks) -> None:
        """Record the tasks of a group. Those of an earlier attempt wait again.

        ``prefixes`` begin their ids: one, or one for each iteration of a loop, with its index. It is one transaction,
        since a loop may have thousands of iterations. Tasks that an earlier attempt finished are kept, unless the group
        itself is retried.
        """
        self._log.append(
            [
                fact
                for prefix, index in prefixes.items()
                for fact in self._come_up(parent, prefix, tasks, index)
            ]
        )

    def _come_up(self, parent: str, prefix: str, tasks: AnnouncedTasks, index: int | None) -> list[Fact]:
        facts: list[Fact] = []
        for name, step in tasks.steps.items():
            task = prefix + name
            earlier = self.earlier.get(task)
            if task in self._announced or earlier is not None:
                if task in self._announced or (earlier and earlier.state is not RunState.SUCCEEDED):
                    facts.append(("state", task, {"state": RunState.PENDING}))
                continue
            data = {
                "name": name,
                "parent": parent,
                "group": name in tasks.groups,
                "needs": list(step.needs),
                "takes": step.takes,
            }
            data |= {"condition": conditions.words(step.condition)} if step.condition else {}
            data |= {"code": tasks.codes[name]} if name in tasks.codes else {}
            facts.append(("task", task, data | ({} if index is None else {"iteration": index})))
        self._announced.update(prefix + name for name in tasks.steps)
        return facts

    def loop(self, task: str, rounds: int) -> None:
        """Record the number of iterations of a loop; an earlier attempt's further iterations are dropped."""
        others = [
            known
            for known in {*self.earlier, *self._announced}
            if known.startswith(f"{task}/") and int(known[len(task) + 1 :].partition("/")[0]) >= rounds
        ]
        if others:
            self._log.append([("state", known, {"state": RunState.SKIPPED}) for known in others])

    def started(self, task: str, inputs: Mapping[str, Any] | None = None) -> None:
        """Record that a task or a group runs. ``inputs`` are given for tasks that show them."""
        facts: list[Fact] = [("state", task, {"state": RunState.RUNNING})]
        if inputs is not None:
            facts.insert(0, ("inputs", task, {"values": encode(inputs)}))
        self._log.append(facts)

    def state(self, task: str, state: RunState, error: TaskError | str | None = None) -> None:
        """Record a new state of a task (or of the run, if ``task`` is empty)."""
        if isinstance(error, TaskError):
            data: Any = {"message": error.message, "traceback": error.traceback, "place": error.place}
        else:
            data = error
        self._log.append([("state", task, {"state": state} | ({"error": data} if data else {}))])

    def decided(self, task: str, text: str) -> None:
        """Record the result of a task's condition."""
        self._log.append([("decided", task, {"text": text})])

    def doing(self, task: str, text: str) -> None:
        """Record slow work that is done for a task; an empty ``text`` when it is finished."""
        self._log.append([("doing", task, {"text": text})])

    def ranks(self, task: str, news: Mapping[str, Any]) -> None:
        """Record what is new of the processes of a training, by rank."""
        self._log.append([("ranks", task, {"ranks": dict(news)})])

    def used(self, task: str, usage: Usage) -> None:
        """Record what an attempt at a task occupied."""
        self._add(usage)
        self._log.append([("usage", task, {"attempt": usage_data(usage)})])

    def succeeded(
        self, task: str, outputs: Mapping[str, Any], *, cached: bool = False, usage: Usage | None = None
    ) -> None:
        """Record that a task, a group or the run is done, with its outputs and what its last attempt occupied."""
        facts: list[Fact] = [("cached", task, {})] if cached else []
        if usage is not None:
            self._add(usage)
            facts.append(("usage", task, {"attempt": usage_data(usage)}))
        if outputs:
            facts.append(("outputs", task, {"values": encode(outputs), "metrics": encode(metrics(outputs))}))
        facts.append(("state", task, {"state": RunState.SUCCEEDED}))
        self._log.append(facts)

    def _add(self, usage: Usage) -> None:
        self.occupied[usage.purpose] = self.occupied.get(usage.purpose, Amounts()) + usage.amounts

    def note(self, *texts: str) -> None:
        """Record notes for the user, unless the run has them already."""
        known = self.snapshot().notes if texts else ()
        self._log.append([("note", "", {"text": text}) for text in texts if text not in known])

    def snapshot(self) -> RunSnapshot:
        """The run as recorded."""
        return fold(self._run_id, self._log.read())

    def ended(self, state: RunState, outputs: Mapping[str, Any], error: str = "") -> None:
        """Record that the run is finished, with its outputs and all metrics of its tasks."""
        now = self.snapshot()
        logged = measured(now.tasks)
        data = {"values": encode(outputs), "metrics": logged}
        facts: list[Fact] = [("outputs", "", data)] if outputs or logged else []
        if now.occupied:
            facts.append(("usage", "", {"total": amounts_data(now.occupied)}))
        self._log.append([*facts, ("state", "", {"state": state} | ({"error": error} if error else {}))])
