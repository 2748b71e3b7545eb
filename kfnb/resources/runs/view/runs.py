"""``draw_runs``: a table of runs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any

from kfnb.entities import RunSnapshot
from kfnb.resources.runs.view.tasks import elapsed
from kfnb.ui.blocks import Text, bundle
from kfnb.ui.mount_point import Home
from kfnb.ui.states import style_of
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import assignments, digits, duration, flat, moment, own_name, short

MOST_METRICS = 3

COLUMNS = (
    Column("Id", whole=True),
    Column("Pipeline"),
    Column("Name"),
    Column("State", whole=True),
    Column("Started", whole=True),
    Column("Time", number=True),
    Column("Cost", number=True),
    Column("Arguments"),
    Column("Metrics"),
    Column("Experiment", aside=True),
    Column("Schedule", aside=True),
    Column("Archived", aside=True),
)


def draw_runs(
    runs: Sequence[RunSnapshot],
    *,
    now: float | None = None,
    home: Home | None = None,
    costs: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """Runs as a mimebundle: a row each, in the order given. ``home`` marks it for a page that shows the table live.

    ``costs`` is what they cost, by their ids.
    """
    if not runs:
        return bundle("Runs", [Text("No runs yet.")])
    moment_now = time.time() if now is None else now
    table = Table("Runs", COLUMNS, [_row(run, moment_now, costs.get(run.id, "")) for run in runs])
    return bundle("Runs", [table.without_empty_columns()], home)


def _row(run: RunSnapshot, now: float, cost: str) -> list[Value]:
    state = style_of(run.state)
    return [
        TableCell(run.id, code=True, link=run.url),
        run.pipeline,
        own_name(run),
        TableCell(state.word, state_style=state),
        moment(run.started or run.created),
        duration(elapsed(run.started, run.finished, now)),
        cost,
        assignments(run.arguments),
        _metrics(run),
        run.experiment,
        TableCell(run.schedule, code=True),
        "yes" if run.archived else "",
    ]


def _metrics(run: RunSnapshot) -> str:
    """The first metrics of a run's tasks: ``evaluate.accuracy = 0.94``."""
    more = len(run.metrics) - MOST_METRICS
    first = [f"{name} = {_metric_text(value)}" for name, value in islice(run.metrics.items(), MOST_METRICS)]
    # no-break spaces keep each name and its value together
    parts = [
        *(one.replace(" ", "\N{NO-BREAK SPACE}") for one in first),
        *([f"+{more} more"] if more > 0 else []),
    ]
    return ", ".join(parts)


def _metric_text(value: Any) -> str:
    """A metric in four digits; in a loop, its range over the iterations."""
    values = flat(value)
    if not values:
        return "none"
    if not all(isinstance(one, int | float) for one in values):
        return short(value, 28)
    low, high = digits(min(values), 4), digits(max(values), 4)
    return low if low == high else f"{low} to {high}"
