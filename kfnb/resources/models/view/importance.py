"""``draw_importance``: how much a model depends on each column."""

from __future__ import annotations

from kfnb.resources.models.importance_report import ImportanceReport
from kfnb.ui.blocks import Text, bundle
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import digits

_MOST = 30


def draw_importance(found: ImportanceReport) -> dict[str, str]:
    """The columns as a mimebundle, the most important first."""
    largest = max((one.mean for one in found.columns), default=0.0)
    rows: list[list[Value]] = [
        [
            one.column,
            TableCell(digits(one.mean, 3), bar=max(one.mean, 0.0) / largest if largest > 0 else 0.0),
            digits(one.deviation, 2),
        ]
        for one in found.columns[:_MOST]
    ]
    columns = (Column("Column"), Column(f"Loss of {found.score}", number=True), Column("+/-", number=True))
    words = f"{found.score} for {found.target} is {digits(found.whole, 4)} on {found.rows:,} rows."
    more = (
        f" What it loses when a column is shuffled; {len(found.columns) - _MOST} further columns lose less."
    )
    plain = " What it loses when a column is shuffled:"
    text = Text(words + (more if len(found.columns) > _MOST else plain))
    return bundle(f"Importance for {found.ref}", [text, Table("Importance", columns, rows)])
