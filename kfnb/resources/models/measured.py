"""What was measured without being registered: runs' metrics, and studies' best trials."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from kfnb.entities import RunSnapshot, RunState
from kfnb.resources.models.leaderboard import LeaderboardEntry

_MOST_RUNS = 200


def metrics_of(run: RunSnapshot) -> dict[str, float]:
    """The finite metrics of a run, by their own names where no two tasks have a metric of that name."""
    found: dict[str, list[float]] = {}
    for name, value in run.metrics.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and value - value == 0:
            found.setdefault(name.rpartition(".")[2], []).append(float(value))
    return {name: values[0] for name, values in found.items() if len(values) == 1}


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
