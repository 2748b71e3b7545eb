"""The curves of several runs in shared plots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from kfnb.entities import Artifact, RunSnapshot
from kfnb.resources.runs.view.classification import Roc, read_roc
from kfnb.resources.runs.view.curves import Of, metric_plot, roc_plot
from kfnb.resources.runs.view.metric_history import Points, curves_of
from kfnb.resources.runs.view.tree import Leaf, Path, Tree
from kfnb.ui.blocks import Block, Text
from kfnb.ui.plot import Plot

MOST_PLOTS = 24

C = TypeVar("C", Points, Roc)
Found = dict[tuple[Path, str], list[tuple[Of, C]]]


def overlays(runs: Sequence[RunSnapshot], marks: Sequence[str]) -> tuple[list[Plot], list[Block]]:
    """The curves that two or more of the runs have, a plot for each task and name; and the number left out."""
    curves: Found[Points] = {}
    rocs: Found[Roc] = {}
    for number, (run, mark) in enumerate(zip(runs, marks, strict=True)):
        for leaf in Tree(run.tasks).work:
            for name, points in curves_of(leaf.task).items():
                _add(curves, leaf, name, (mark, number), points)
            for name, roc in _rocs(leaf):
                _add(rocs, leaf, name, (mark, number), roc)
    plots = [metric_plot(f"{path[-1]}.{name}", some) for (path, name), some in _shared(curves)]
    plots += [roc_plot(f"{path[-1]}: ROC curve", some) for (path, _), some in _shared(rocs)]
    rest = len(plots) - MOST_PLOTS
    return plots[:MOST_PLOTS], [Text(f"… curves of {rest} more are not shown here")] if rest > 0 else []


def _add(found: Found[C], leaf: Leaf, name: str, whose: tuple[str, int], curve: C) -> None:
    mark, number = whose
    label = " ".join([mark, *(f"[{index}]" for index in leaf.indices)])
    there = found.setdefault((leaf.path, name), [])
    turn = sum(of.run == number for of, _ in there)
    there.append((Of(label, number, turn), curve))


def _rocs(leaf: Leaf) -> Iterator[tuple[str, Roc]]:
    for name, value in leaf.task.outputs.items():
        if isinstance(value, Artifact) and value.type == "system.ClassificationMetrics":
            roc = read_roc(value.metadata)
            if roc:
                yield name, roc


def _shared(found: Found[C]) -> Iterator[tuple[tuple[Path, str], list[tuple[Of, C]]]]:
    for key, some in found.items():
        if len({of.run for of, _ in some}) > 1:
            yield key, some
