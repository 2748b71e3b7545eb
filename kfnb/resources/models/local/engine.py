"""``LocalRegistry``: the protocol ``ModelRegistry`` on SQLite and model folders, in a folder that a team may share."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from kfnb.catalog.database import Database
from kfnb.errors import BackendError
from kfnb.resources.models.checks import check_alias, check_draft
from kfnb.resources.models.engine import VersionQuery
from kfnb.resources.models.local.aliases import write_move
from kfnb.resources.models.local.folders import ModelFolders, StoredFolder, remove
from kfnb.resources.models.local.queries import (
    aliases_of,
    history_of,
    model_id,
    newest_of,
    number_of,
    outline_of,
    outlines_of,
)
from kfnb.resources.models.local.records import by_alias, record_of, with_record
from kfnb.resources.models.local.schema import FILE, SCHEMA
from kfnb.resources.models.measurements import with_measurements
from kfnb.resources.models.model import AliasChange, ModelState, RegisteredModel, VersionSnapshot
from kfnb.resources.models.moves import AliasMove, check_live, check_unnamed

_INSERT = """insert into versions (model, version, digest, format, size, state, metrics, metrics_data, data, tags,
    owner, created, description, run, record, others, data_digests)
    values (?, ?, ?, ?, ?, 'LIVE', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

GRACE = 3600.0
"""Seconds for which a folder that no version refers to is kept: a registration may be about to refer to it."""


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
            aliases = aliases_of(connection)
            rows = connection.execute(query, (archived,)).fetchall()
        return [
            RegisteredModel(
                name,
                description,
                owner,
                created,
                ModelState(state),
                versions,
                by_alias(aliases.get(name, {})),
            )
            for name, description, owner, created, state, versions in rows
        ]

    def versions(self, query: VersionQuery) -> list[VersionSnapshot]:
        """The versions that a query chooses, newest first. Raises ``UsageError`` for an unknown model."""
        with self._database.reading() as connection:
            found, records = outlines_of(connection, query)
        if query.outline:
            return found
        return [self._whole(outline, record) for outline, record in zip(found, records, strict=True)]

    def version(self, model: str, version: int) -> VersionSnapshot:
        """One version. Raises ``UsageError`` for an unknown one."""
        with self._database.reading() as connection:
            return self._version(connection, model, version)

    def newest(self, model: str) -> VersionSnapshot | None:
        """The version with the highest number that is not archived."""
        with self._database.reading() as connection:
            number = newest_of(connection, model)
            return None if number is None else self._version(connection, model, number)

    def by_digest(self, model: str, digest: str) -> VersionSnapshot | None:
        """The version with this content, if there is one."""
        with self._database.reading() as connection:
            number = number_of(connection, model, digest)
            return None if number is None else self._version(connection, model, number)

    def aliases(self, model: str) -> dict[str, int]:
        """The aliases of a model, each with the version that it names."""
        with self._database.reading() as connection:
            return by_alias(aliases_of(connection, model_id(connection, model)).get(model, {}))

    def history(self, model: str) -> list[AliasChange]:
        """All changes of the model's aliases, newest first."""
        with self._database.reading() as connection:
            return history_of(connection, model, model_id(connection, model))

    def stamp(self) -> str:
        """When the files of the database were written, and their sizes."""
        return self._database.stamp()

    def download(self, version: VersionSnapshot) -> Path:
        """The model folder, verified."""
        return self._folders.verify(version.digest)

    def problem(self, version: VersionSnapshot) -> str:
        """What is wrong with the model folder."""
        return self._folders.problem(version.digest)

    def _version(self, connection: sqlite3.Connection, model: str, version: int) -> VersionSnapshot:
        return self._whole(*outline_of(connection, model, version))

    def _whole(self, outline: VersionSnapshot, record: str) -> VersionSnapshot:
        return with_record(outline, record, str(self._folders.path(outline.digest)))

    # -- writing ----------------------------------------------------------------------------------------------

    def register(self, draft: VersionSnapshot, folder: Path) -> VersionSnapshot:
        """Keep the model folder as a version. Content that the model has already is the same version."""
        check_draft(draft)
        self._folders.keep(folder, draft.digest)  # first: a record never names a folder that is not there
        with self._database.writing() as connection:
            key = _model_for(connection, draft)
            known = number_of(connection, draft.name, draft.digest)
            number = _insert(connection, key, draft) if known is None else known
            if known is not None:
                _add(connection, key, self._version(connection, draft.name, number), draft)
            if not self._folders.path(draft.digest).is_dir():  # a cleaning has just removed it
                self._folders.keep(folder, draft.digest)
            return self._version(connection, draft.name, number)

    def move_alias(self, move: AliasMove) -> AliasChange:
        """See ``ModelRegistry``."""
        if move.to is not None:
            check_alias(move.alias)
        with self._database.writing() as connection:
            if move.to is not None:
                check_live(outline_of(connection, move.model, move.to)[0])
            return write_move(connection, model_id(connection, move.model), move)

    def set_state(self, model: str, version: int, state: ModelState) -> None:
        """Archive a version, or restore it. Raises ``UsageError`` for one that has an alias."""
        with self._database.writing() as connection:
            found = self._version(connection, model, version)
            if state is ModelState.ARCHIVED:
                check_unnamed(found)
            connection.execute(
                "update versions set state = ? where model = ? and version = ?",
                (str(state), model_id(connection, model), version),
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
                    model_id(connection, model),
                    version,
                ),
            )

    # -- care -------------------------------------------------------------------------------------------------

    def unused(self, grace: float = GRACE) -> list[StoredFolder]:
        """The folders that no version refers to, and drafts, to which nothing was written for ``grace`` seconds."""
        left = [*self._folders.left(time.time() - grace)]
        with self._database.reading() as connection:
            used = _digests(connection)
        return [one for one in left if one.digest not in used]

    def remove(self, folders: Iterable[StoredFolder]) -> int:
        """Remove folders that ``unused`` found, unless a version refers to one by now; the bytes that were freed."""
        with self._database.writing() as connection:  # no registration takes one of them meanwhile
            used = _digests(connection)
            unused = [one for one in folders if one.digest not in used and one.path.is_dir()]
            aside = [(one, self._put_aside(one)) for one in unused]
        return sum(one.size for one, place in aside if remove(place))

    def _put_aside(self, folder: StoredFolder) -> Path:
        try:
            return self._folders.put_aside(folder.path)
        except OSError as error:
            message = f"{folder.path} cannot be removed: {error.strerror or error}"
            raise BackendError(message, code="forbidden", ref=str(folder.path)) from None


