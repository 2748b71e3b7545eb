"""Slices: each parameter against the value, one small chart a parameter."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kfnb.resources.studies.model import Dimension, Trial
from kfnb.resources.studies.view.colors import RAMP
from kfnb.resources.studies.view.plot_area import RING, Field, Place, apart, dots, figure, legend, marks
from kfnb.resources.studies.view.ranking import CLASSES, Ranking
from kfnb.resources.studies.view.scale import Scale, dimension_scale, value_scale
from kfnb.resources.studies.view.trials import trials_table
from kfnb.ui import theme
from kfnb.ui.markup import Element, Node, el
from kfnb.ui.words import one_line

MOST_SLICES = 12
_MOST_DOTS = 600
_MOST_SAMPLED = 400
_WIDE, _TALL = 200, 110


@dataclass(frozen=True)
class Slices:
    """The values of a study's trials over each of its parameters."""

    ranking: Ranking
    dimensions: Sequence[Dimension]

    def to_html(self) -> Element:
        """The charts side by side, as many as there is room for."""
        if not (self.ranking.ranked and self.dimensions):
            return figure("Slices", "", el("div", "No trial has a value yet."))
        objective = self.ranking.study.objective
        y = value_scale(self.ranking.values, maximize=objective.maximize, ticks=4)
        charts = [
            el("div", self._slice(dimension, y), style="flex:1 1 200px;max-width:290px")
            for dimension in self.dimensions[:MOST_SLICES]
        ]
        row = el("div", *charts, style="display:flex;flex-wrap:wrap;gap:10px 18px")
        rest = len(self.dimensions) - MOST_SLICES
        first = f"the first {MOST_SLICES} of {len(self.dimensions)} parameters" if rest > 0 else ""
        note = "; ".join(part for part in (first, y.note) if part)
        return figure("Slices", f"{one_line(objective.metric)} over each parameter", row, legend((), note))

    def _slice(self, dimension: Dimension, y: Scale) -> Element:
        field = Field(dimension_scale(dimension, 3), y, one_line(dimension.name), "", _WIDE, _TALL)
        best = _places(self.ranking.ranked[:1], dimension.name, field)
        best_trial = f" (trial {self.ranking.ranked[0].number} is the best)" if best else ""
        label = f"{self.ranking.study.objective.metric} over {dimension.name}{best_trial}"
        return field.draw(label, *self._dots(dimension.name, field), marks(best, RING, theme.GREEN))

    def _dots(self, name: str, field: Field) -> Iterator[Node | None]:
        for shade, trials in zip(RAMP, self.ranking.classes, strict=True):
            some = trials[:: max(1, math.ceil(len(trials) / _MOST_SAMPLED))]
            places = apart(_places(some, name, field), _MOST_DOTS // CLASSES)
            yield dots(places, shade.colour, size=5)

    def to_text(self) -> str:
        """The best trials as a table."""
        return trials_table(self.ranking, self.dimensions, most=10).to_text()


def _places(trials: Sequence[Trial], name: str, field: Field) -> list[Place]:
    found = []
    for trial in trials:
        x = field.x.place(trial.params[name]) if name in trial.params else None
        y = None if trial.value is None else field.y.place(trial.value)
        if x is not None and y is not None:
            found.append(field.at(x, y))
    return found
