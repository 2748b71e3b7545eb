"""``draw_runs``: a table of runs."""

from __future__ import annotations

import time
from collections.abc import Sequence

from kfnb.model import Run
from kfnb.widgets.blocks import Text, bundle
from kfnb.widgets.states import look
from kfnb.widgets.table import Cell, Column, Table, Value
from kfnb.widgets.tasks import elapsed
from kfnb.widgets.words import assignments, duration, moment, own_name

COLUMNS = (
    Column("Id", whole=True),
    Column("Pipeline"),
    Column("Name"),
    Column("State", whole=True),
    Column("Started", whole=True),
    Column("Time", number=True),
    Column("Arguments"),
)


def draw_runs(runs: Sequence[Run], *, now: float | None = None) -> dict[str, str]:
    """Runs as a mimebundle: a row each, in the order given."""
    if not runs:
        return bundle("Runs", [Text("No runs yet.")])
    moment_now = time.time() if now is None else now
    return bundle(
        "Runs", [Table("Runs", COLUMNS, [_row(run, moment_now) for run in runs]).without_empty_columns()]
    )


def _row(run: Run, now: float) -> list[Value]:
    state = look(run.state)
    return [
        Cell(run.id, code=True),
        run.pipeline,
        own_name(run),
        Cell(state.word, look=state),
        moment(run.started or run.created),
        duration(elapsed(run.started, run.finished, now)),
        assignments(run.arguments),
    ]