# -- within a transaction ---------------------------------------------------------------------------------------


def _digests(connection: sqlite3.Connection) -> set[str]:
    """The digests of all model folders that versions refer to."""
    return {digest for (digest,) in connection.execute("select distinct digest from versions")}


def _model_for(connection: sqlite3.Connection, draft: VersionSnapshot) -> int:
    """The key of a draft's model, which is created if it is new and restored if it was archived."""
    connection.execute(
        "insert into models (name, owner, created) values (?, ?, ?) on conflict (name) do update set state = 'LIVE'",
        (draft.name, draft.owner, time.time()),
    )
    return model_id(connection, draft.name)


def _insert(connection: sqlite3.Connection, model: int, draft: VersionSnapshot) -> int:
    """Add a version and return its number."""
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
            _json(draft.others),
            json.dumps(dict(draft.data_digests)),
        ),
    )
    return number


def _add(connection: sqlite3.Connection, model: int, kept: VersionSnapshot, draft: VersionSnapshot) -> None:
    """Give a version that is registered again its new measurements, and what it did not have: tags, a description."""
    found = with_measurements(kept, draft)
    connection.execute(
        """update versions set metrics = ?, metrics_data = ?, others = ?, data_digests = ?, data = ?, tags = ?,
            description = ?, state = 'LIVE' where model = ? and version = ?""",
        (
            json.dumps(dict(found.metrics)),
            found.metrics_data,
            _json(found.others),
            json.dumps(dict(found.data_digests)),
            json.dumps(list(dict.fromkeys([*kept.data, *draft.data]))),
            json.dumps({**draft.tags, **kept.tags}),
            kept.description or draft.description,
            model,
            kept.version,
        ),
    )


def _json(others: Mapping[str, Mapping[str, float]]) -> str:
    return json.dumps({data: dict(metrics) for data, metrics in others.items()})
