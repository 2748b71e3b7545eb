"""What of a training that has succeeded may not be as it was meant."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.capture.component import Component
from kfnb.entities import kfp_name
from kfnb.resources.runs.handle import Run
from kfnb.resources.runs.view.metric_history import diverged


def outcome_notes(run: Run, component: Component) -> Iterator[str]:
    """Notes on the results of a cell that was trained."""
    task = run.tasks[kfp_name(component.name)]
    for rank in task.ranks:
        yield from (f"rank {rank.number}: {text}" for text in diverged(rank))
