"""``draw_experiments``: a table of experiments."""

from __future__ import annotations

from collections.abc import Sequence

from kfnb.resources.experiments.model import Experiment
from kfnb.ui.blocks import Text, bundle
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import moment

COLUMNS = (Column("Name"), Column("Id", whole=True), Column("Last run", whole=True), Column("Description"))


def draw_experiments(experiments: Sequence[Experiment]) -> dict[str, str]:
    """Experiments as a mimebundle: a row each, in the order given."""
    if not experiments:
        return bundle("Experiments", [Text("No experiments yet.")])
    rows: list[list[Value]] = [
        [
            one.name,
            TableCell("" if one.id == one.name else one.id, code=True),
            moment(one.last_run),
            one.description,
        ]
        for one in experiments
    ]
    return bundle("Experiments", [Table("Experiments", COLUMNS, rows).without_empty_columns()])
