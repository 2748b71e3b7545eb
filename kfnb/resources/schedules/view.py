"""``draw_schedules``: a table of schedules; ``draw_schedule``: a schedule, with its last runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kfnb.resources.schedules.model import MissedTicks, ScheduledTick, ScheduleSnapshot
from kfnb.ui import theme
from kfnb.ui.blocks import Block, Items, Text, Title, bundle
from kfnb.ui.mount_point import Home
from kfnb.ui.states import StateStyle, style_of
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import assignments, cut, moment

COLUMNS = (
    Column("Id", whole=True),
    Column("Name"),
    Column("Pipeline"),
    Column("When", whole=True),
    Column("State"),
    Column("Notes", whole=True),
    Column("Next run", whole=True),
    Column("Last run", whole=True),
    Column("Arguments"),
    Column("From", aside=True),
    Column("Until", aside=True),
    Column("At once", number=True, aside=True),
    Column("Missed runs", aside=True),
    Column("Experiment", aside=True),
    Column("Backend", aside=True),
)
TICKS = (
    Column("Time", whole=True),
    Column("State", whole=True),
    Column("Run"),
    Column("Outcome", whole=True),
    Column("Note"),
)

_HINT = 48
_LATE = 60.0
_STARTED = {"SUCCEEDED": "started", "RUNNING": "starting"}


def draw_schedules(schedules: Sequence[ScheduleSnapshot], home: Home | None = None) -> dict[str, str]:
    """Schedules as a mimebundle: a row each, in the order given."""
    if not schedules:
        return bundle("Schedules", [Text("No schedules yet.")], home)
    table = Table("Schedules", COLUMNS, [_row(one) for one in schedules])
    return bundle("Schedules", [table.without_empty_columns()], home)


def draw_schedule(one: ScheduleSnapshot, home: Home | None = None) -> dict[str, str]:
    """A schedule as a mimebundle: when it runs, the last runs that it started, and those that were missed."""
    blocks: list[Block] = [Title(one.name, schedule_style(one), facts=_facts(one))]
    lines = (*_notes(one), *map(_missed_line, reversed(one.missed)))
    if lines:
        blocks.append(Items(lines))
    if one.ticks:
        rows = [_tick(tick) for tick in reversed(one.ticks)]
        blocks.append(Table("Last runs", TICKS, rows).without_empty_columns())
    elif one.backend == "local" or not one.notes:
        blocks.append(Text("No runs yet."))
    return bundle(f"Schedule {one.name}", blocks, home)


def schedule_style(one: ScheduleSnapshot) -> StateStyle:
    """How the state of a schedule is shown: its word is that of the cluster."""
    if not one.enabled:
        return StateStyle("‖", one.state, theme.GREY, "M6.3 5.2 V10.8 M9.7 5.2 V10.8")
    return StateStyle("●", one.state, theme.GREEN, "M8 4.8 V8 L10.2 9.6")


def _row(one: ScheduleSnapshot) -> list[Value]:
    last = next((tick for tick in reversed(one.ticks) if tick.run), None)
    return [
        TableCell(one.id, code=True),
        one.name,
        "" if one.pipeline == one.name else one.pipeline,
        one.rhythm,
        TableCell(one.state, state_style=schedule_style(one)),
        ", ".join(_hints(one)),
        moment(one.next),
        moment(last.began) if last else "",
        assignments(one.arguments),
        moment(one.start),
        moment(one.end),
        str(one.max_concurrency),
        "caught up with" if one.catch_up else "left out",
        one.experiment,
        one.backend,
    ]


def _hints(one: ScheduleSnapshot) -> Iterator[str]:
    """What there is to know about a schedule, in a word each."""
    if one.stale:
        yield "stale schedule"
    if one.ticks and one.ticks[-1].state == "FAILED":
        yield "the last run was not started"
    elif one.notes:
        yield cut(one.notes[0], _HINT)
    if one.missed:
        yield f"missed {one.missed[-1].count:,} runs"


def _facts(one: ScheduleSnapshot) -> tuple[str, ...]:
    return (
        one.id,
        "" if one.pipeline == one.name else f"pipeline {one.pipeline}",
        one.backend,
        one.rhythm,
        f"from {moment(one.start)}" if one.start is not None else "",
        f"until {moment(one.end)}" if one.end is not None else "",
        f"next run {moment(one.next)}" if one.next is not None else "",
        f"at most {one.max_concurrency} at once",
        "missed runs are caught up with" if one.catch_up else "missed runs are left out",
        assignments(one.arguments),
    )


def _notes(one: ScheduleSnapshot) -> tuple[str, ...]:
    stale = "stale schedule: the pipeline in this notebook differs from the one that is scheduled; schedule it again"
    return (*((stale,) if one.stale else ()), *one.notes)


def _missed_line(missed: MissedTicks) -> str:
    if missed.count == 1:
        text = f"missed 1 run at {moment(missed.first)}"
    else:
        text = f"missed {missed.count:,} runs between {moment(missed.first)} and {moment(missed.last)}"
    return f"{text}: {missed.reason}{'; one run was started for all of them' if missed.caught_up else ''}"


def _outcome(tick: ScheduledTick) -> TableCell:
    """What became of the run of a tick."""
    if tick.run_state is None:
        return TableCell("")
    style = style_of(tick.run_state)
    return TableCell(style.word, state_style=style)


def _tick(tick: ScheduledTick) -> list[Value]:
    late = f"started {moment(tick.began)}" if tick.began - tick.due > _LATE else ""
    by_hand = "run by hand" if tick.by_hand else ""
    return [
        moment(tick.due),
        _STARTED.get(tick.state, tick.state.lower()),
        TableCell(tick.run, code=True),
        _outcome(tick),
        "; ".join(filter(None, (by_hand, late, tick.note))),
    ]
