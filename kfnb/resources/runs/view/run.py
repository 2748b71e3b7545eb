"""``draw_run``: a run, its error first, its graph, its tasks and its artifacts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from kfnb.entities import Artifact, RunSnapshot, RunState
from kfnb.resources.runs.view.artifacts import artifact_blocks
from kfnb.resources.runs.view.failure import failure_blocks
from kfnb.resources.runs.view.iterations import Loops
from kfnb.resources.runs.view.ranks import rank_blocks
from kfnb.resources.runs.view.tasks import elapsed, task_blocks
from kfnb.resources.runs.view.tree import Path, Stack, Tree
from kfnb.ui.blocks import Block, Items, Picture, Row, Section, Title, bundle, notes_section
from kfnb.ui.graph.picture import draw
from kfnb.ui.graph.scene import Item, Link, Scene
from kfnb.ui.mount_point import Home
from kfnb.ui.states import caption_of_many, style_of, tally
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import duration, kind, moment, own_name, short

MOST_WAITING = 5
MOST_DRAWN = 300
"""Maximum nodes of a static graph: a larger one is unreadable, and makes the notebook large."""

_NOTHING: Mapping[str, str] = {}


def draw_run(
    run: RunSnapshot,
    contents: Mapping[str, str] = _NOTHING,
    *,
    now: float | None = None,
    home: Home | None = None,
    cost: str = "",
) -> dict[str, str]:
    """A run as a mimebundle of HTML and text.

    ``contents`` maps the URIs of HTML and Markdown artifacts to their texts, as far as the caller read them:
    nothing is fetched here. ``now`` is the time for the durations of running tasks, ``home`` the mark for a page
    that shows the run live, ``cost`` what it costs, in words.
    """
    now = time.time() if now is None else now
    tree = Tree(run.tasks)
    loops = Loops(tree)
    blocks: list[Block] = [_title(run, now, cost), *failure_blocks(run, tree), *_waiting(run, tree)]
    blocks += [*notes_section(run.notes), *_values(run)]
    if 0 < len(tree.stacks) <= MOST_DRAWN:
        blocks.append(Picture(draw(run_scene(run, tree, loops, now))))
    blocks.append(Section("Tasks", task_blocks(tree, loops, now)))
    blocks += [block for leaf in tree.work for block in rank_blocks(leaf.task, now)]
    blocks += artifact_blocks(tree, loops, contents, settled=run.state.finished)
    return bundle(f"Run {run.name or run.id}", blocks, home)


def _title(run: RunSnapshot, now: float, cost: str) -> Title:
    named = (own_name(run), run.id, run.backend)
    experiment = f"experiment {run.experiment}" if run.experiment else ""
    began = moment(run.started or run.created)
    return Title(
        run.pipeline or run.name or run.id,
        style_of(run.state),
        duration(elapsed(run.started, run.finished, now)),
        tuple(dict.fromkeys((*named, experiment, began, cost))),
    )


def _waiting(run: RunSnapshot, tree: Tree) -> list[Block]:
    """The reasons why tasks do not run yet, a line each."""
    lines = [f"{who}: {what}" for what, who in tree.waiting.items()]
    if not lines or run.state.finished:
        return []
    more = [f"and {len(lines) - MOST_WAITING} more"] if len(lines) > MOST_WAITING else []
    return [Section("Waiting", [Items((*lines[:MOST_WAITING], *more))])]


def _values(run: RunSnapshot) -> list[Block]:
    parts: list[Block] = []
    if run.arguments:
        parts.append(Section("Arguments", [_value_table("Arguments", run.arguments)]))
    if run.result:
        parts.append(Section("Result", [_value_table("Result", run.result)]))
    return [Row(parts)] if parts else []


def _value_table(label: str, values: Mapping[str, Any]) -> Table:
    rows: list[list[Value]] = [[name, _value(value)] for name, value in values.items()]
    return Table(label, (Column("Name"), Column("Value")), rows)


def _value(value: Any) -> Value:
    uri = value.uri if isinstance(value, Artifact) else ""
    return TableCell(kind(value) or short(value, 80), hint=uri)


def run_scene(run: RunSnapshot, tree: Tree, loops: Loops, now: float) -> Scene:
    """A run as a graph, with iterations stacked."""
    items = tuple(_item(stack, loops, now) for stack in tree.stacks)
    links = tuple(Link(_id(need), _id(stack.path)) for stack in tree.stacks for need in stack.needs)
    counts = tally(leaf.task.state for leaf in tree.work)
    return Scene(f"Graph of {run.pipeline or run.name}: {counts}", items, links)


def _item(stack: Stack, loops: Loops, now: float) -> Item:
    state = stack.state
    return Item(
        id=_id(stack.path),
        title=loops.title(stack.leaves[0]) if stack.first.group else stack.first.title,
        caption=_caption(stack, now),
        parent=_id(stack.path[:-1]),
        group=stack.first.group,
        state_style=style_of(state),
        count=stack.iterations if stack.first.group else len(stack.leaves),
        faint=state in (RunState.PENDING, RunState.SKIPPED),
        hint="; ".join((f"{' / '.join(stack.path)}: {tally(stack.states)}", *_reasons(stack))),
    )


def _reasons(stack: Stack) -> dict[str, None]:
    return dict.fromkeys(leaf.task.doing for leaf in stack.leaves if leaf.task.doing)


def _caption(stack: Stack, now: float) -> str:
    if len(stack.leaves) > 1:
        return _caption_of_many(stack)
    task = stack.first
    time_taken = duration(elapsed(task.started, task.finished, now))
    facts = (
        task.decided or style_of(task.state).word,
        task.doing,
        "cached" if task.cached else "",
        time_taken,
    )
    return " · ".join(filter(None, facts))


def _caption_of_many(stack: Stack) -> str:
    cached = len(set(stack.states)) == 1 and all(leaf.task.cached for leaf in stack.leaves)
    return caption_of_many(stack.states) + " · cached" * cached


def _id(path: Path) -> str:
    # task names do not contain NUL
    return "\0".join(path)
