"""Entries of the leaderboard: versions of registries, and what is measured and not registered: runs and trials."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from kfnb.entities import RunSnapshot, RunState
from kfnb.errors import UsageError
from kfnb.resources.models.engine import ModelRegistry, VersionQuery
from kfnb.resources.models.leaderboard import LeaderboardEntry, entries_of

_MOST_RUNS = 200


def metrics_of(run: RunSnapshot) -> dict[str, float]:
    """The finite metrics of a run, by their own names where no two tasks have a metric of that name."""
    found: dict[str, list[float]] = {}
    for name, value in run.metrics.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and value - value == 0:
            found.setdefault(name.rpartition(".")[2], []).append(float(value))
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def entries_in(
    registries: Sequence[ModelRegistry], query: VersionQuery, *, runs: bool
) -> list[LeaderboardEntry]:
    """The entries that a query chooses: of the versions in registries and, with ``runs``, of runs and trials.

    Raises ``UsageError`` if nothing has the name of the query.
    """
    found: list[LeaderboardEntry] = []
    unknown: list[UsageError] = []
    for registry in registries:
        try:
            versions = registry.versions(query)
        except UsageError as error:
            if error.code != "not-found":
                raise
            unknown.append(error)
            continue
        for one in versions:
            found += entries_of(one, registry.name, query.data, query.data_digest)
    if runs:
        found += _unregistered(registries, query)
    if len(unknown) == len(registries) and not found:
        raise unknown[0]
    return found


def _unregistered(registries: Sequence[ModelRegistry], query: VersionQuery) -> list[LeaderboardEntry]:
    """The runs and the best trials of studies that a query chooses, on the backends of some registries.

    A run whose model is registered is left out. Raises ``UsageError`` for a query by what runs do not have.
    """
    for name in ("owner", "data", "alias", "tag", "namespace"):
        if getattr(query, name):
            message = f"{name} cannot be combined with runs: runs and trials have no {name}"
            raise UsageError(message, code="invalid-argument", ref=name)
    everything = VersionQuery(archived=True)
    known = {one.source.id for registry in registries for one in registry.versions(everything)}
    found = [
        entry
        for registry in registries
        for entry in (*_of_runs(registry.name, known), *_of_studies(registry.name))
    ]
    return [
        one
        for one in found
        if query.name in ("", one.name) and (query.since is None or (one.created or 0.0) >= query.since)
    ]


def _of_runs(backend: str, registered: Collection[str]) -> Iterator[LeaderboardEntry]:
    """The newest runs of a backend that succeeded and have metrics, without those with ids in ``registered``."""
    from kfnb.resources.runs.api import runs

    for run in runs(limit=_MOST_RUNS, backend=backend):
        metrics = metrics_of(run)
        if metrics and run.state is RunState.SUCCEEDED and run.id not in registered:
            yield LeaderboardEntry(
                f"run {run.id}", run.pipeline, kind="run", metrics=metrics, created=run.created, run=run.id
            )


def _of_studies(backend: str) -> Iterator[LeaderboardEntry]:
    """The best trial of each study of a backend."""
    from kfnb.resources.studies.api import studies

    for study in studies(backend=backend):
        if study.best is not None and study.best.value is not None:
            yield LeaderboardEntry(
                f"study {study.name}, trial {study.best.number}",
                study.name,
                kind="trial",
                metrics={study.objective.metric.rpartition(".")[2]: study.best.value},
                created=study.created,
            )
