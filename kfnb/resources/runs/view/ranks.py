"""The processes of a training: a row for each, and the curves of what they logged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kfnb.entities import Rank, RunState, Task
from kfnb.resources.runs.divergence import diverged
from kfnb.resources.runs.view.rank_curves import curve_plots
from kfnb.resources.runs.view.rank_totals import totals
from kfnb.resources.runs.view.tasks import elapsed
from kfnb.ui.blocks import Block, Row, Section, Text, bundle
from kfnb.ui.states import style_of, tally
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import brief, digits, duration, file_size

MOST = 64
"""Rows of processes: of more, those that failed or run come first."""

MOST_METRICS = 4
"""Metrics that have a column."""

_FIRST = (
    Column("Rank", number=True),
    Column("State", whole=True),
    Column("Exit code", number=True),
    Column("Note", whole=True),
    Column("Restarts", number=True),
    Column("Progress", whole=True),
    Column("Memory", number=True),
    Column("CPU", number=True),
    Column("Step", number=True),
)
_LAST = (
    Column("Steps/s", number=True),
    Column("Time", number=True),
    Column("Left", number=True),
    Column("Host", whole=True),
)


def draw_ranks(task: Task, now: float) -> dict[str, str]:
    """The processes of a training as a mimebundle."""
    return bundle(f"Ranks of {task.name}", list(rank_blocks(task, now)))


def rank_blocks(task: Task, now: float) -> Iterator[Block]:
    """The section of a training's processes; nothing for another task."""
    if not task.ranks:
        return
    shown = _chosen(task.ranks)
    names = [*dict.fromkeys(name for one in task.ranks for name in one.metrics)][:MOST_METRICS]
    columns = (*_FIRST, *(Column(name, number=True) for name in names), *_LAST)
    hosts = {one.host for one in task.ranks}
    rows = [_row(one, now, names, with_host=len(hosts) > 1) for one in shown]
    rest = [one.state for one in task.ranks if one not in shown]
    total = totals(task.ranks, now)
    plots = list(curve_plots(task.ranks, alone=not task.state.finished))
    blocks: list[Block] = [Text(total)] if total else []
    blocks.append(Table(f"{task.name} · ranks", columns, rows).without_empty_columns())
    blocks += [Text(f"… {len(rest)} more: {tally(rest)}")] if rest else []
    blocks += [Row(plots)] if plots else []
    yield Section(f"{task.name} · {len(task.ranks)} ranks", blocks)


def _chosen(ranks: Sequence[Rank]) -> list[Rank]:
    first = (RunState.FAILED, RunState.RUNNING)
    chosen = sorted(ranks, key=lambda one: (not one.silent, one.state not in first, one.number))[:MOST]
    return sorted(chosen, key=lambda one: one.number)


def _row(rank: Rank, now: float, metrics: Sequence[str], *, with_host: bool) -> list[Value]:
    state, running = style_of(rank.state), not rank.state.finished
    done = "" if rank.progress is None else f"{rank.progress:.0%}"
    left = rank.expected - now if running and rank.expected is not None else None
    return [
        str(rank.number),
        TableCell(state.word, state_style=state),
        "" if rank.exit_code is None else str(rank.exit_code),
        "; ".join(_notes(rank)),
        str(rank.restarts or ""),
        TableCell(done, bar=rank.progress) if done else "",
        _memory(rank),
        "" if rank.cpu is None else f"{rank.cpu:.0%}",
        "" if rank.step is None else digits(rank.step),
        *(brief(rank.metrics.get(name)) for name in metrics),
        "" if rank.rate is None else digits(rank.rate, 3),
        duration(elapsed(rank.started, rank.finished, now)),
        duration(left),
        rank.host if with_host else "",
    ]


def _notes(rank: Rank) -> Iterator[str]:
    """What of a rank is not as it should be."""
    if rank.silent and not rank.state.finished:
        yield "silent, while the others report"
    yield from diverged(rank)


def _memory(rank: Rank) -> Value:
    """What a rank has, and when it has ended, the most that it had."""
    used = rank.peak if rank.state.finished else rank.memory
    if used is None:
        return ""
    return TableCell(file_size(used), hint="" if rank.peak is None else f"at most {file_size(rank.peak)}")
