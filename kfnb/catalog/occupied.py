"""What runs occupied of machines, from the index: summed by what they have in common, and by day."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kfnb.catalog.records import MODEL, RUN, SERVICE
from kfnb.catalog.schema import GPU, UNKNOWN
from kfnb.entities import Amounts, Purpose

_VERSIONS = "made m join artifacts a on a.id = m.artifact"
_MODEL_OF_RUN = f"select min(a.name) from {_VERSIONS} where m.run = c.run and a.type = '{MODEL}'"  # noqa: S608 - ours
BY = {
    "pipeline": "c.pipeline",
    "experiment": "c.experiment",
    "user": "c.owner",
    "namespace": "c.backend",
    "run": "c.run",
    "model": f"coalesce(({_MODEL_OF_RUN}), '')",
}
"""What runs can be summed by: the expression that they have in common."""
_RUNS = f"c.type = '{RUN}' and c.run not like '{SERVICE}%' and c.finished >= ? and c.finished < ?"


@dataclass(frozen=True)
class OccupiedGroup:
    """Runs with the same ``name`` that ended on one ``day`` (ISO, local time): how many, and what they occupied."""

    name: str
    day: str
    runs: int
    used: dict[Purpose, Amounts]


def occupied(connection: sqlite3.Connection, by: str, since: float, until: float) -> Iterator[OccupiedGroup]:
    """What the runs occupied that ended from ``since`` until ``until``, by name and day."""
    # with the limit, the name and the day of each run are computed once, and not for each of its amounts
    runs = (
        f"with runs as (select c.id, {BY[by]} as name,"  # noqa: S608 - ours
        f" strftime('%Y-%m-%d', c.finished, 'unixepoch', 'localtime') as day from contexts c where {_RUNS} limit -1)"
    )
    counts = connection.execute(
        f"{runs} select name, day, count(*), sum(not exists (select 1 from amounts a where a.context = runs.id))"  # noqa: S608 - likewise
        " from runs group by 1, 2 order by 2, 1",
        (since, until),
    ).fetchall()
    rows = connection.execute(
        f"{runs} select name, day, purpose, resource, sum(hours)"  # noqa: S608 - likewise
        " from runs join amounts on context = runs.id group by 1, 2, 3, 4",
        (since, until),
    )
    found: dict[tuple[str, str], dict[Purpose, list[tuple[str, float]]]] = {}
    for name, on, purpose, resource, hours in rows:
        found.setdefault((name, on), {}).setdefault(Purpose(purpose), []).append((resource, hours))
    for name, on, runs, unrecorded in counts:
        used = {purpose: _amounts(parts) for purpose, parts in found.get((name, on), {}).items()}
        if unrecorded:
            used[Purpose.WORK] = used.get(Purpose.WORK, Amounts()) + Amounts(unknown=int(unrecorded))
        yield OccupiedGroup(name, on, runs, used)


def former(connection: sqlite3.Connection, pipeline: str, most: int = 10) -> Iterator[dict[Purpose, Amounts]]:
    """What the newest runs of a pipeline occupied that succeeded, at most ``most``; those of which that is known."""
    newest = connection.execute(
        "select c.id from contexts c where c.pipeline = ? and c.state = 'SUCCEEDED'"
        " and exists (select 1 from amounts a where a.context = c.id) order by c.finished desc limit ?",
        (pipeline, most),
    ).fetchall()
    yield from (used for _, used in _of_contexts(connection, [id for (id,) in newest]))


def of_runs(
    connection: sqlite3.Connection, runs: Iterable[str]
) -> Iterator[tuple[str, dict[Purpose, Amounts]]]:
    """What runs occupied, by their ids; those of which that is known."""
    found = connection.execute(
        "select c.id, c.run from contexts c where c.run in (select value from json_each(?))",
        (json.dumps(list(runs)),),
    )
    ids = dict(found.fetchall())
    yield from ((ids[id], used) for id, used in _of_contexts(connection, list(ids)))


def _of_contexts(
    connection: sqlite3.Connection, ids: Sequence[int]
) -> Iterator[tuple[int, dict[Purpose, Amounts]]]:
    """What runs occupied, by their numbers in the index, in that order."""
    parts: dict[int, dict[Purpose, list[tuple[str, float]]]] = {id: {} for id in ids}
    rows = connection.execute(
        "select context, purpose, resource, hours from amounts where context in (select value from json_each(?))",
        (json.dumps(list(ids)),),
    )
    for id, purpose, resource, hours in rows:
        parts[id].setdefault(Purpose(purpose), []).append((resource, hours))
    for id, by_purpose in parts.items():
        if by_purpose:
            yield id, {purpose: _amounts(some) for purpose, some in by_purpose.items()}


def _amounts(rows: Sequence[tuple[str, float]]) -> Amounts:
    plain: dict[str, Any] = {name: hours for name, hours in rows if not name.startswith(GPU)}
    unknown = int(plain.pop(UNKNOWN, 0))
    gpus = {name.removeprefix(GPU): hours for name, hours in rows if name.startswith(GPU)}
    return Amounts(**plain, gpus=gpus, unknown=unknown)
