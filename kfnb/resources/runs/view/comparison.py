"""``draw_comparison``: several runs side by side, what differs between them first."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from kfnb.entities import Compared, Comparison, RunSnapshot, RunState
from kfnb.resources.runs.view.overlay import overlays
from kfnb.resources.runs.view.tasks import elapsed
from kfnb.ui import theme
from kfnb.ui.blocks import Block, Folded, Row, Section, Text, Title, bundle
from kfnb.ui.states import StateStyle, overall, style_of
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import TIMES, cut, duration, flat, moment, own_name, short

MOST_ROWS = 200
LONGEST = 280
_LARGEST = 1e100
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_RUNS = (
    Column("Run", whole=True),
    Column("Id", whole=True),
    Column("Pipeline"),
    Column("Name"),
    Column("State", whole=True),
    Column("Started", whole=True),
    Column("Time", number=True),
    Column("Cost", number=True),
    Column("Backend"),
    Column("Experiment"),
    Column("Error"),
)


def draw_comparison(
    comparison: Comparison, *, now: float | None = None, costs: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """Runs side by side, as a mimebundle of HTML and text; ``costs`` is what they cost, by their ids."""
    runs = comparison.runs
    marks = [_mark(number) for number in range(len(runs))]
    now = time.time() if now is None else now
    blocks: list[Block] = [_title(runs), _runs_table(runs, marks, now, costs)]
    blocks += _section("Arguments", "Argument", comparison.arguments, marks)
    blocks += _metrics(_differing(_spread(comparison.metrics)), marks)
    plots, rest = overlays(runs, marks)
    if plots:
        blocks.append(Section("Curves", [Row(plots), *rest]))
    blocks += _tasks(comparison, marks)
    blocks += _section("Environment", "What", _without_common_packages(comparison.environment), marks)
    return bundle(f"Comparison of {len(runs)} runs", [*blocks, *_same(comparison)])


def _mark(number: int) -> str:
    """The label of a run: A to Z, then A2 and so on."""
    turn, letter = divmod(number, len(_LETTERS))
    return _LETTERS[letter] + (str(turn + 1) if turn else "")


def _title(runs: Sequence[RunSnapshot]) -> Title:
    pipelines = {run.pipeline for run in runs}
    return Title(f"{len(runs)} runs" + (f" of {runs[0].pipeline}" if len(pipelines) == 1 else ""))


def _runs_table(
    runs: Sequence[RunSnapshot], marks: Sequence[str], now: float, costs: Mapping[str, str]
) -> Table:
    rows: list[list[Value]] = [
        [
            TableCell(mark, state_style=_swatch(number)),
            TableCell(run.id, code=True),
            run.pipeline if len({one.pipeline for one in runs}) > 1 else "",
            own_name(run),
            TableCell(style_of(run.state).word, state_style=style_of(run.state)),
            moment(run.started or run.created),
            duration(elapsed(run.started, run.finished, now)),
            costs.get(run.id, ""),
            run.backend if len({one.backend for one in runs}) > 1 else "",
            run.experiment if len({one.experiment for one in runs}) > 1 else "",
            short(run.error, 120) if run.error else "",
        ]
        for number, (run, mark) in enumerate(zip(runs, marks, strict=True))
    ]
    return Table("Runs", _RUNS, rows).without_empty_columns()


def _swatch(number: int) -> StateStyle:
    """The colour of a run's curves."""
    return StateStyle("■", "", theme.SERIES[number % len(theme.SERIES)], "")


# what differs


def _differing(rows: Iterable[Compared]) -> list[Compared]:
    return [row for row in rows if not row.same]


def _section(heading: str, what: str, rows: Sequence[Compared], marks: Sequence[str]) -> Iterator[Block]:
    """A table of the rows that differ."""
    cells: list[list[Value]] = [
        [row.name, *("" if value is None else short(value, 200) for value in row.values)]
        for row in _differing(rows)
    ]
    if cells:
        columns = (Column(what), *(Column(mark) for mark in marks))
        yield Section(heading, _cut(Table(f"{heading} that differ", columns, cells)))


def _cut(table: Table) -> list[Block]:
    rest = len(table.rows) - MOST_ROWS
    shown = Table(table.label, table.columns, table.rows[:MOST_ROWS])
    return [shown, Text(f"… {rest} more")] if rest > 0 else [shown]


