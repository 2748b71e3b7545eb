"""Lists of runs: those of a backend, on a cluster with the trainings that are TrainJobs."""

from __future__ import annotations

from collections.abc import Callable

from kfnb.entities import RunSnapshot
from kfnb.errors import BackendError
from kfnb.resources.runs.engine import RunEngine
from kfnb.resources.runs.selection import Selection


def listed(
    engine: RunEngine, trainer: Callable[[], RunEngine], selection: Selection, limit: int
) -> list[RunSnapshot]:
    """The newest runs of an engine; of a cluster also those of ``trainer``, if there is a way to Kubernetes."""
    found = engine.list(selection, limit=limit)
    if engine.name != "kubeflow":
        return found
    try:
        trainings = trainer().list(selection, limit=limit)
    except BackendError:  # Trainer is not installed, or Kubernetes cannot be reached
        return found
    return sorted([*found, *trainings], key=lambda one: -(one.created or 0.0))[:limit]
