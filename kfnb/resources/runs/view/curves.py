"""The curves that steps log: ROC curves, and metrics by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kfnb.resources.runs.view.classification import Roc
from kfnb.resources.runs.view.metric_history import Points, course, drawn
from kfnb.ui import theme
from kfnb.ui.markup import Element, el
from kfnb.ui.plot import LEFT, TOP, Axis, Plot, PlotLine, axis, canvas, diagonal, path

SIDE = 180
WIDE, TALL = 300, 150
MOST_LINES = 12

_RATE = Axis("false positive rate", 0, 1, (0, 0.5, 1), SIDE)
_RECALL = Axis("recall", 0, 1, (0, 0.5, 1), SIDE)


@dataclass(frozen=True)
class Of:
    """The origin of a curve: its label, the number of the run, and the number of the iteration."""

    label: str = ""
    run: int = 0
    turn: int = 0


def draw_roc(roc: Roc) -> Element:
    """The curve over the diagonal, with its area in the corner."""
    line = path(roc.points, _RATE, _RECALL)
    bottom, right = TOP + SIDE, LEFT + SIDE
    return canvas(
        f"ROC curve, area under the curve {roc.area:.3f}",
        _RATE,
        _RECALL,
        diagonal(_RATE, _RECALL),
        el("path", d=f"{line} L{right} {bottom} Z", style=f"fill:{theme.BLUE};fill-opacity:.1"),
        el("path", d=line, style=PlotLine("", (), "").style),
        el(
            "text",
            f"AUC {roc.area:.3f}",
            x=right - 10,
            y=bottom - 12,
            text_anchor="end",
            font_size=13,
            font_weight=600,
            style=f"fill:{theme.INK}",
        ),
    )


def roc_plot(title: str, rocs: Sequence[tuple[Of, Roc]]) -> Plot:
    """Several ROC curves in one plot."""
    lines = [
        PlotLine(of.label, roc.points, f"AUC {roc.area:.3f}", of.run, of.turn)
        for of, roc in rocs[:MOST_LINES]
    ]
    return Plot(title, lines, _RATE, _RECALL, diagonal=True, rest=_rest(rocs))


def metric_plot(title: str, curves: Sequence[tuple[Of, Points]]) -> Plot:
    """A metric by step, of several runs or iterations in one plot."""
    shown = curves[:MOST_LINES]
    steps = axis("step", [step for _, points in shown for step, _ in points], WIDE)
    values = axis("", [value for _, points in shown for _, value in drawn(points)], TALL, margin=0.05)
    lines = [PlotLine(of.label, drawn(points), course(points), of.run, of.turn) for of, points in shown]
    return Plot(title, lines, steps, values, rest=_rest(curves))


def _rest(curves: Sequence[object]) -> str:
    return f"… {len(curves) - MOST_LINES} more" if len(curves) > MOST_LINES else ""
