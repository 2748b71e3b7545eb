"""Parallel coordinates: each trial a line over the axes of its parameters, and of its value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kfnb.resources.studies.model import Dimension, Trial
from kfnb.resources.studies.view.colors import RAMP
from kfnb.resources.studies.view.plot_area import figure, legend, short
from kfnb.resources.studies.view.ranking import Ranking
from kfnb.resources.studies.view.scale import Scale, dimension_scale, value_scale
from kfnb.resources.studies.view.trials import trials_table
from kfnb.ui import theme
from kfnb.ui.markup import Element, Node, el
from kfnb.ui.words import cut, one_line

MOST_LINES = 300
"""Lines that are drawn: the best third of them, and an even sample of the others."""

MOST_AXES = 14

_LEFT, _RIGHT, _TOP, _TALL, _BOTTOM = 44, 60, 30, 190, 12
_BETWEEN, _LEAST, _WIDEST = 240, 112, 900


@dataclass(frozen=True)
class ParallelAxis:
    """One axis: its name, its scale, how far right it is."""

    name: str
    scale: Scale
    x: float


@dataclass(frozen=True)
class Parallel:
    """The parameters of a study's trials, with what came of them."""

    ranking: Ranking
    dimensions: Sequence[Dimension]

    def to_html(self) -> Element:
        """A line for each trial, the better ones in front."""
        if not (self.ranking.ranked and self.dimensions):
            return figure("Parallel coordinates", "", el("div", "No trial has a value yet."))
        axes = self._axes()
        wide = axes[-1].x + _RIGHT
        label = f"{self._drawn_of()} as lines over {', '.join(axis.name for axis in axes)}"
        drawing = el(
            "svg",
            el("title", label),
            *self._lines(axes),
            *(part for axis in axes for part in _axis(axis)),
            role="img",
            aria_label=one_line(label),
            viewBox=f"0 0 {wide:g} {_TOP + _TALL + _BOTTOM}",
            style=f"width:100%;min-width:{_LEAST * len(axes)}px;max-width:{wide:g}px;height:auto;display:block;"
            f"font-family:inherit;font-size:11px;fill:{theme.SOFT}",
        )
        box = el(
            "div",
            drawing,
            style="overflow-x:auto",
            tabindex=0,
            role="group",
            aria_label="Parallel coordinates",
        )
        return figure("Parallel coordinates", "", box, legend((), self._note(axes[-1].scale)))

    def _axes(self) -> list[ParallelAxis]:
        dimensions = self.dimensions[:MOST_AXES]
        between = min(_BETWEEN, max(_LEAST, (_WIDEST - _LEFT - _RIGHT) / len(dimensions)))
        objective = self.ranking.study.objective
        scales = [(dimension.name, dimension_scale(dimension)) for dimension in dimensions]
        scales.append((objective.metric, value_scale(self.ranking.values, maximize=objective.maximize)))
        return [
            ParallelAxis(name, scale, _LEFT + number * between) for number, (name, scale) in enumerate(scales)
        ]

    def _lines(self, axes: Sequence[ParallelAxis]) -> Iterator[Node]:
        sampled = {trial.number for trial in _sample(self.ranking.ranked)}
        for shade, trials in zip(RAMP, self.ranking.classes, strict=True):
            drawn = "".join(_line(trial, axes) for trial in trials if trial.number in sampled)
            if drawn:
                yield el("path", d=drawn, style=_stroke(shade.colour, shade.width))
        yield el("path", d=_line(self.ranking.ranked[0], axes), style=_stroke(theme.GREEN, 2.4))

    def _drawn_of(self) -> str:
        count = len(self.ranking.ranked)
        return f"{min(count, MOST_LINES):,} of {count:,} trials" if count > MOST_LINES else f"{count} trials"

    def _note(self, values: Scale) -> str:
        count, axes = len(self.ranking.ranked), len(self.dimensions)
        notes = [
            "green: the best; blue: better, in front; grey: worse",
            f"{MOST_LINES} of {count:,} trials, the best {MOST_LINES // 3} among them"
            if count > MOST_LINES
            else "",
            f"the first {MOST_AXES} of {axes} parameters" if axes > MOST_AXES else "",
            values.note,
        ]
        return "; ".join(note for note in notes if note)

    def to_text(self) -> str:
        """The best trials as a table."""
        return trials_table(self.ranking, self.dimensions, most=10).to_text()


def _sample(ranked: Sequence[Trial]) -> Sequence[Trial]:
    if len(ranked) <= MOST_LINES:
        return ranked
    best, rest = ranked[: MOST_LINES // 3], ranked[MOST_LINES // 3 :]
    more = MOST_LINES - len(best)
    return [*best, *(rest[len(rest) * number // more] for number in range(more))]


def _line(trial: Trial, axes: Sequence[ParallelAxis]) -> str:
    """A trial's line, with a gap where it has no such parameter."""
    drawn: list[str] = []
    up = True
    for axis in axes:
        value = trial.value if axis is axes[-1] else trial.params.get(axis.name)
        place = None if value is None else axis.scale.place(value)
        if place is not None:
            drawn.append(f"{'M' if up else 'L'}{short(axis.x)} {short(_TOP + (1 - place) * _TALL)}")
        up = place is None
    return "".join(drawn)


def _stroke(colour: str, width: float) -> str:
    return f"fill:none;stroke:{colour};stroke-width:{width:g};stroke-linejoin:round"


def _axis(axis: ParallelAxis) -> Iterator[Node]:
    yield el("path", d=f"M{short(axis.x)} {_TOP}v{_TALL}", style=f"stroke:{theme.SOFT};stroke-width:1.2")
    name = cut(one_line(axis.name), 14)
    style = f"fill:{theme.INK};font-weight:600"
    yield el(
        "text", el("title", axis.name), name, x=round(axis.x, 1), y=14, text_anchor="middle", style=style
    )
    halo = f"paint-order:stroke;stroke:{theme.PAPER};stroke-width:4px;stroke-linejoin:round"
    for place, words in axis.scale.ticks:
        y = _TOP + (1 - place) * _TALL
        yield el("text", words, x=round(axis.x + 5, 1), y=round(y + 4, 1), style=halo)
