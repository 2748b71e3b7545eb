"""What of a training that has succeeded may not be as it was meant."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.capture.component import Component
from kfnb.entities import kfp_name
from kfnb.resources.runs.divergence import diverged
from kfnb.resources.runs.handle import Run

_MODEL = "kf_model"
"""The output of a task that saves models."""


def outcome_notes(run: Run, component: Component) -> Iterator[str]:
    """Notes on the results of a cell that was trained."""
    task = run.tasks[kfp_name(component.name)]
    for name in component.options.outputs:
        if name not in component.outputs and name not in component.refusals:
            yield f"{name} is not an output: rank 0 has not assigned it, and the outputs are those of rank 0"
    if _MODEL in task.outputs and not task.outputs[_MODEL].metadata.get("kfnb_models"):
        yield "rank 0 has saved no model with kf.save: what other ranks save is kept with the run, and not registered"
    for rank in task.ranks:
        yield from (f"rank {rank.number}: {text}" for text in diverged(rank))
