"""What the runs of a cluster occupied: asked of it run by run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

from kfnb.catalog.occupied import OccupiedGroup
from kfnb.entities import RunSnapshot
from kfnb.resources.runs import api as runs
from kfnb.settings import settings

MOST_RUNS = 200
"""Each of them is two requests: for the run, and for its pods."""


def occupied_there(by: str, since: float, until: float) -> Iterator[OccupiedGroup]:
    """What the newest runs of the cluster occupied that ended in a time. Raises ``BackendError``."""
    engine = runs.engine_of("kubeflow")
    for run in runs.runs(backend="kubeflow", since=since, limit=MOST_RUNS, archived=True):
        if run.finished is not None and since <= run.finished < until:
            day = datetime.fromtimestamp(run.finished, timezone.utc).astimezone().date().isoformat()
            yield OccupiedGroup(_name(run, by), day, 1, dict(engine.occupied(run.id)))


def _name(run: RunSnapshot, by: str) -> str:
    names = {
        "pipeline": run.pipeline,
        "experiment": run.experiment,
        "user": run.owner,
        "namespace": settings().namespace,
        "run": run.id,
    }
    return names.get(by, "")
