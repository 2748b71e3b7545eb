"""Trials in words: the best one, a table of the best, and why others failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kfnb.resources.runs.view.failure import NO_MESSAGE
from kfnb.resources.studies.model import Dimension, Trial
from kfnb.resources.studies.view.ranking import Ranking
from kfnb.resources.studies.view.states import BROKEN, trial_style
from kfnb.ui import theme
from kfnb.ui.blocks import Alert, Block, CodeBlock, Text, filled
from kfnb.ui.markup import Element, el
from kfnb.ui.table import Column, Table, TableCell
from kfnb.ui.table import Value as Shown
from kfnb.ui.words import brief, clean, digits, duration, one_line, short

SHOWN_ERRORS = 3
_MOST_NUMBERS = 8


@dataclass(frozen=True)
class Best:
    """The best trial: its value, its parameters, and how it compares."""

    ranking: Ranking

    def to_html(self) -> Element:
        """The value, large, over the parameters."""
        best = self.ranking.best
        if best is None or best.value is None:
            return el("div", "No trial has a value yet.", style=f"color:{theme.SOFT};margin:0 0 12px")
        metric = one_line(self.ranking.study.objective.metric)
        head = el(
            "div",
            el("span", f"Best trial ({best.number}): ", style=f"color:{theme.SOFT}"),
            el("strong", f"{metric} = {digits(best.value)}", style="font-size:16px;overflow-wrap:anywhere"),
        )
        params = el("div", *_params(best), style="margin:4px 0;overflow-wrap:anywhere")
        compared = el("div", self._compared(), style=f"color:{theme.SOFT};font-size:12px")
        style = (
            f"border-left:4px solid {theme.GREEN};background:{theme.GREEN}14;border-radius:0 6px 6px 0;"
            "padding:8px 14px;margin:0 0 12px"
        )
        return el("div", head, params if best.params else None, compared, style=style)

    def to_text(self) -> str:
        """The same in three lines."""
        best = self.ranking.best
        if best is None or best.value is None:
            return "No trial has a value yet."
        metric = one_line(self.ranking.study.objective.metric)
        params = ", ".join(f"{one_line(name)} = {brief(value, 6, 40)}" for name, value in best.params.items())
        lines = [f"Best trial ({best.number}): {metric} = {digits(best.value)}", params, self._compared()]
        return "\n".join(filled(line) for line in lines if line)

    def _compared(self) -> str:
        """How much better it is than others; whether the goal was reached."""
        objective, values = self.ranking.study.objective, self.ranking.values
        parts = ["the only trial so far that ran to its end"]
        if len(values) > 1:
            parts = [
                f"of {len(values):,} trials that ran to their end",
                f"the next best is {digits(values[1])} (trial {self.ranking.ranked[1].number})",
                f"the median is {digits(self.ranking.median or 0.0)}",
            ]
        if objective.goal is not None:
            reached = objective.reached(values[0]) if values else False
            parts.append(f"goal {digits(objective.goal)} {'reached' if reached else 'not reached'}")
        return "; ".join(parts)


def _params(trial: Trial) -> Iterator[Element | str]:
    for at, (name, value) in enumerate(trial.params.items()):
        if at:
            yield ", "
        quiet = el("span", f"{name} = ", style=f"color:{theme.SOFT}")
        yield el(
            "span",
            quiet,
            el("strong", brief(value, 6, 40), style=f"font-family:{theme.MONO};font-weight:600"),
        )


def trials_table(ranking: Ranking, dimensions: Sequence[Dimension], *, most: int) -> Table:
    """The best of a study's trials, one a row; those without a value come last, with why."""
    trials = ranking.best_first[:most]
    objective = ranking.study.objective
    further = tuple(dict.fromkeys(name for trial in trials for name in trial.metrics))
    columns = (
        Column("Trial", whole=True),
        Column("State", whole=True),
        Column(objective.metric, number=True),
        *(
            Column(name, number=_is_number(dimension))
            for dimension in dimensions
            for name in [dimension.name]
        ),
        *(Column(name, number=True) for name in further),
        Column("Time", number=True),
        Column("Note"),
    )
    best = ranking.best
    rows = [_row(trial, dimensions, further, best=trial is best) for trial in trials]
    return Table(f"Trials of {ranking.study.name}, the best first", columns, rows).without_empty_columns()


def _is_number(dimension: Dimension) -> bool:
    return dimension.kind != "choice"


def _row(trial: Trial, dimensions: Sequence[Dimension], further: Sequence[str], *, best: bool) -> list[Shown]:
    style = trial_style(trial.state)
    return [
        f"{trial.number} (best)" if best else str(trial.number),
        TableCell(style.word, state_style=style),
        brief(trial.value),
        *(brief(trial.params.get(dimension.name)) for dimension in dimensions),
        *(brief(trial.metrics.get(name)) for name in further),
        duration(trial.seconds),
        short(trial.error.message, 120) if trial.error and trial.error.message else "",
    ]


def failure_blocks(ranking: Ranking) -> list[Block]:
    """Why trials failed: each reason once, with the numbers of its trials."""
    reasons: dict[tuple[str, str], list[Trial]] = {}
    for trial in ranking.study.trials:
        if trial.state in BROKEN:
            error = trial.error
            key = (clean(error.message), error.place) if error else ("", "")
            reasons.setdefault(key, []).append(trial)
    ordered = sorted(reasons.values(), key=len, reverse=True)
    blocks: list[Block] = [_reason(trials) for trials in ordered[:SHOWN_ERRORS]]
    if len(ordered) > SHOWN_ERRORS:
        left = sum(map(len, ordered[SHOWN_ERRORS:]))
        blocks.append(Text(f"… {left:,} more failed for {len(ordered) - SHOWN_ERRORS:,} other reasons"))
    return blocks


def _reason(trials: Sequence[Trial]) -> Alert:
    first = trials[0]
    error = first.error
    place = f" ({one_line(error.place)})" if error and error.place else ""
    words = trial_style(first.state).word.lower() if first.error is None else "failed"
    message = error.message if error and error.message else NO_MESSAGE
    blocks: list[Block] = [Text(message)]
    if error and error.traceback:
        blocks.append(CodeBlock(error.traceback, value=True))
    return Alert(
        trial_style(first.state),
        f"{_numbers(trials)} {'had ' if words == 'no metrics' else ''}{words}{place}",
        blocks,
    )


def _numbers(trials: Sequence[Trial]) -> str:
    if len(trials) == 1:
        return f"Trial {trials[0].number}"
    named = ", ".join(str(trial.number) for trial in trials[:_MOST_NUMBERS])
    more = f" and {len(trials) - _MOST_NUMBERS:,} more" if len(trials) > _MOST_NUMBERS else ""
    return f"Trials {named}{more}"
