"""Which row of a run's ``task_details`` tells of which task.

KFP 2.17 tells of every node of the Argo workflow, in no order, without saying which node a row is; it only names the
nodes that follow it, in ``child_tasks``. A node is named by Argo, ``WORKFLOW-HASH``: the hash is FNV-1a, of 32 bits, of
the node's path, as ``WORKFLOW.root.train.executor``. So the row of ``train`` is the one that ``executor`` follows, and
plumbing (drivers, executors, iterations) is told from tasks of the same names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from kfnb.backends.kubeflow.plan import Dag, Step

Row = Mapping[str, Any]

_OFFSET, _PRIME, _MASK = 0x811C9DC5, 0x01000193, 0xFFFFFFFF
_PLUMBING = frozenset({"executor", "root", "iteration-item", "iteration-iterations", ""})
"""What rows of every run are called, so that a task is not found by such a name alone."""


@lru_cache(maxsize=1 << 16)
def _hashed(state: int, text: str) -> int:
    """FNV-1a of what ``state`` is the hash of, with ``text`` after it."""
    for byte in text.encode():
        state = ((state ^ byte) * _PRIME) & _MASK
    return state


class Rows:
    """The rows of one run: ``found``, by the ids of the tasks that they tell of.

    ``rounds`` has the number of each loop's turns, ``tries`` that of the attempts at a task which may be tried again.
    """

    def __init__(self, rows: Sequence[Row], root: Dag) -> None:
        self._before: dict[str, list[Row]] = {}
        self._rows = rows
        self._failed: list[Row] = []
        self._retries = False
        self._sort(rows)
        self._workflow = next(iter(self._before), "").rpartition("-")[0]
        self._exists: dict[str, bool] = {}
        self.found: dict[str, Row] = {}
        self.rounds: dict[str, int] = {}
        self.tries: dict[str, int] = {}
        self._dag(root, "", _hashed(_hashed(_OFFSET, self._workflow), ".root"))
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
            if row.get("state") == "FAILED":
                self._failed.append(row)
            if row.get("display_name") == "executor(0)":
                self._retries = True

    def _id(self, node: int, *tail: str) -> str:
        for text in tail:
            node = _hashed(node, text)
        return f"{self._workflow}-{node}"

    def _dag(self, dag: Dag, prefix: str, node: int) -> None:
        for step in dag.steps:
            own = self._node(step, node)
            task = prefix + step.name
            self._exists[task] = self._id(own) in self._before
            row = self._row(step, own)
            if row is not None:
                self.found[task] = row
            if step.inner is None:
                self._count(task, own)
            elif step.loop:
                self._loop(step.inner, task, own)
            else:
                self._dag(step.inner, f"{task}/", own)

    def _loop(self, inner: Dag, task: str, node: int) -> None:
        turns, number = _hashed(node, ".iteration-iterations"), 0
        while self._id(turn := _hashed(turns, f"({number}:{number})")) in self._before:
            self._dag(inner, f"{task}/{number}/", _hashed(turn, ".iteration-item"))
            number += 1
        self.rounds[task] = number

    def _count(self, task: str, node: int) -> None:
        if self._retries:
            number, executor = 0, _hashed(node, ".executor")
            while self._id(executor, f"({number})") in self._before:
                number += 1
            self.tries[task] = number

    def _node(self, step: Step, dag: int) -> int:
        """The node of a task. An exit task is one of the hook of the task that it follows."""
        if step.anyway:
            for need in step.needs:
                hooked = _hashed(dag, f".{need}.onExit.{step.name}")
                if self._id(hooked) in self._before or self._id(hooked, ".executor") in self._before:
                    return hooked
        return _hashed(dag, f".{step.name}")

    def _row(self, step: Step, node: int) -> Row | None:
        for tail in _first(step):
            for row in self._before.get(self._id(node, tail), ()):
                if row.get("display_name") == step.name:
                    return row
        return None

    def _rest(self) -> None:
        """Rows that nothing follows yet, or ever: taken by name, those that began first for those that come first."""
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
        # a task whose node is known to exist has the better claim
        for task in sorted(missing, key=lambda task: not self._exists[task]):
            rows = free.get(task.rpartition("/")[2])
            if rows:
                self.found[task] = rows.pop()

    def _drivers(self) -> None:
        """A task whose driver failed has no row, or one that says nothing: it failed."""
        failed: dict[str, list[Row]] = {}
        for row in self._failed:
            name = row.get("display_name", "")
            if name.endswith("-driver"):
                failed.setdefault(name[: -len("-driver")], []).append(row)
        for task in self._exists if failed else ():
            rows = failed.get(task.rpartition("/")[2])
            if rows and not self.found.get(task, {}).get("state"):
                self.found[task] = rows.pop()


def _first(step: Step) -> Iterator[str]:
    """What may follow the row of a task: its executor, a loop's driver, or the first of the tasks in it."""
    if step.inner is None:
        yield ".executor"
    elif step.loop:
        yield ".iteration-driver"
    else:
        for inner in step.inner.steps:
            if not inner.needs:
                yield from (f".{inner.name}-driver", f".{inner.name}")
