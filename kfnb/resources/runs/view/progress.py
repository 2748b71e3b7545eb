"""``draw_progress``: a run in one line, for terminals and logs."""

from __future__ import annotations

import time
from collections.abc import Sequence

from kfnb.entities import RunSnapshot, RunState
from kfnb.resources.runs.view.failure import find_failure
from kfnb.resources.runs.view.tasks import elapsed
from kfnb.resources.runs.view.tree import Leaf, Tree
from kfnb.ui.states import style_of, tally
from kfnb.ui.words import cut, duration, one_line

NAMED = 2
COLUMNS = 100


def draw_progress(run: RunSnapshot, *, now: float | None = None) -> str:
    """A run in one line of at most 100 columns: ``3/9 done · train running 12 s``; waiting tasks come first."""
    moment = time.time() if now is None else now
    tree = Tree(run.tasks)
    parts = _end(run, tree) if run.state.finished else _under_way(run, tree, moment)
    return cut(one_line(" · ".join(part for part in parts if part)), COLUMNS)


def _under_way(run: RunSnapshot, tree: Tree, now: float) -> list[str]:
    states = [leaf.task.state for leaf in tree.work]
    running = [leaf for leaf in tree.work if leaf.task.state is RunState.RUNNING]
    failed = states.count(RunState.FAILED)
    return [
        "" if run.state is RunState.RUNNING else style_of(run.state).word,
        f"{sum(state.finished for state in states)}/{len(states)} done",
        f"{failed} failed" if failed else "",
        _waiting(tree),
        _running(running, now),
    ]


def _waiting(tree: Tree) -> str:
    lines = [f"{who}: {what}" for what, who in tree.waiting.items()]
    return ", ".join(lines[:NAMED] + ([f"{len(lines) - NAMED} more wait"] if len(lines) > NAMED else []))


def _running(leaves: Sequence[Leaf], now: float) -> str:
    named = [
        f"{leaf.label} running {duration(elapsed(leaf.task.started, None, now))}".rstrip()
        for leaf in leaves[:NAMED]
    ]
    more = [f"+{len(leaves) - NAMED} more"] if len(leaves) > NAMED else []
    return ", ".join(named + more)


def _end(run: RunSnapshot, tree: Tree) -> list[str]:
    state = style_of(run.state)
    taken = duration(run.seconds)
    head = f"{state.icon} {state.word}" + (f" in {taken}" if taken else "")
    if run.state is RunState.FAILED:
        return [head, _why(run, tree)]
    cached = sum(leaf.task.cached for leaf in tree.work)
    return [head, tally(leaf.task.state for leaf in tree.work), f"{cached} cached" if cached else ""]


def _why(run: RunSnapshot, tree: Tree) -> str:
    causes = find_failure(tree).causes
    if not causes:
        return run.error
    error = causes[0].task.error
    if error is None:
        return causes[0].label
    place = f" ({error.place})" if error.place else ""
    return f"{causes[0].label}{place}: {error.message}"
