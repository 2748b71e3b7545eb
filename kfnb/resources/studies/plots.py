"""The charts of a study, by name."""

from __future__ import annotations

from collections.abc import Callable

from kfnb.resources.studies.model import StudyPlot, StudySnapshot


class Plots:
    """A study's charts; ``plot()`` alone is the history. Each shows the study as it is when it is asked for."""

    def __init__(self, snapshot: Callable[..., StudySnapshot]) -> None:
        self._snapshot = snapshot

    def __repr__(self) -> str:
        return "the charts of a study: .history(), .parallel(), .slices(), .importances(), .curves()"

    def __call__(self) -> StudyPlot:
        """The history."""
        return self.history()

    def history(self) -> StudyPlot:
        """The value of each trial, and the best so far."""
        return StudyPlot(self._snapshot(), "history")

    def parallel(self) -> StudyPlot:
        """A line for each trial, through its parameters to its value."""
        return StudyPlot(self._snapshot(), "parallel")

    def slices(self) -> StudyPlot:
        """The value by each parameter."""
        return StudyPlot(self._snapshot(), "slices")

    def importances(self) -> StudyPlot:
        """How much of the value's variation each parameter explains."""
        return StudyPlot(self._snapshot(importances=True), "importances")

    def curves(self) -> StudyPlot:
        """The intermediate values of the objective, for each trial that reported them."""
        return StudyPlot(self._snapshot(), "curves")
