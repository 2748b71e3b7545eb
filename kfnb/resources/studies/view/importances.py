"""How much of the objective's variation each parameter explains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kfnb.resources.studies.view.plot_area import figure
from kfnb.ui.markup import Element, el
from kfnb.ui.table import Column, Table, TableCell, Value

_ONE = 0.01


@dataclass(frozen=True)
class Importances:
    """The importances of a study's parameters, from 0 to 1."""

    importances: Mapping[str, float]

    def to_html(self) -> Element:
        """A table with a bar in each row."""
        if not self.importances:
            return figure("Parameter importance", "", el("div", "Not known yet: it takes a few trials."))
        return figure("Parameter importance", "", self._table().to_html())

    def to_text(self) -> str:
        """The table."""
        return self._table().to_text() if self.importances else "Parameter importance: not known yet"

    def _table(self) -> Table:
        ordered = sorted(self.importances.items(), key=lambda item: -item[1])
        highest = max((share for _, share in ordered), default=0.0) or 1.0
        rows: list[list[Value]] = [
            [name, TableCell(_percent(share), bar=share / highest)] for name, share in ordered
        ]
        return Table("Parameter importance", (Column("Parameter"), Column("Importance", number=True)), rows)


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= _ONE else "under 1%"
