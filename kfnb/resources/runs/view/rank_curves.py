"""The curves of what a training's processes log: the mean of all ranks, and their range."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from kfnb.entities import Rank
from kfnb.resources.runs.divergence import lost
from kfnb.resources.runs.view.curves import TALL, WIDE
from kfnb.resources.runs.view.metric_history import CURVES, Points, drawn, read_curves
from kfnb.ui.plot import Plot, PlotLine, axis
from kfnb.ui.words import number

MOST_PLOTS = 12


def curve_plots(ranks: Sequence[Rank], *, alone: bool) -> Iterator[Plot]:
    """A plot for each metric that several ranks have logged by step, and with ``alone`` also for those of one rank."""
    found: dict[str, list[Points]] = {}
    for rank in ranks:
        for name, points in read_curves({CURVES: rank.curves}).items():
            found.setdefault(name, []).append(points)
    some = [(name, curves) for name, curves in found.items() if alone or len(curves) > 1]
    for name, curves in some[:MOST_PLOTS]:
        yield _plot(name, curves)


def _plot(name: str, curves: Sequence[Points]) -> Plot:
    band = tuple(_band([tuple(sorted(drawn(points))) for points in curves]))
    mean = [(step, middle) for step, _, middle, _ in band]
    edges = [(step, low, high) for step, low, _, high in band] if len(curves) > 1 else []
    steps = axis("step", [step for step, *_ in band], WIDE)
    values = axis("", [value for _, low, _, high in band for value in (low, high)], TALL, margin=0.05)
    label = f"mean of {len(curves)} ranks" if len(curves) > 1 else ""
    ends = dict.fromkeys(filter(None, map(lost, curves)))
    summary = ", then ".join((_summary(mean, edges), *ends))
    return Plot(name, [PlotLine(label, mean, summary, band=edges)], steps, values)


def _band(curves: Sequence[Points]) -> Iterator[tuple[float, float, float, float]]:
    """Step, lowest, mean and highest value of the curves, at the steps of the longest one.

    Where few ranks are, ahead of the others, is left out.
    """
    steps = [step for step, _ in max(curves, key=len)]
    found = [[value for curve in curves if (value := _at(curve, step)) is not None] for step in steps]
    most = max(map(len, found))
    for step, values in zip(steps, found, strict=True):
        if 2 * len(values) >= most:
            yield step, min(values), sum(values) / len(values), max(values)


def _at(curve: Points, step: float) -> float | None:
    """The value of a curve at a step, interpolated between its points; None outside of them."""
    index = bisect_left(curve, (step,))
    if index == len(curve):
        return None
    there, value = curve[index]
    if there == step:
        return value
    if not index:
        return None
    before, last = curve[index - 1]
    return last + (value - last) * (step - before) / (there - before)


def _summary(
    mean: Points | Sequence[tuple[float, float]], edges: Sequence[tuple[float, float, float]]
) -> str:
    first, last = number(mean[0][1]), number(mean[-1][1])
    course = last if len(mean) == 1 else f"{first} → {last}"
    return f"{course}; ranks from {number(edges[-1][1])} to {number(edges[-1][2])}" if edges else course
