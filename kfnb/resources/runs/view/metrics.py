"""Metrics as a table; a classifier's as a curve and a matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kfnb.resources.runs.view.classification import Confusion, read_confusion, read_roc
from kfnb.resources.runs.view.curves import Of, draw_roc, metric_plot
from kfnb.resources.runs.view.metric_history import plain_metrics, read_curves
from kfnb.ui.blocks import Block, Picture
from kfnb.ui.plot import Plot
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import short

MOST_ROWS = 200


def metrics_table(label: str, turns: Sequence[tuple[str, Mapping[str, Any]]]) -> Table:
    """The metrics of one task; in a loop with a labelled row for each iteration."""
    turns = [(turn, plain_metrics(metadata)) for turn, metadata in turns]
    names = list(dict.fromkeys(name for _, values in turns for name in values))
    if len(turns) == 1 and not turns[0][0]:
        values = turns[0][1]
        rows: list[list[Value]] = [[name, short(values[name])] for name in names]
        return Table(label, (Column("Metric"), Column("Value", number=True)), rows)
    columns = (Column("Iteration"), *(Column(name, number=True) for name in names))
    many: list[list[Value]] = [
        [turn, *(short(values[name]) if name in values else "" for name in names)]
        for turn, values in turns[:MOST_ROWS]
    ]
    return Table(label, columns, many)


def curve_plots(turns: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Plot]:
    """The metrics that one task logged by step, a plot each; in a loop with the curves of all iterations."""
    curves = [(turn, read_curves(metadata)) for turn, metadata in turns]
    names = list(dict.fromkeys(name for _, found in curves for name in found))
    return [
        metric_plot(
            name,
            [(Of(turn, number), found[name]) for number, (turn, found) in enumerate(curves) if name in found],
        )
        for name in names
    ]


def classification_blocks(metadata: Mapping[str, Any], label: str) -> list[Block]:
    """A ROC curve and a confusion matrix; empty if the metadata has neither shape."""
    roc, confusion = read_roc(metadata), read_confusion(metadata)
    parts: list[Block] = []
    if roc:
        text = f"ROC curve of {len(roc.points)} points, area under the curve {roc.area:.3f}"
        parts.append(Picture(draw_roc(roc), text))
    if confusion:
        parts.append(_confusion_table(confusion, f"{label}, confusion matrix"))
    return parts


def _confusion_table(confusion: Confusion, label: str) -> Table:
    columns = (Column("Actual \\ predicted"), *(Column(name, number=True) for name in confusion.classes))
    rows: list[list[Value]] = []
    for name, counts in zip(confusion.classes, confusion.counts, strict=True):
        total = sum(counts) or 1.0
        rows.append(
            [name, *(TableCell(f"{count:g}", shade=min(1.0, max(0.0, count / total))) for count in counts)]
        )
    return Table(label, columns, rows)
