"""The tables of the index, in ML Metadata's words: contexts, executions, artifacts, and the events between them."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kfnb.catalog.database import Schema
from kfnb.catalog.records import RUN, ArtifactRecord, Reading, RunContext, TaskExecution
from kfnb.entities import Amounts

# the executions and the artifacts of a unit have numbers in a row, so that no table needs an index to forget a unit
_STATEMENTS = """
create table units (
    id integer primary key, source text not null, unit text not null, stamp text not null,
    executions integer not null, executions_end integer not null,
    artifacts integer not null, artifacts_end integer not null,
    unique (source, unit)
);
create table contexts (
    id integer primary key references units, type text not null, run text not null, name text not null,
    pipeline text not null, backend text not null, state text not null, created real, finished real
);
create index contexts_run on contexts (run);
create table executions (
    id integer primary key, context integer not null, name text not null, state text not null,
    started real, finished real, cached integer not null, error text not null, parameters text not null
);
create table artifacts (
    id integer primary key, name text not null, type text not null, uri text not null, digest text not null,
    content blob not null, properties text not null
);
create index artifacts_content on artifacts (content);
create table events (
    execution integer not null, output integer not null, artifact integer not null, name text not null,
    primary key (execution, output, artifact, name)
) without rowid;
create index events_artifact on events (artifact, output);
create table names (name text not null, artifact integer not null, primary key (name, artifact)) without rowid;
create index names_artifact on names (artifact);
create table same (
    content blob not null, as_content blob not null, artifact integer not null,
    primary key (content, as_content, artifact)
) without rowid;
create index same_as on same (as_content);
create index same_artifact on same (artifact);
create table made (run text not null, task text not null, artifact integer not null);
create index made_run on made (run, task);
create index made_artifact on made (artifact);
create table derived (artifact integer not null, name text not null, primary key (artifact, name)) without rowid;
create index derived_name on derived (name);
"""

_FORMER = ("units", "contexts", "executions", "artifacts", "events", "names", "same", "made", "derived")
_TABLES = (*_FORMER, "amounts")

# keys of contents tell a digest from an address, and data is named with its digest; all is read again
_BY_DIGEST = (
    *(f"delete from {table}" for table in _FORMER),  # noqa: S608 - a name from kfnb
    "drop table derived",
    """create table derived (
        artifact integer not null, name text not null, content blob, primary key (artifact, name)
    ) without rowid""",
    "create index derived_name on derived (name)",
    "create index derived_content on derived (content)",
)

# what runs occupied, for their costs; all is read again
_OCCUPIED = (
    *(f"delete from {table}" for table in _FORMER),  # noqa: S608 - a name from kfnb
    "alter table contexts add column experiment text not null default ''",
    "alter table contexts add column owner text not null default ''",
    """create table amounts (
        context integer not null, purpose text not null, resource text not null, hours real not null,
        primary key (context, purpose, resource)
    ) without rowid""",
    "create index contexts_finished on contexts (finished)",
)

SCHEMA = Schema(
    "the index of lineage",
    {1: [one for one in _STATEMENTS.split(";") if one.strip()], 2: _BY_DIGEST, 3: _OCCUPIED},
)

GPU, UNKNOWN = "gpu:", "unknown"
"""Resources beside cores, memory and storage: the GPUs of a model; how many attempts have no record."""

_LONGEST = 2000
"""Characters of an artifact's properties that the index keeps."""


_ENCODER = json.JSONEncoder(default=str)
"""``json.dumps`` with options makes an encoder for each call, which takes longer than to encode a few values."""

_DIGEST, _ADDRESS = b"#", b"@"
"""The first byte of a key: what follows is the bytes of a sha256, or the text of an address."""
_SHA256 = re.compile("[0-9a-f]{64}")


def content_key(text: str) -> bytes:
    """A digest or an address as the index has it."""
    if _SHA256.fullmatch(text):
        return _DIGEST + bytes.fromhex(text)
    return _ADDRESS + text.encode(errors="surrogatepass")


def digest_range(start: str) -> tuple[bytes, bytes]:
    """The first and the last key of the digests that begin with hexadecimal digits."""
    return content_key(start.ljust(64, "0")), content_key(start.ljust(64, "f"))


def content_text(key: bytes) -> str:
    """``sha256:DIGEST``, or the address of a key."""
    return f"sha256:{key[1:].hex()}" if key[:1] == _DIGEST else key[1:].decode(errors="replace")


def clear(connection: sqlite3.Connection) -> None:
    """Remove all that the tables have."""
    for table in _TABLES:
        connection.execute(f"delete from {table}")  # noqa: S608 - a name from kfnb


