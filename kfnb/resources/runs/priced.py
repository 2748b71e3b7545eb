"""Tables of runs with what they cost."""

from __future__ import annotations

from collections.abc import Sequence

from kfnb.entities import Comparison, RunSnapshot
from kfnb.resources.runs.costs import cost_cells
from kfnb.resources.runs.view.comparison import draw_comparison
from kfnb.resources.runs.view.runs import draw_runs
from kfnb.ui.mount_point import Home


def priced_runs(runs: Sequence[RunSnapshot], home: Home | None = None) -> dict[str, str]:
    """Runs as a mimebundle."""
    return draw_runs(runs, home=home, costs=cost_cells(runs))


def priced_comparison(comparison: Comparison) -> dict[str, str]:
    """Runs side by side as a mimebundle."""
    return draw_comparison(comparison, costs=cost_cells(comparison.runs))
