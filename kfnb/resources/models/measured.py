"""What was measured without being registered: runs' metrics, and studies' best trials."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from kfnb.entities import Artifact, RunSnapshot, RunState
from kfnb.resources.models.leaderboard import LeaderboardEntry

_MOST_RUNS = 200

SAVED = "kfnb_models"
"""The key of what a step saved, in its artifact's metadata."""


def metrics_of(run: RunSnapshot) -> dict[str, float]:
    """The finite metrics of a run, by their own names where no two tasks have a metric of that name."""
    found: dict[str, list[float]] = {}
    for name, value in run.metrics.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and value - value == 0:
            found.setdefault(name.rpartition(".")[2], []).append(float(value))
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def saved_with(model: Any) -> Mapping[str, Any]:
    """What ``kf.save`` was given beside the one model of an artifact: metrics, data, description; else nothing."""
    saved = model.metadata.get(SAVED) if isinstance(model, Artifact) else None
    return saved[0] if isinstance(saved, list) and len(saved) == 1 and isinstance(saved[0], dict) else {}


def of_runs(registered: Collection[str]) -> Iterator[LeaderboardEntry]:
    """The newest runs that succeeded and have metrics, but those with ids in ``registered``."""
    from kfnb.resources.runs.api import runs

    for run in runs(limit=_MOST_RUNS):
        metrics = metrics_of(run)
        if metrics and run.state is RunState.SUCCEEDED and run.id not in registered:
            yield LeaderboardEntry(
                f"run {run.id}", run.pipeline, kind="run", metrics=metrics, created=run.created
            )


def of_studies() -> Iterator[LeaderboardEntry]:
    """The best trial of each study."""
    from kfnb.resources.studies.api import studies

    for study in studies():
        if study.best is not None and study.best.value is not None:
            yield LeaderboardEntry(
                f"study {study.name}, trial {study.best.number}",
                study.name,
                kind="trial",
                metrics={study.objective.metric.rpartition(".")[2]: study.best.value},
                created=study.created,
            )
