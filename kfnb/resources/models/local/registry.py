"""``LocalRegistry``: the protocol ``ModelRegistry`` on SQLite and model folders, in a folder that a team may share."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from kfnb.catalog.database import Database
from kfnb.errors import Conflict, UsageError, did_you_mean
from kfnb.resources.models.digest import folder_digest
from kfnb.resources.models.engine import VersionQuery
from kfnb.resources.models.local.folders import ModelFolders
from kfnb.resources.models.local.records import COLUMNS, change_of, outlines, record_of, with_record
from kfnb.resources.models.local.schema import FILE, SCHEMA
from kfnb.resources.models.model import AliasChange, ModelState, RegisteredModel, VersionSnapshot

_INSERT = """insert into versions (model, version, digest, format, size, state, metrics, metrics_data, data, tags,
    owner, created, description, run, record) values (?, ?, ?, ?, ?, 'LIVE', ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


class LocalRegistry:
    """The registry in ``folder``."""

    name = "local"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._database = Database(folder / FILE, SCHEMA)
        self._folders = ModelFolders(folder / "models")

    # -- reading ----------------------------------------------------------------------------------------------

    def models(self, *, archived: bool = False) -> list[RegisteredModel]:
        """All registered models, by name."""
        query = """select name, description, owner, created, state,
            (select coalesce(max(version), 0) from versions v where v.model = m.id)
            from models m where ? or state = 'LIVE' order by name"""
        with self._database.reading() as connection:
            aliases = _aliases(connection)
            rows = connection.execute(query, (archived,)).fetchall()
        return [
            RegisteredModel(
                name, description, owner, created, ModelState(state), versions, aliases=_by_alias(aliases.get(name, {}))
            )
            for name, description, owner, created, state, versions in rows
        ]

    def versions(self, query: VersionQuery) -> list[VersionSnapshot]:
        """The versions that a query chooses, newest first."""
        where, values = _where(query)
        columns = COLUMNS if query.outline else f"{COLUMNS}, v.record"
        text = (
            f"select {columns} from versions v join models m on m.id = v.model where {where}"  # noqa: S608 - own words
            " order by v.created desc, v.model, v.version desc"
        )
        with self._database.reading() as connection:
            rows = connection.execute(text, values).fetchall()
            found = outlines(rows, _aliases(connection))
        if query.outline:
            return found
        return [
            with_record(outline, row[-1], str(self._folders.path(outline.digest)))
            for outline, row in zip(found, rows, strict=True)
        ]

    def version(self, model: str, version: int) -> VersionSnapshot:
        """One version. Raises ``UsageError`` for an unknown one."""
        with self._database.reading() as connection:
            return self._version(connection, model, version)

    def history(self, model: str) -> list[AliasChange]:
        """All changes of the model's aliases, newest first."""
        with self._database.reading() as connection:
            return self._history(connection, model, _model_id(connection, model))

    def download(self, version: VersionSnapshot) -> Path:
        """The model folder, verified."""
        return self._folders.verify(version.digest)

    # -- writing ----------------------------------------------------------------------------------------------

    def register(self, draft: VersionSnapshot, folder: Path) -> VersionSnapshot:
        """Keep the model folder as a version. Content that the model has already is the same version."""
        digest = folder_digest(folder)
        self._folders.keep(folder, digest)  # first: a record never names a folder that is not there
        with self._database.writing() as connection:
            model = _model_for(connection, draft)
            query = "select version from versions where model = ? and digest = ?"
            known = connection.execute(query, (model, digest)).fetchone()
            number = known[0] if known else self._insert(connection, model, replace(draft, digest=digest))
            if known:
                _add(connection, model, number, draft)
            return self._version(connection, draft.name, number)

    def _insert(self, connection: sqlite3.Connection, model: int, draft: VersionSnapshot) -> int:
        query = "select coalesce(max(version), 0) + 1 from versions where model = ?"
        number = int(connection.execute(query, (model,)).fetchone()[0])
        connection.execute(
            _INSERT,
            (
                model,
                number,
                draft.digest,
                draft.format,
                draft.size,
                json.dumps(dict(draft.metrics)),
                draft.metrics_data,
                json.dumps(list(draft.data)),
                json.dumps(dict(draft.tags)),
                draft.owner,
                draft.created or time.time(),
                draft.description,
                draft.source.id if draft.source.kind == "kfp" else "",
                record_of(draft),
            ),
        )
        return number

    def move_alias(
        self, model: str, alias: str, to: int | None, *, expected: int | None, by: str, because: str
    ) -> AliasChange:
        """Let an alias name the version ``to``; None removes it. Raises ``Conflict`` if it is not at ``expected``."""
        with self._database.writing() as connection:
            key = _model_id(connection, model)
            if to is not None:
                self._version(connection, model, to)
            row = connection.execute("select version from aliases where model = ? and alias = ?", (key, alias))
            now = next((int(version) for (version,) in row), None)
            if now == to and (to is not None or now != expected):
                return _newest(self._history(connection, model, key), alias)
            if now != expected:
                raise _moved(model, alias, now, expected, self._history(connection, model, key))
            if now is None and to is None:
                raise UsageError(f"{model} has no alias {alias}", ref=f"{model}@{alias}")
            return _move(connection, (model, key), alias, now, to, by, because)

    def set_state(self, model: str, version: int, state: ModelState) -> None:
        """Archive a version, or restore it."""
        with self._database.writing() as connection:
            found = self._version(connection, model, version)
            if state is ModelState.ARCHIVED and found.aliases:
                alias = found.aliases[0]
                raise UsageError(
                    f"{found.ref} has the alias {alias}:",
                    hint=f"move the alias first, or remove it: %kf_models promote {model}@N --alias {alias}",
                    ref=found.ref,
                )
            key = _model_id(connection, model)
            connection.execute(
                "update versions set state = ? where model = ? and version = ?", (str(state), key, version)
            )

    def annotate(
        self,
        model: str,
        version: int,
        *,
        description: str | None = None,
        tags: dict[str, str | None] | None = None,
    ) -> None:
        """Change a version's description, and set tags; a tag that is None is removed."""
        with self._database.writing() as connection:
            found = self._version(connection, model, version)
            kept = {**found.tags, **(tags or {})}
            connection.execute(
                "update versions set description = ?, tags = ? where model = ? and version = ?",
                (
                    found.description if description is None else description,
                    json.dumps({name: value for name, value in kept.items() if value is not None}),
                    _model_id(connection, model),
                    version,
                ),
            )

    # -- within a connection ----------------------------------------------------------------------------------

    def _version(self, connection: sqlite3.Connection, model: str, version: int) -> VersionSnapshot:
        key = _model_id(connection, model)
        query = f"select {COLUMNS}, v.record from versions v join models m on m.id = v.model where m.id = ? and v.version = ?"  # noqa: S608, E501 - own words
        rows = connection.execute(query, (key, version)).fetchall()
        if not rows:
            newest = connection.execute("select max(version) from versions where model = ?", (key,)).fetchone()[0]
            raise UsageError(
                f"{model} has no version {version}:", hint=f"its newest is {model}@{newest}", ref=f"{model}@{version}"
            )
        outline = outlines(rows, _aliases(connection, key))[0]
        return with_record(outline, rows[0][-1], str(self._folders.path(outline.digest)))

    @staticmethod
    def _history(connection: sqlite3.Connection, model: str, key: int) -> list[AliasChange]:
        query = """select ?, alias, from_version, to_version, by, at, because from alias_history
            where model = ? order by id desc"""
        return [change_of(row) for row in connection.execute(query, (model, key))]


def _where(query: VersionQuery) -> tuple[str, list[Any]]:
    """The condition of a query in SQL, and its values."""
    conditions = {
        "m.name = ?": query.name,
        "v.owner = ?": query.owner,
        "v.created >= ?": query.since,
        "exists (select 1 from json_each(v.data) where value = ?)": query.data,
        "exists (select 1 from aliases a where a.model = v.model and a.version = v.version and a.alias = ?)": query.alias,
    }
    chosen = {text: value for text, value in conditions.items() if value not in ("", None)}
    if query.tag:
        name, equals, value = query.tag.partition("=")
        chosen["exists (select 1 from json_each(v.tags) t where t.key = ? and (? = '' or t.value = ?))"] = (
            name,
            equals,
            value,
        )
    values = [one for value in chosen.values() for one in (value if isinstance(value, tuple) else (value,))]
    return " and ".join([*chosen, "1" if query.archived else "v.state = 'LIVE' and m.state = 'LIVE'"]), values


def _model_id(connection: sqlite3.Connection, name: str) -> int:
    """The key of a model. Raises ``UsageError`` with a similar name."""
    row = connection.execute("select id from models where name = ?", (name,)).fetchone()
    if row is None:
        known = [one for (one,) in connection.execute("select name from models")]
        hint = did_you_mean(name, known, "" if known else "no model is registered yet")
        raise UsageError(f"unknown model {name}", hint=hint, ref=name)
    return int(row[0])


def _model_for(connection: sqlite3.Connection, draft: VersionSnapshot) -> int:
    """The key of a draft's model, which is created if it is new and restored if it was archived."""
    connection.execute(
        "insert into models (name, owner, created) values (?, ?, ?) on conflict (name) do update set state = 'LIVE'",
        (draft.name, draft.owner, time.time()),
    )
    return _model_id(connection, draft.name)


def _add(connection: sqlite3.Connection, model: int, number: int, draft: VersionSnapshot) -> None:
    """Give a version that is registered again what it did not have: metrics, tags, data, a description."""
    query = "select metrics, metrics_data, data, tags, description from versions where model = ? and version = ?"
    metrics, metrics_data, data, tags, description = connection.execute(query, (model, number)).fetchone()
    connection.execute(
        """update versions set metrics = ?, metrics_data = ?, data = ?, tags = ?, description = ?, state = 'LIVE'
            where model = ? and version = ?""",
        (
            json.dumps({**draft.metrics, **json.loads(metrics)}),
            metrics_data or draft.metrics_data,
            json.dumps(list(dict.fromkeys([*json.loads(data), *draft.data]))),
            json.dumps({**draft.tags, **json.loads(tags)}),
            description or draft.description,
            model,
            number,
        ),
    )


def _aliases(connection: sqlite3.Connection, model: int | None = None) -> dict[str, dict[int, tuple[str, ...]]]:
    """By model and version: its aliases, by name."""
    found: dict[str, dict[int, tuple[str, ...]]] = {}
    query = "select m.name, a.version, a.alias from aliases a join models m on m.id = a.model where ? is null or m.id = ? order by a.alias"  # noqa: E501
    for name, version, alias in connection.execute(query, (model, model)):
        versions = found.setdefault(name, {})
        versions[version] = (*versions.get(version, ()), alias)
    return found


def _by_alias(versions: dict[int, tuple[str, ...]]) -> dict[str, int]:
    return dict(sorted((alias, version) for version, aliases in versions.items() for alias in aliases))


def _move(
    connection: sqlite3.Connection,
    model: tuple[str, int],
    alias: str,
    now: int | None,
    to: int | None,
    by: str,
    because: str,
) -> AliasChange:
    name, key = model
    change = AliasChange(name, alias, now, to, by, time.time(), because)
    if to is None:
        connection.execute("delete from aliases where model = ? and alias = ?", (key, alias))
    else:
        connection.execute(
            "insert into aliases values (?, ?, ?) on conflict (model, alias) do update set version = excluded.version",
            (key, alias, to),
        )
    connection.execute(
        "insert into alias_history (model, alias, from_version, to_version, by, at, because) values (?, ?, ?, ?, ?, ?, ?)",
        (key, alias, now, to, by, change.at, because),
    )
    return change


def _newest(history: Iterable[AliasChange], alias: str) -> AliasChange:
    return next(change for change in history if change.alias == alias)


def _moved(
    model: str, alias: str, now: int | None, expected: int | None, history: Iterable[AliasChange]
) -> Conflict:
    """The error of the second of two who move an alias at once."""
    last = next(_of(history, alias), None)
    where = f"names {model}@{now}" if now is not None else "was removed"
    before = f"not {model}@{expected}" if expected is not None else "and did not exist"
    told = f"alias {alias} {where}, {before}, when you read it"
    if last is not None:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(last.at))
        told = f"alias {alias} now {where}: {last.by} moved it at {at}" + (f" ({last.because})" if last.because else "")
    return Conflict(told, hint="look at it again, and repeat your change if it still holds", ref=f"{model}@{alias}")


def _of(history: Iterable[AliasChange], alias: str) -> Iterator[AliasChange]:
    return (change for change in history if change.alias == alias)
