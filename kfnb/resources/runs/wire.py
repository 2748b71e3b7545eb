"""A run, and a table of runs, as messages for the page: complete, or changes (``kfnb/live/messages.py``).

What is sent, when and by whom is decided elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kfnb.entities import RunSnapshot, RunState, Task
from kfnb.live.contents import Content, new_fields, new_parts
from kfnb.live.messages import LabelsMessage, Pair, RunHead, RunRow, RunTask
from kfnb.resources.runs.view.iterations import Loops
from kfnb.resources.runs.view.ranks import draw_ranks
from kfnb.resources.runs.view.tree import Tree, is_indexed, is_iteration
from kfnb.text.group_names import group_title
from kfnb.ui.states import shown
from kfnb.ui.words import clean, cut, kind, one_line, own_name, short

VALUE, SENTENCE = 80, 300
"""Maximum length of a value and of a sentence: a change stays under 1 KB."""


class RunWire:
    """A run, whose parts are its tasks. ``command`` returns the line that starts it again."""

    each_refresh = False

    def __init__(self, command: Callable[[RunSnapshot], str] = lambda _: "") -> None:
        self._command = command

    def whole(self, run: RunSnapshot) -> Content:
        """All of the run."""
        by_id = {task.id: task for task in run.tasks}
        parts = [
            {**_task(task, by_id), "ranks": _ranks(task)} for task in run.tasks if not is_iteration(task)
        ]
        return Content(self._head(run), parts)

    def change(self, old: RunSnapshot, new: RunSnapshot) -> Content:
        """What is new since ``old``."""
        before = {task.id: task for task in old.tasks}
        after = {task.id: task for task in new.tasks}
        tasks = new_parts(
            [before.get(id) for id in after],
            after.values(),
            lambda task: {} if is_iteration(task) else _task(task, after),
            lambda task: {} if is_iteration(task) else _task(task, before),
        )
        return Content(new_fields(self._head(old), self._head(new)), _with_ranks(tasks, before, after))

    def _head(self, run: RunSnapshot) -> RunHead:
        return _head(run, self._command(run))


def _task(task: Task, by_id: Mapping[str, Task]) -> RunTask:
    """A task but for its ranks, which are drawn apart."""
    path, turn = _place(task, by_id)
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
        "state": task.state.value,
        "needs": {need: [*map(one_line, task.takes.get(need, ()))] for need in task.needs},
        "began": list(task.began or (() if task.started is None else (task.started,))),
        "finished": task.finished,
        "cached": task.cached,
        "attempts": task.attempts,
        "known": len(task.inputs) + len(task.outputs),
        "doing": sentence(task.doing),
        "error": sentence(task.error.message) if task.error else "",
        "place": sentence(task.error.place) if task.error else "",
        "processes": len(task.ranks),
        "ranks": "",
    }


def _with_ranks(
    parts: Sequence[dict[str, Any]], before: Mapping[str, Task], after: Mapping[str, Task]
) -> list[dict[str, Any]]:
    """The parts that are new, and the ranks where something is: they are drawn once for each change."""
    new = {part["id"]: part for part in parts}
    for id, task in after.items():
        known = before.get(id)
        if (known.ranks if known else ()) != task.ranks:
            new[id] = {"id": id, **new.get(id, {}), "ranks": _ranks(task)}
    return [*new.values()]


def _ranks(task: Task) -> str:
    return draw_ranks(task, time.time())["text/html"] if task.ranks else ""


def _place(task: Task, by_id: Mapping[str, Task]) -> tuple[list[str], list[int]]:
    """The names from the root to a task, and the iterations of the loops that it is in."""
    path: list[str] = []
    turn: list[int] = []
    seen: set[str] = set()
    above: Task | None = task
    while above is not None and above.id not in seen:  # stop at a cycle of parents
        seen.add(above.id)
        if not is_iteration(above):
            path.append(one_line(above.name))
        if is_indexed(above) and above.iteration is not None:
            turn.append(above.iteration)
        above = by_id.get(above.parent)
    return path[::-1], turn[::-1]


def _head(run: RunSnapshot, command: str) -> RunHead:
    return {
        "name": one_line(own_name(run)),
        "pipeline": one_line(run.pipeline or run.name or run.id),
        "backend": one_line(run.backend),
        "experiment": one_line(run.experiment),
        "state": run.state.value,
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
        "command": command,
    }


def _doing(run: RunSnapshot) -> str:
    """What is being done for a run without a started task."""
    if run.state is not RunState.PENDING:
        return ""
    return "Starting the engine" if run.backend == "local" else "Waiting for Kubeflow to start it"


def sentence(text: str) -> str:
    """A text as one line of limited length."""
    return cut(one_line(text), SENTENCE)


def pairs(values: Mapping[str, Any]) -> list[Pair]:
    """Names with their values as text."""
    return [(one_line(name), kind(value) or short(value, VALUE)) for name, value in values.items()]


def labels(type: str, run: RunSnapshot) -> LabelsMessage:
    """The labels of the iterations of a run's loops, and of its groups."""
    tree = Tree(run.tasks)
    loops = Loops(tree)
    return LabelsMessage(
        type,
        run.id,
        tasks={leaf.task.id: loops.label(leaf) for leaf in tree.leaves if leaf.indices},
        groups={"/".join(leaf.path): loops.title(leaf) for leaf in tree.leaves if leaf.task.group},
    )


class RunsWire:
    """A table of runs, whose parts are its rows: always sent completely, since rows may come, go and move."""

    each_refresh = False

    def whole(self, runs: Sequence[RunSnapshot]) -> Content:
        """All rows."""
        return Content({}, [_row(run) for run in runs])

    def change(self, old: Sequence[RunSnapshot], new: Sequence[RunSnapshot]) -> None:
        """None: changes always need all rows."""
        del old, new


def _row(run: RunSnapshot) -> RunRow:
    return {
        "id": run.id,
        "pipeline": one_line(run.pipeline),
        "name": one_line(own_name(run)),
        "experiment": one_line(run.experiment),
        "schedule": one_line(run.schedule),
        "state": run.state.value,
        "created": run.started or run.created,
        "seconds": run.seconds,
        "arguments": pairs(run.arguments),
        "metrics": pairs(run.metrics),
        "url": run.url,
        "archived": run.archived,
    }