def forget(connection: sqlite3.Connection, source: str, units: Iterable[str]) -> None:
    """Remove units with all of their rows; of those that are not there, nothing."""
    known = connection.execute(
        """select id, executions, executions_end, artifacts, artifacts_end from units
            where source = ? and unit in (select value from json_each(?))""",
        (source, json.dumps(list(units))),
    ).fetchall()
    for id, *ends in known:
        _forget(connection, id, ends[:2], ends[2:])


def _forget(
    connection: sqlite3.Connection, id: int, executions: Sequence[int], artifacts: Sequence[int]
) -> None:
    connection.execute("delete from events where execution >= ? and execution < ?", executions)
    connection.execute("delete from executions where id >= ? and id < ?", executions)
    for table in ("names", "same", "made", "derived"):
        connection.execute(f"delete from {table} where artifact >= ? and artifact < ?", artifacts)  # noqa: S608 - likewise
    connection.execute("delete from artifacts where id >= ? and id < ?", artifacts)
    connection.execute("delete from contexts where id = ?", (id,))
    connection.execute("delete from amounts where context = ?", (id,))
    connection.execute("delete from units where id = ?", (id,))


class IndexRows:
    """The rows of some units, gathered to be written at once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._unit, self._execution, self._artifact = (
            int(connection.execute(f"select coalesce(max(id), 0) + 1 from {table}").fetchone()[0])  # noqa: S608 - likewise
            for table in ("units", "executions", "artifacts")
        )
        self._rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _TABLES}

    def add(self, source: str, reading: Reading) -> None:
        """Add a unit."""
        trace, execution, artifact = reading.trace, self._execution, self._artifact
        self._execution += len(trace.executions)
        self._artifact += len(trace.artifacts)
        ends = (execution, self._execution, artifact, self._artifact)
        self._rows["units"].append((self._unit, source, reading.unit, reading.stamp, *ends))
        if trace.context is not None:
            run = trace.context
            facts = (run.id, run.name, run.pipeline, run.backend, run.state, run.created, run.finished)
            self._rows["contexts"].append((self._unit, RUN, *facts, run.experiment, run.owner))
            self._rows["amounts"] += ((self._unit, *row) for row in _of_amounts(run))
        executions = self._rows["executions"]
        for number, one in enumerate(trace.executions, start=execution):
            executions.append((number, self._unit, *_of_execution(one)))
        for number, record in enumerate(trace.artifacts, start=artifact):
            # what has neither a digest nor an address is the same as nothing else
            alone = f"{source}/{reading.unit}/{number - artifact}"
            self._add_artifact(number, record, alone)
        self._rows["events"] += {
            (execution + use.execution, int(use.output), artifact + use.artifact, use.name)
            for use in trace.uses
        }
        self._unit += 1

    def _add_artifact(self, id: int, one: ArtifactRecord, alone: str) -> None:
        first, *further = map(content_key, one.contents or (alone,))
        row = (id, one.name, one.type, one.uri, one.digest, first, _json(one.properties))
        self._rows["artifacts"].append(row)
        self._rows["names"] += ((name, id) for name in dict.fromkeys(one.names))
        self._rows["same"] += ((content, first, id) for content in dict.fromkeys(further))
        self._rows["derived"] += (
            (id, name, content_key(digest) if digest else None) for name, digest in one.of.items()
        )
        if one.run:
            self._rows["made"].append((one.run, one.task, id))

    def write(self) -> None:
        """Write them all, in the transaction that is open."""
        for table, rows in self._rows.items():
            if rows:
                marks = ",".join("?" * len(rows[0]))
                self._connection.executemany(f"insert into {table} values ({marks})", rows)  # noqa: S608 - likewise


def _of_amounts(run: RunContext) -> Iterator[tuple[str, str, float]]:
    """What a run occupied: purpose, resource and hours; a purpose for which nothing was is a row too."""
    for purpose, amounts in run.used.items():
        found = [(name, hours) for name, hours in _resources(amounts) if hours]
        yield from ((str(purpose), *row) for row in found or [("cores", 0.0)])


def _resources(amounts: Amounts) -> Iterator[tuple[str, float]]:
    yield "cores", amounts.cores
    yield "memory", amounts.memory
    yield "storage", amounts.storage
    yield UNKNOWN, float(amounts.unknown)
    yield from ((f"{GPU}{model}", hours) for model, hours in amounts.gpus.items())


def _of_execution(one: TaskExecution) -> Iterable[Any]:
    parameters = _json(one.parameters)
    return one.name, one.state, one.started, one.finished, int(one.cached), one.error, parameters


def _json(values: Mapping[str, Any]) -> str:
    """Properties as JSON; without long values, which the records still have."""
    if not values:
        return "{}"
    text = _ENCODER.encode(values)
    if len(text) <= _LONGEST:
        return text
    short = {name: value for name, value in values.items() if len(_ENCODER.encode(value)) <= _LONGEST // 20}
    return _ENCODER.encode(short)
