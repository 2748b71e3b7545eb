"""A run as the page is told of it: JSON, whole or what is new. ``js/README.md`` has the words.

What is sent, when and by whom is not decided here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kfnb.model import Run, RunState, Task
from kfnb.resources.runs.view.iterations import Loops
from kfnb.resources.runs.view.tree import Tree, is_indexed, is_iteration
from kfnb.text.group_names import group_title
from kfnb.ui.states import shown
from kfnb.ui.words import clean, cut, kind, one_line, own_name, short

Message = dict[str, Any]

VALUE, SENTENCE = 80, 300
"""Columns that a value and a sentence take at most: a change stays under 1 KB."""


class Wire:
    """What the page knows of one run, and the messages that tell it the rest.

    ``command`` gives the line that would start the run again.
    """

    def __init__(self, run_id: str, command: Callable[[Run], str] = lambda _: "") -> None:
        self._id = run_id
        self._command = command
        self._seq = 0
        self._run: Message = {}
        self._tasks: dict[str, Message] = {}
        self._places: dict[str, tuple[list[str], list[int]]] = {}

    def whole(self, run: Run) -> Message:
        """All of the run."""
        by_id = {task.id: task for task in run.tasks}
        self._run = self._fields(run)
        self._tasks = {task.id: self._task(task, by_id) for task in run.tasks if not is_iteration(task)}
        return {
            "kind": "run",
            "seq": self._seq,
            "now": time.time(),
            "run": {"id": run.id, **self._run, "tasks": list(self._tasks.values())},
        }

    def change(self, run: Run, touched: Iterable[str], by_id: Mapping[str, Task]) -> Message | None:
        """What the page does not know of the run and of its tasks ``touched``; None if it knows all.

        ``by_id`` are all of the run's tasks.
        """
        now = self._fields(run)
        fields = news(now, self._run)
        tasks = [
            told
            for id in touched
            if id in by_id and not is_iteration(by_id[id]) and (told := self._task_news(id, by_id))
        ]
        if not (fields or tasks):
            return None
        self._run = now
        self._seq += 1
        message: Message = {"kind": "change", "id": self._id, "seq": self._seq, "now": time.time()}
        return message | ({"run": fields} if fields else {}) | ({"tasks": tasks} if tasks else {})

    def _fields(self, run: Run) -> Message:
        return _run(run) | {"command": self._command(run)}

    def _task_news(self, id: str, by_id: Mapping[str, Task]) -> Message:
        now = self._task(by_id[id], by_id)
        fresh = news(now, self._tasks.get(id, {}))
        self._tasks[id] = now
        return {"id": id, **fresh} if fresh else {}

    def _task(self, task: Task, by_id: Mapping[str, Task]) -> Message:
        path, turn = self._place(task, by_id)
        task = shown(task)
        return {
            "id": task.id,
            "name": one_line(task.name),
            "path": path,
            "turn": turn,
            "group": task.group,
            "title": one_line(group_title(task) if task.group else task.title),
            "branch": task.condition != "",
            "decided": sentence(task.decided),
            "state": str(task.state),
            "needs": {need: [*map(one_line, task.takes.get(need, ()))] for need in task.needs},
            "began": list(task.began or (() if task.started is None else (task.started,))),
            "finished": task.finished,
            "cached": task.cached,
            "attempts": task.attempts,
            "known": len(task.inputs) + len(task.outputs),
            "doing": sentence(task.doing),
            "error": sentence(task.error.message) if task.error else "",
            "place": sentence(task.error.place) if task.error else "",
        }

    def _place(self, task: Task, by_id: Mapping[str, Task]) -> tuple[list[str], list[int]]:
        """The names from the root to a task, and the turns of the loops that it is in. They never change."""
        known = self._places.get(task.id)
        if known is None:
            self._places[task.id] = [], []  # a ring of parents ends here
            above = by_id.get(task.parent)
            path, turn = self._place(above, by_id) if above else ([], [])
            known = (
                path if is_iteration(task) else [*path, one_line(task.name)],
                [*turn, task.iteration] if is_indexed(task) and task.iteration is not None else turn,
            )
            self._places[task.id] = known
        return known


def _run(run: Run) -> Message:
    return {
        "name": one_line(own_name(run)),
        "pipeline": one_line(run.pipeline or run.name or run.id),
        "backend": one_line(run.backend),
        "experiment": one_line(run.experiment),
        "state": str(run.state),
        "created": run.created,
        "started": run.started,
        "finished": run.finished,
        "arguments": pairs(run.arguments),
        "result": pairs(run.result),
        "error": sentence(run.error),
        "metrics": pairs(run.metrics),
        "notes": [clean(note) for note in run.notes],
        "url": run.url,
        "doing": _doing(run),
    }


def _doing(run: Run) -> str:
    """What is being done for a run of which no task has begun."""
    if run.state is not RunState.PENDING:
        return ""
    return "Starting the engine" if run.backend == "local" else "Waiting for Kubeflow to start it"


def news(now: Message, known: Message) -> Message:
    """What of ``now`` is not known yet."""
    return {name: value for name, value in now.items() if name not in known or known[name] != value}


def sentence(text: str) -> str:
    """A text as one line that is not too long."""
    return cut(one_line(text), SENTENCE)


def pairs(values: Mapping[str, Any]) -> list[list[str]]:
    """Names with their values in words."""
    return [[one_line(name), kind(value) or short(value, VALUE)] for name, value in values.items()]


def labels(run: Run) -> Message:
    """What tells the turns of a run's loops apart, and its groups in words."""
    tree = Tree(run.tasks)
    loops = Loops(tree)
    return {
        "kind": "labels",
        "id": run.id,
        "tasks": {leaf.task.id: loops.label(leaf) for leaf in tree.leaves if leaf.indices},
        "groups": {"/".join(leaf.path): loops.title(leaf) for leaf in tree.leaves if leaf.task.group},
    }


def rows(view: str, runs: Sequence[Run]) -> Message:
    """The rows of a table of runs."""
    return {"kind": "runs", "view": view, "rows": [_row(run) for run in runs]}


def _row(run: Run) -> Message:
    return {
        "id": run.id,
        "pipeline": one_line(run.pipeline),
        "name": one_line(own_name(run)),
        "experiment": one_line(run.experiment),
        "state": str(run.state),
        "created": run.started or run.created,
        "seconds": run.seconds,
        "arguments": pairs(run.arguments),
        "metrics": pairs(run.metrics),
        "url": run.url,
        "archived": run.archived,
    }
