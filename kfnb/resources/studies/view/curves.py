"""Learning curves: the intermediate values of the objective, trial by trial."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from kfnb.resources.studies.model import Trial, TrialState
from kfnb.resources.studies.view.plot_area import CROSS, DIAMOND, Field, Key, figure, legend, marks, short
from kfnb.resources.studies.view.ranking import Ranking
from kfnb.resources.studies.view.scale import Scale, number_scale, usable, value_scale
from kfnb.resources.studies.view.states import BROKEN
from kfnb.ui import theme
from kfnb.ui.markup import Element, Node, el
from kfnb.ui.plot import bars
from kfnb.ui.words import digits, one_line

MOST_CURVES = 80
"""Curves that are drawn: the best quarter of them, and of the others the last that began."""

MOST_STEPS = 60
_LINES_OF_TEXT = 8


@dataclass(frozen=True)
class Curves:
    """The learning curves of a study's trials."""

    ranking: Ranking

    def __bool__(self) -> bool:
        return any(trial.curve for trial in self.ranking.study.trials)

    def to_html(self) -> Element:
        """The curves over each other, the best in front, those that were stopped early marked where they ended."""
        drawn = self._sample()
        if not drawn:
            return figure("Learning curves", "", el("div", "No trial has reported a step."))
        field = self._field(drawn)
        svg = field.draw(self._label(), *self._drawn(drawn, field))
        return figure("Learning curves", "", svg, legend(self._keys(drawn), self._note(drawn)))

    @cached_property
    def _all(self) -> list[Trial]:
        return [trial for trial in self.ranking.best_first if trial.curve]

    def _sample(self) -> list[Trial]:
        """Those that are drawn, the better ones first."""
        trials = self._all
        if len(trials) > MOST_CURVES:
            best, rest = trials[: MOST_CURVES // 4], trials[MOST_CURVES // 4 :]
            rest = sorted(rest, key=lambda trial: -trial.number)[: MOST_CURVES - len(best)]
            trials = [*best, *rest]
        return [trial for trial in trials if usable_points(trial)]

    def _field(self, trials: Sequence[Trial]) -> Field:
        steps = [step for trial in trials for step, _ in usable_points(trial)]
        values = [value for trial in trials for _, value in usable_points(trial)]
        objective = self.ranking.study.objective
        y = value_scale(values, maximize=objective.maximize)
        return Field(_steps(steps), y, "step", one_line(objective.metric))

    def _drawn(self, trials: Sequence[Trial], field: Field) -> Iterator[Node | None]:
        best = self.ranking.ranked[0].number if self.ranking.ranked else None
        lines: dict[str, list[str]] = {theme.GREY: [], theme.AMBER: [], theme.BLUE: []}
        ends: dict[str, list[tuple[float, float]]] = {CROSS: [], DIAMOND: []}
        for trial in trials:
            places = [_place(field, point) for point in _thinned(usable_points(trial))]
            if trial.number != best:
                lines[_colour(trial)].append(_path(places))
            if trial.state is TrialState.EARLY_STOPPED:
                ends[DIAMOND].append(places[-1])
            elif trial.state in BROKEN:
                ends[CROSS].append(places[-1])
        for colour in (theme.GREY, theme.AMBER, theme.BLUE):
            if lines[colour]:
                style = f"fill:none;stroke:{colour};stroke-width:1.2"
                yield el("path", d="".join(lines[colour]), style=style)
        yield marks(ends[DIAMOND], DIAMOND, theme.AMBER)
        yield marks(ends[CROSS], CROSS, theme.RED)
        if self.ranking.ranked and usable_points(self.ranking.ranked[0]):
            path = _path([_place(field, point) for point in _thinned(usable_points(self.ranking.ranked[0]))])
            yield el("path", d=path, style=f"fill:none;stroke:{theme.GREEN};stroke-width:2.4")

    def _keys(self, trials: Sequence[Trial]) -> list[Key]:
        states = {trial.state for trial in trials}
        keys = []
        if self.ranking.ranked and usable_points(self.ranking.ranked[0]):
            keys.append(Key("━", theme.GREEN, f"the best, trial {self.ranking.ranked[0].number}"))
        if TrialState.EARLY_STOPPED in states:
            keys.append(Key("◇", theme.AMBER, "early stopped"))
        if TrialState.RUNNING in states:
            keys.append(Key("━", theme.BLUE, "running"))
        if states & BROKEN:
            keys.append(Key("✗", theme.RED, "failed"))
        return keys

    def _note(self, drawn: Sequence[Trial]) -> str:
        every = len(self._all)
        return f"{len(drawn)} of {every:,} curves: the best, and the latest" if every > len(drawn) else ""

    def _label(self) -> str:
        trials = self._all
        stopped = sum(trial.state is TrialState.EARLY_STOPPED for trial in trials)
        metric = self.ranking.study.objective.metric
        return f"{metric} step by step in {len(trials):,} trials, {stopped:,} of them stopped early"

    def to_text(self) -> str:
        """The curves of the best trials as bars."""
        lines = [
            f"  trial {trial.number}  {bars(usable_points(trial))}  {digits(usable_points(trial)[0][1])} → "
            f"{digits(usable_points(trial)[-1][1])}"
            for trial in self._sample()[:_LINES_OF_TEXT]
        ]
        return "\n".join(["Learning curves", *(lines or ["  no trial has reported a step"])])


def _steps(steps: Sequence[float]) -> Scale:
    return number_scale([min(steps), max(steps)]) if min(steps) <= 0 else number_scale([0.0, max(steps)])


def usable_points(trial: Trial) -> tuple[tuple[float, float], ...]:
    """A trial's curve, without what cannot be drawn."""
    return tuple(point for point in trial.curve if all(map(usable, point)))


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    step = math.ceil(len(points) / MOST_STEPS)
    return [*points[:-1:step], points[-1]]


def _place(field: Field, point: tuple[float, float]) -> tuple[float, float]:
    step, value = point
    return field.at(field.x.place(step) or 0.0, field.y.place(value) or 0.0)


def _path(places: Sequence[tuple[float, float]]) -> str:
    first, *rest = places
    return f"M{short(first[0])} {short(first[1])}" + "".join(
        f"L{short(x)} {short(y)}" for x, y in rest or [first]
    )


def _colour(trial: Trial) -> str:
    known = {TrialState.EARLY_STOPPED: theme.AMBER, TrialState.RUNNING: theme.BLUE}
    return known.get(trial.state, theme.GREY)
