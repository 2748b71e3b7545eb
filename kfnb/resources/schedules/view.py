"""``draw_schedules``: a table of schedules."""

from __future__ import annotations

from collections.abc import Sequence

from kfnb.resources.schedules.model import ScheduleSnapshot
from kfnb.ui.blocks import Text, bundle
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import assignments, moment

COLUMNS = (
    Column("Id", whole=True),
    Column("Name"),
    Column("Pipeline"),
    Column("When", whole=True),
    Column("State"),
    Column("Arguments"),
    Column("From", aside=True),
    Column("Until", aside=True),
    Column("At once", number=True, aside=True),
    Column("Missed runs", aside=True),
    Column("Experiment", aside=True),
)


def draw_schedules(schedules: Sequence[ScheduleSnapshot]) -> dict[str, str]:
    """Schedules as a mimebundle: a row each, in the order given."""
    if not schedules:
        return bundle("Schedules", [Text("No schedules yet.")])
    table = Table("Schedules", COLUMNS, [_row(one) for one in schedules])
    return bundle("Schedules", [table.without_empty_columns()])


def _row(one: ScheduleSnapshot) -> list[Value]:
    return [
        TableCell(one.id, code=True),
        one.name,
        "" if one.pipeline == one.name else one.pipeline,
        one.rhythm,
        one.status.lower() or ("enabled" if one.enabled else "paused"),
        assignments(one.arguments),
        moment(one.start),
        moment(one.end),
        str(one.max_concurrency),
        "caught up with" if one.catch_up else "left out",
        one.experiment,
    ]
