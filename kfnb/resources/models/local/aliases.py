"""Aliases are moved, and each move is appended to their history."""

from __future__ import annotations

import sqlite3

from kfnb.resources.models.local.queries import history_of
from kfnb.resources.models.model import AliasChange
from kfnb.resources.models.moves import AliasMove, check_move


def write_move(connection: sqlite3.Connection, key: int, request: AliasMove) -> AliasChange:
    """Move an alias of the model with the key ``key``, in a transaction. Raises ``Conflict``, ``UsageError``."""
    known = dict(connection.execute("select alias, version from aliases where model = ?", (key,)))
    history = history_of(connection, request.model, key)
    last = next((one for one in history if one.alias == request.alias), None)
    check_move(request, last, known)
    if last is not None and last.to_version == request.to:
        return last
    change = request.change(last.to_version if last else None)
    _append(connection, key, change)
    return change


def _append(connection: sqlite3.Connection, key: int, change: AliasChange) -> None:
    if change.to_version is None:
        connection.execute("delete from aliases where model = ? and alias = ?", (key, change.alias))
    else:
        connection.execute(
            "insert into aliases values (?, ?, ?) on conflict (model, alias) do update set version = excluded.version",
            (key, change.alias, change.to_version),
        )
    connection.execute(
        """insert into alias_history (model, alias, from_version, to_version, by, at, because, kind)
            values (?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            key,
            change.alias,
            change.from_version,
            change.to_version,
            change.by,
            change.at,
            change.because,
            str(change.kind),
        ),
    )
