"""``draw_trial``: all that is known of one trial, beside the best one."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.live.messages import Scalar
from kfnb.resources.runs.view.curves import Of, metric_plot
from kfnb.resources.runs.view.failure import NO_MESSAGE
from kfnb.resources.studies.model import StudySnapshot, Trial
from kfnb.resources.studies.view.curves import usable_points
from kfnb.resources.studies.view.ranking import Ranking
from kfnb.resources.studies.view.states import BROKEN, trial_style
from kfnb.ui.blocks import Alert, Block, CodeBlock, Row, Section, Text, bundle
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import brief, moment, one_line


def draw_trial(study: StudySnapshot, trial: Trial) -> dict[str, str]:
    """A trial as a mimebundle: its error, its parameters and what came of them beside the best trial's, its curve."""
    best = Ranking(study).best
    other = None if best is None or best.number == trial.number else best
    blocks = [*_error(trial), Row([*_params(trial, other), *_results(study, trial, other)])]
    blocks += [*_curve(study, trial, other), *_facts(trial)]
    return bundle(f"Trial {trial.number} of {study.name}", blocks)


def _error(trial: Trial) -> Iterator[Block]:
    if trial.error is None and trial.state not in BROKEN:
        return
    style = trial_style(trial.state if trial.state in BROKEN else next(iter(BROKEN)))
    error = trial.error
    place = f" ({one_line(error.place)})" if error and error.place else ""
    message = error.message if error and error.message else NO_MESSAGE
    traceback = [CodeBlock(error.traceback)] if error and error.traceback else []
    yield Alert(style, f"The trial failed{place}", [Text(message), *traceback])


def _params(trial: Trial, best: Trial | None) -> Iterator[Block]:
    names = list(dict.fromkeys([*trial.params, *(best.params if best else ())]))
    if names:
        rows = [
            _row(name, trial.params.get(name), best, best.params.get(name) if best else None)
            for name in names
        ]
        yield Section("Parameters", [Table("Parameters", _columns("Parameter", trial, best), rows)])


def _results(study: StudySnapshot, trial: Trial, best: Trial | None) -> Iterator[Block]:
    rows: list[list[Value]] = []
    if trial.value is not None:
        rows.append(_row(study.objective.metric, trial.value, best, best.value if best else None))
    names = dict.fromkeys([*trial.metrics, *(best.metrics if best and trial.metrics else ())])
    rows += [
        _row(name, trial.metrics.get(name), best, best.metrics.get(name) if best else None) for name in names
    ]
    if rows:
        yield Section("Metrics", [Table("Metrics", _columns("Metric", trial, best), rows)])


def _columns(what: str, trial: Trial, best: Trial | None) -> tuple[Column, ...]:
    own = Column(f"Trial {trial.number}", number=True)
    return (Column(what), own, Column(f"Best ({best.number})", number=True)) if best else (Column(what), own)


def _row(name: str, value: Scalar, best: Trial | None, of_best: Scalar) -> list[Value]:
    cells = ["" if one is None else brief(one, 6, 60) for one in (value, of_best)]
    return [name, *map(TableCell, cells if best else cells[:1])]


def _curve(study: StudySnapshot, trial: Trial, best: Trial | None) -> Iterator[Block]:
    points = usable_points(trial)
    if not points:
        return
    curves = [(Of(f"trial {trial.number}"), points)]
    if best and usable_points(best):
        curves.append((Of(f"the best, trial {best.number}", run=1), usable_points(best)))
    yield metric_plot(study.objective.metric, curves)


def _facts(trial: Trial) -> Iterator[Block]:
    facts = {
        "Began": moment(trial.started),
        "Ended": moment(trial.finished),
        "Name": trial.name,
        "Run": trial.run,
    }
    rows: list[list[Value]] = [[name, TableCell(value)] for name, value in facts.items() if value]
    if rows:
        yield Section("More", [Table("More", (Column("What"), Column("Value")), rows)])