def _metrics(rows: Sequence[Compared], marks: Sequence[str]) -> Iterator[Block]:
    """Each metric with a bar; for two runs, also their difference."""
    if not rows:
        return
    change = [f"{marks[1]} \N{MINUS SIGN} {marks[0]}"] if len(marks) == 2 else []  # noqa: PLR2004
    columns = (Column("Metric"), *(Column(name, number=True) for name in [*marks, *change]))
    cells: list[list[Value]] = [[row.name, *_bars(row), *([_change(row)] if change else [])] for row in rows]
    yield Section("Metrics", _cut(Table("Metrics that differ", columns, cells)))


def _bars(row: Compared) -> Iterator[Value]:
    highest = max((abs(value) for value in row.values if _is_number(value)), default=0)
    for value in row.values:
        yield TableCell(
            "" if value is None else short(value),
            bar=abs(value) / highest if highest and _is_number(value) else None,
        )


def _change(row: Compared) -> str:
    before, after = row.values
    return f"{after - before:+.4g}" if _is_number(before) and _is_number(after) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < _LARGEST


def _spread(rows: Iterable[Compared]) -> Iterator[Compared]:
    """Rows without lists: values with one entry per iteration get a row for each."""
    for row in rows:
        turns = max((len(value) for value in row.values if isinstance(value, list)), default=0)
        if not turns:
            yield row
        for turn in range(turns):
            values = tuple(_of_turn(value, turn) for value in row.values)
            yield from _spread([Compared(f"{row.name} [{turn}]", values)])


def _of_turn(value: Any, turn: int) -> Any:
    values = value if isinstance(value, list) else [value]
    return values[turn] if turn < len(values) else None


def _without_common_packages(rows: Sequence[Compared]) -> list[Compared]:
    """The rows, reduced to the packages that not all runs have."""
    return [_own_packages(row) if row.name.endswith(": packages") else row for row in rows]


def _own_packages(row: Compared) -> Compared:
    lists = [str(value or "").split(", ") for value in row.values]
    common = set(lists[0]).intersection(*lists[1:])
    return Compared(row.name, tuple(", ".join(one for one in some if one not in common) for some in lists))


# tasks


def _tasks(comparison: Comparison, marks: Sequence[str]) -> Iterator[Block]:
    """The state of each task, and how long it took."""
    times = {row.name: [_total(value) for value in row.values] for row in comparison.seconds}
    longest = max((seconds for row in times.values() for seconds in row if seconds), default=0.0)
    cached = [_cached(run) for run in comparison.runs]
    rows: list[list[Value]] = []
    for row in comparison.states:
        cells = zip(row.values, times.get(row.name, [None] * len(marks)), cached, strict=True)
        rows.append([row.name, *(_task(row.name, *cell, longest) for cell in cells)])
    if rows:
        columns = (Column("Task"), *(Column(mark, number=True) for mark in marks))
        yield Section("Tasks", _cut(Table("Tasks and how long they took", columns, rows)))


def _task(name: str, states: Any, seconds: float | None, cached: set[str], longest: float) -> TableCell:
    known = [RunState(state) for state in flat(states)]
    if not known:
        return TableCell("")
    state = overall(known)
    usual = state is RunState.SUCCEEDED
    words = [
        "" if usual else style_of(state).word,
        "cached" if name in cached else "",
        duration(seconds),
        f"{TIMES} {len(known)}" if len(known) > 1 else "",
    ]
    bar = seconds / longest if seconds is not None and longest else None
    return TableCell(" ".join(filter(None, words)), state_style=None if usual else style_of(state), bar=bar)


def _cached(run: RunSnapshot) -> set[str]:
    """The names of the tasks whose iterations were all taken from the cache."""
    ran = {task.name for task in run.tasks if not task.cached}
    return {task.name for task in run.tasks} - ran


def _total(value: Any) -> float | None:
    """The seconds of a task in all of its iterations; None if unknown."""
    return sum(flat(value)) if flat(value) else None


# what does not differ


def _same(comparison: Comparison) -> Iterator[Block]:
    """What is the same in all runs: folded, unless everything is shown."""
    groups = {
        "argument": comparison.arguments,
        "metric": tuple(_spread(comparison.metrics)),
        "environment": comparison.environment,
    }
    same = {what: [row for row in rows if row.same] for what, rows in groups.items()}
    rows: list[list[Value]] = [
        [row.name, short(row.values[0], 200), what] for what, some in same.items() for row in some
    ]
    if rows:
        heading = f"The same in all ({len(rows)})"
        table = _cut(Table(heading, (Column("Name"), Column("Value"), Column("What")), rows))
        names = ", ".join(row.name for some in same.values() for row in some)
        summary = cut(f"The same in all (shown with --all): {names}", LONGEST)
        yield (
            Section(heading, table)
            if comparison.whole
            else Folded(heading, table, quiet=True, text_form=summary)
        )
