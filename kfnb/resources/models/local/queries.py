"""What is looked up in ``registry.db``: models by name, versions by a query, the aliases of each."""

from __future__ import annotations

import sqlite3
from typing import Any

from kfnb.errors import UsageError, did_you_mean
from kfnb.resources.models.engine import VersionQuery
from kfnb.resources.models.local.records import COLUMNS, outlines
from kfnb.resources.models.model import AliasChange, VersionSnapshot
from kfnb.resources.models.moves import kind_of

_MOST_NAMED = 5


def model_id(connection: sqlite3.Connection, name: str) -> int:
    """The key of a model. Raises ``UsageError`` with a similar name."""
    row = connection.execute("select id from models where name = ?", (name,)).fetchone()
    if row is None:
        known = [one for (one,) in connection.execute("select name from models")]
        hint = did_you_mean(name, known, "" if known else "no model is registered yet")
        raise UsageError(f"unknown model {name}", code="not-found", hint=hint, ref=name)
    return int(row[0])


def outlines_of(
    connection: sqlite3.Connection, query: VersionQuery
) -> tuple[list[VersionSnapshot], list[str]]:
    """The versions that a query chooses, newest first, and the JSON of their records, empty in an outline."""
    key = model_id(connection, query.name) if query.name else None
    where, values = _where(query, key)
    record = "''" if query.outline else "v.record"
    text = (
        f"select {COLUMNS}, {record} from versions v join models m on m.id = v.model where {where}"  # noqa: S608 - own words
        " order by v.created desc, v.model, v.version desc"
    )
    rows = connection.execute(text, values).fetchall()
    return outlines(rows, aliases_of(connection, key)), [row[-1] for row in rows]


def outline_of(connection: sqlite3.Connection, model: str, version: int) -> tuple[VersionSnapshot, str]:
    """One version without its record, and the record. Raises ``UsageError``."""
    key = model_id(connection, model)
    query = (
        f"select {COLUMNS}, v.record from versions v join models m on m.id = v.model"  # noqa: S608 - own words
        " where m.id = ? and v.version = ?"
    )
    rows = connection.execute(query, (key, version)).fetchall()
    if not rows:
        known = connection.execute("select version from versions where model = ? order by version", (key,))
        raise _unknown_version(model, version, [number for (number,) in known])
    return outlines(rows, aliases_of(connection, key))[0], rows[0][-1]


def newest_of(connection: sqlite3.Connection, model: str) -> int | None:
    """The number of the newest version that is not archived. Raises ``UsageError`` for an unknown model."""
    query = """select max(v.version) from versions v join models m on m.id = v.model
        where m.id = ? and v.state = 'LIVE' and m.state = 'LIVE'"""
    found = connection.execute(query, (model_id(connection, model),)).fetchone()[0]
    return None if found is None else int(found)


def number_of(connection: sqlite3.Connection, model: str, digest: str) -> int | None:
    """The number of the version with this content, if there is one."""
    query = """select v.version from versions v join models m on m.id = v.model
        where m.name = ? and v.digest = ?"""
    found = connection.execute(query, (model, digest)).fetchone()
    return None if found is None else int(found[0])


def _unknown_version(model: str, version: int, known: list[int]) -> UsageError:
    named = ", ".join(map(str, known[-_MOST_NAMED:]))
    hint = f"{model} has {'..., ' if len(known) > _MOST_NAMED else ''}{named}"
    return UsageError(
        f"unknown version {model}@{version}", code="not-found", hint=hint, ref=f"{model}@{version}"
    )


_OF_DATA = """((v.metrics_data = ? or exists (select 1 from json_each(v.data) where value = ?)
        or exists (select 1 from json_each(v.others) where key = ?))
    and not exists (select 1 from json_each(v.data_digests) d where d.key = ? and ? not in ('', d.value))
    or exists (select 1 from json_each(v.data_digests) d where d.value = ?))"""
"""Versions of the data that a query names: by the digest, or by the reference where no digest is recorded."""


def _where(query: VersionQuery, key: int | None) -> tuple[str, list[Any]]:
    """The condition of a query in SQL, and its values."""
    tag, _, value = query.tag.partition("=")
    tagged = "exists (select 1 from json_each(v.tags) t where t.key = ? and (? = '' or t.value = ?))"
    conditions: list[tuple[str, tuple[Any, ...]]] = [
        ("v.model = ?", (key,)),
        ("v.owner = ?", (query.owner,)),
        ("v.created >= ?", (query.since,)),
        (_OF_DATA, (query.data, query.data, query.data, query.data, query.data_digest, query.data_digest)),
        ("json_extract(v.record, '$.source.group') = ?", (query.namespace,)),
        (
            "exists (select 1 from aliases a where a.model = v.model and a.version = v.version and a.alias = ?)",
            (query.alias,),
        ),
        (tagged, (tag, value, value)),
    ]
    chosen = [(text, values) for text, values in conditions if values[0] not in ("", None)]
    state = "1" if query.archived else "v.state = 'LIVE' and m.state = 'LIVE'"
    return " and ".join([*(text for text, _ in chosen), state]), [
        one for _, values in chosen for one in values
    ]


def aliases_of(
    connection: sqlite3.Connection, model: int | None = None
) -> dict[str, dict[int, tuple[str, ...]]]:
    """By model and version: its aliases, by name."""
    found: dict[str, dict[int, tuple[str, ...]]] = {}
    query = """select m.name, a.version, a.alias from aliases a join models m on m.id = a.model
        where ? is null or m.id = ? order by a.alias"""
    for name, version, alias in connection.execute(query, (model, model)):
        versions = found.setdefault(name, {})
        versions[version] = (*versions.get(version, ()), alias)
    return found


def history_of(connection: sqlite3.Connection, model: str, key: int) -> list[AliasChange]:
    """All changes of a model's aliases, newest first."""
    query = """select alias, from_version, to_version, by, at, because, kind from alias_history
        where model = ? order by id desc"""
    return [
        AliasChange(model, alias, before, to, by, at, because, kind_of(kind, because))
        for alias, before, to, by, at, because, kind in connection.execute(query, (key,))
    ]
