"""Which row of a run's ``task_details`` belongs to which task.

KFP 2.17 lists every node of the Argo workflow, in no order, without the id of the row's node; it only gives the ids of
the nodes that follow it, in ``child_tasks``. So a row is found by its children: that of ``train`` by the id of its
attempt ``train(0)``, or, if Argo has no attempts, by that of its ``executor`` (see ``argo_nodes``). A row without
children is found by its name, and facts from ML Metadata and the workflow take precedence over it (``fold``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kfnb.entities import RunSnapshot, RunState
from kfnb.resources.runs.kubeflow.argo_nodes import Path
from kfnb.resources.runs.kubeflow.plan import DagPlan, TaskPlan
from kfnb.resources.runs.kubeflow.states import state_named

Row = Mapping[str, Any]

_PLUMBING = frozenset({"executor", "root", "iteration-item", "iteration-iterations", ""})
"""Names of rows that every run has, by which a task cannot be found."""


def rows_of(answer: Mapping[str, Any]) -> Sequence[Row]:
    """The rows in a run's answer."""
    return (answer.get("run_details") or {}).get("task_details") or ()


def lag_behind(rows: Sequence[Row], run: RunSnapshot) -> bool:
    """Whether more tasks of a run have begun than it has rows."""
    recorded = Counter(str(row.get("display_name", "")) for row in rows)
    begun = Counter(task.name for task in run.tasks if task.began)
    return any(number > recorded[name] for name, number in begun.items())


class Rows:
    """The rows of one run: ``found``, by the ids of their tasks.

    ``rounds`` has the number of each loop's iterations, ``tries`` the number of pods of a task that may be retried; if
    Argo retries nothing, ``tries`` is empty.
    """

    def __init__(self, rows: Sequence[Row], root: DagPlan) -> None:
        self._before: dict[str, list[Row]] = {}
        self._rows = rows
        self._failed: list[Row] = []
        self._retries = False
        self._sort(rows)
        self._exists: dict[str, bool] = {}
        self.found: dict[str, Row] = {}
        self.rounds: dict[str, int] = {}
        self.tries: dict[str, int] = {}
        run, _ = self._last(Path(next(iter(self._before), "").rpartition("-")[0]))
        node, _ = self._last(run + ".root")
        self._dag(root, "", node)
        self._rest()
        self._drivers()

    def _sort(self, rows: Sequence[Row]) -> None:
        before = self._before
        for row in rows:
            for child in row.get("child_tasks") or ():
                node = child.get("pod_name", "")
                if node in before:
                    before[node].append(row)
                else:
                    before[node] = [row]
            if state_named(row.get("state")) is RunState.FAILED:
                self._failed.append(row)
            if not self._retries and row.get("display_name", "").endswith("(0)"):
                self._retries = True

    def _last(self, node: Path) -> tuple[Path, int]:
        """The last attempt of a node and the number of attempts; the node itself if Argo has no attempts."""
        number, last = 0, node
        while self._retries and (attempt := node + f"({number})").id in self._before:
            number, last = number + 1, attempt
        return last, number

    def _dag(self, dag: DagPlan, prefix: str, node: Path) -> None:
        for step in dag.steps:
            own = self._node(step, node)
            inside, attempts = self._last(own)
            task = prefix + step.name
            self._exists[task] = attempts > 0 or own.id in self._before
            row = self._row(step, [inside.id] if attempts else [(own + tail).id for tail in _first(step)])
            if row is not None:
                self.found[task] = row
            if step.inner is None:
                if self._retries:
                    self.tries[task] = self._last(inside + ".executor")[1]
            elif step.loop:
                self._loop(step.inner, task, inside)
            else:
                self._dag(step.inner, f"{task}/", inside)

    def _loop(self, inner: DagPlan, task: str, node: Path) -> None:
        turns, number = node + ".iteration-iterations", 0
        while (turn := turns + f"({number}:{number})").id in self._before:
            item, _ = self._last(self._last(turn)[0] + ".iteration-item")
            self._dag(inner, f"{task}/{number}/", item)
            number += 1
        self.rounds[task] = number

    def _node(self, step: TaskPlan, dag: Path) -> Path:
        """The node of a task. The node of an exit task is in the hook of the task that it follows."""
        if step.anyway:
            for need in step.needs:
                hook, attempts = self._last(dag + f".{need}.onExit")
                hooked = hook + f".{step.name}"
                known = (hooked.id, (hooked + "(0)").id, (hooked + ".executor").id)
                if attempts or any(one in self._before for one in known):
                    return hooked
        return dag + f".{step.name}"

    def _row(self, step: TaskPlan, followed: Sequence[str]) -> Row | None:
        for node in followed:
            for row in self._before.get(node, ()):
                if row.get("display_name") == step.name:
                    return row
        return None

    def _rest(self) -> None:
        """Rows without children, found by name: those that began first for the first tasks."""
        missing = [task for task in self._exists if task not in self.found]
        if not missing:
            return
        taken = {id(row) for row in self.found.values()}
        free: dict[str, list[Row]] = {}
        for row in self._rows:
            name = row.get("display_name", "")
            if id(row) not in taken and name not in _PLUMBING:
                free.setdefault(name, []).append(row)
        for waiting in free.values():
            waiting.sort(key=lambda row: str(row.get("start_time", "")), reverse=True)
        # a task whose node is known to exist takes precedence
        for task in sorted(missing, key=lambda task: not self._exists[task]):
            rows = free.get(task.rpartition("/")[2])
            if rows:
                self.found[task] = rows.pop()

    def _drivers(self) -> None:
        """Record as failed a task whose driver failed, which has no row or an empty row."""
        failed: dict[str, list[Row]] = {}
        for row in self._failed:
            name = row.get("display_name", "")
            if name.endswith("-driver"):
                failed.setdefault(name[: -len("-driver")], []).append(row)
        for task in self._exists if failed else ():
            rows = failed.get(task.rpartition("/")[2])
            if rows and not self.found.get(task, {}).get("state"):
                self.found[task] = rows.pop()


def _first(step: TaskPlan) -> Iterator[str]:
    """The possible children of a task's row: its executor, a loop's driver, or the first of the tasks in it."""
    if step.inner is None:
        yield ".executor"
    elif step.loop:
        yield ".iteration-driver"
    else:
        for inner in step.inner.steps:
            if not inner.needs:
                yield from (f".{inner.name}-driver", f".{inner.name}")
