"""The processes of a training: a row for each, and the curves of what they logged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kfnb.entities import Rank, RunState, Task
from kfnb.resources.runs.view.curves import Of, metric_plot
from kfnb.resources.runs.view.tasks import elapsed
from kfnb.ui.blocks import Block, Row, Section, Text
from kfnb.ui.states import style_of, tally
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import assignments, digits, duration

MOST = 64
"""Rows of processes: of more, those that failed or run come first."""

_COLUMNS = (
    Column("Rank", number=True),
    Column("State", whole=True),
    Column("Host"),
    Column("Time", number=True),
    Column("Exit code", number=True),
    Column("Restarts", number=True),
    Column("Progress"),
    Column("Step", number=True),
    Column("Metrics"),
    Column("Note", whole=True),
)


def rank_blocks(task: Task, now: float) -> Iterator[Block]:
    """The section of a training's processes; nothing for another task."""
    if not task.ranks:
        return
    shown = _chosen(task.ranks)
    table = Table(f"{task.name} · ranks", _COLUMNS, [_row(one, now) for one in shown]).without_empty_columns()
    rest = [one.state for one in task.ranks if one not in shown]
    more = [Text(f"… {len(rest)} more: {tally(rest)}")] if rest else []
    plots = list(_plots(task.ranks))
    yield Section(f"{task.name} · {len(task.ranks)} ranks", [table, *more, *([Row(plots)] if plots else [])])


def _chosen(ranks: Sequence[Rank]) -> list[Rank]:
    first = (RunState.FAILED, RunState.RUNNING)
    chosen = sorted(ranks, key=lambda one: (not one.silent, one.state not in first, one.number))[:MOST]
    return sorted(chosen, key=lambda one: one.number)


def _row(rank: Rank, now: float) -> list[Value]:
    state = style_of(rank.state)
    done = "" if rank.progress is None else f"{rank.progress:.0%}"
    return [
        str(rank.number),
        TableCell(state.word, state_style=state),
        rank.host,
        duration(elapsed(rank.started, rank.finished, now)),
        "" if rank.exit_code is None else str(rank.exit_code),
        str(rank.restarts or ""),
        TableCell(done, bar=rank.progress) if done else "",
        "" if rank.step is None else digits(rank.step),
        assignments(rank.metrics),
        "silent, while the others report" if rank.silent and not rank.state.finished else "",
    ]


def _plots(ranks: Sequence[Rank]) -> Iterator[Block]:
    """Each metric of several processes in one plot."""
    for name in sorted({name for one in ranks for name in one.curves}):
        curves = [
            (Of(f"rank {one.number}", turn=one.number), one.curves[name])
            for one in ranks
            if name in one.curves
        ]
        if len(curves) > 1:
            yield metric_plot(f"{name} by rank", curves)
