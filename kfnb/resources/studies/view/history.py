"""The optimization history: each trial's value, and the best so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from kfnb.resources.studies.model import Trial, TrialState
from kfnb.resources.studies.view.plot_area import (
    CROSS,
    DIAMOND,
    MOST_DOTS,
    RING,
    Field,
    Key,
    Place,
    apart,
    dots,
    figure,
    legend,
    marks,
    short,
)
from kfnb.resources.studies.view.ranking import Ranking, last_value, values_of
from kfnb.resources.studies.view.scale import number_scale, usable, value_scale
from kfnb.resources.studies.view.states import BROKEN
from kfnb.ui import theme
from kfnb.ui.markup import Element, Node, el
from kfnb.ui.plot import bars
from kfnb.ui.words import digits, one_line

_MOST_MARKS = 400


@dataclass(frozen=True)
class History:
    """The values of a study's trials in the order in which these began."""

    ranking: Ranking

    def to_html(self) -> Element:
        """Dots, and a line of the best so far."""
        study = self.ranking.study
        if not self.ranking.ranked:
            return figure("Optimization history", "", el("div", "No trial has a value yet."))
        field = self._field
        drawn = field.draw(self._label(), *self._drawn(field))
        return figure("Optimization history", "", drawn, legend(self._keys(), self._note(study.trials)))

    @cached_property
    def _field(self) -> Field:
        study = self.ranking.study
        values = [*self.ranking.values, *values_of(_stopped(study.trials))]
        goal = [goal for goal in (study.objective.goal,) if goal is not None and usable(goal)]
        y = value_scale([*values, *goal], maximize=study.objective.maximize)
        last = max(study.trials[-1].number, 1)
        return Field(number_scale([0.0, float(last)]), y, "trial", one_line(study.objective.metric))

    def _drawn(self, field: Field) -> Iterator[Node | None]:
        study = self.ranking.study
        yield self._goal(field)
        # a sample of the ranked ones, in the order of their numbers
        yield dots(apart(_places(self.ranking.ranked, field)), theme.BLUE)
        stopped = apart(_places(_stopped(study.trials), field), _MOST_MARKS)
        yield marks(stopped, DIAMOND, theme.AMBER)
        broken = [
            field.at(field.x.place(trial.number) or 0, 0.0) for trial in study.trials if trial.state in BROKEN
        ]
        yield marks([(x, y - 5) for x, y in apart(broken, _MOST_MARKS)], CROSS, theme.RED)
        yield self._records(field)
        yield marks(_places(self.ranking.ranked[:1], field), RING, theme.GREEN)

    def _records(self, field: Field) -> Element:
        """The best so far: a line that only goes one way."""
        steps: list[str] = []
        for x, y in _places(tuple(self.ranking.records()), field):
            steps.append(f"H{short(x)}V{short(y)}" if steps else f"M{short(x)} {short(y)}")
        steps.append(f"H{short(field.at(1, 0)[0])}")
        return el("path", d="".join(steps), style=f"fill:none;stroke:{theme.GREEN};stroke-width:2")

    def _goal(self, field: Field) -> Element | None:
        goal = self.ranking.study.objective.goal
        if goal is None:
            return None
        x, y = field.at(0, field.y.place(goal) or 0.0)
        style = f"fill:none;stroke:{theme.SOFT};stroke-dasharray:5 4"
        return el("path", d=f"M{short(x)} {short(y)}h{field.wide:g}", style=style)

    def _keys(self) -> list[Key]:
        trials = self.ranking.study.trials
        keys = [Key("●", theme.BLUE, "value"), Key("━", theme.GREEN, "best so far")]
        if any(True for _ in _stopped(trials)):
            keys.append(Key("◇", theme.AMBER, "early stopped"))
        if any(trial.state in BROKEN for trial in trials):
            keys.append(Key("✗", theme.RED, "failed"))
        if self.ranking.study.objective.goal is not None:
            keys.append(Key("┅", theme.SOFT, "goal"))
        return keys

    def _note(self, trials: Sequence[Trial]) -> str:
        many = len(trials) > MOST_DOTS
        thinned = f"{len(trials):,} trials: dots on each other are drawn once" if many else ""
        return "; ".join(part for part in (thinned, self._field.y.note) if part)

    def _label(self) -> str:
        best = self.ranking.ranked[0]
        metric = self.ranking.study.objective.metric
        records = sum(1 for _ in self.ranking.records())
        return (
            f"{metric} of {len(self.ranking.ranked):,} trials; the best so far improved {records} times, "
            f"to {digits(self.ranking.values[0])} in trial {best.number}"
        )

    def to_text(self) -> str:
        """The values as bars, and what became the best when."""
        if not self.ranking.ranked:
            return "Optimization history: no trial has a value yet"
        points = [(trial.number, value) for trial in self.ranking.study.trials for value in _own(trial)]
        records = [
            f"  trial {trial.number}: {digits(trial.value or 0.0)}" for trial in self.ranking.records()
        ]
        metric = one_line(self.ranking.study.objective.metric)
        return "\n".join(
            [f"Optimization history of {metric}", f"  {bars(points)}", "  best so far", *records]
        )


def _own(trial: Trial) -> list[float]:
    return values_of([trial]) if trial.state is TrialState.SUCCEEDED else []


def _stopped(trials: Sequence[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.state is TrialState.EARLY_STOPPED]


def _places(trials: Sequence[Trial], field: Field) -> list[Place]:
    """Where trials stand; those without a value nowhere."""
    found = []
    for trial in trials:
        value = last_value(trial)
        y = None if value is None else field.y.place(value)
        if y is not None:
            found.append(field.at(field.x.place(trial.number) or 0.0, y))
    return found
