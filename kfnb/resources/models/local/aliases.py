"""Aliases are moved, and each move is appended to their history."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from kfnb.errors import Conflict, UsageError, did_you_mean
from kfnb.resources.models.local.queries import history_of
from kfnb.resources.models.model import AliasChange


@dataclass(frozen=True)
class AliasMove:
    """An alias of the model with that key is to name the version ``to``, where the caller saw it name ``expected``."""

    model: str
    key: int
    alias: str
    to: int | None
    expected: int | None
    by: str
    because: str


def move(connection: sqlite3.Connection, wanted: AliasMove) -> AliasChange:
    """Move an alias, in a transaction. Raises ``Conflict``, or ``UsageError`` if one is removed that does not exist."""
    known = dict(connection.execute("select alias, version from aliases where model = ?", (wanted.key,)))
    now = known.get(wanted.alias)
    if now is None and wanted.to is None and wanted.expected is None:
        raise UsageError(
            f"{wanted.model} has no alias {wanted.alias}",
            code="not-found",
            hint=did_you_mean(wanted.alias, known),
            ref=f"{wanted.model}@{wanted.alias}",
        )
    if now == wanted.to and now == wanted.expected:
        return next(
            one for one in history_of(connection, wanted.model, wanted.key) if one.alias == wanted.alias
        )
    if now != wanted.expected:
        raise _conflict(connection, wanted, now)
    return _moved(connection, wanted, now)


def _moved(connection: sqlite3.Connection, wanted: AliasMove, now: int | None) -> AliasChange:
    change = AliasChange(wanted.model, wanted.alias, now, wanted.to, wanted.by, time.time(), wanted.because)
    if wanted.to is None:
        connection.execute("delete from aliases where model = ? and alias = ?", (wanted.key, wanted.alias))
    else:
        connection.execute(
            "insert into aliases values (?, ?, ?) on conflict (model, alias) do update set version = excluded.version",
            (wanted.key, wanted.alias, wanted.to),
        )
    connection.execute(
        """insert into alias_history (model, alias, from_version, to_version, by, at, because)
            values (?, ?, ?, ?, ?, ?, ?)""",
        (wanted.key, wanted.alias, now, wanted.to, wanted.by, change.at, wanted.because),
    )
    return change


def _conflict(connection: sqlite3.Connection, wanted: AliasMove, now: int | None) -> Conflict:
    """The error of the second of two who move an alias at once."""
    history = history_of(connection, wanted.model, wanted.key)
    last = next((one for one in history if one.alias == wanted.alias), None)
    ref = f"{wanted.model}@{wanted.alias}"
    expected = f"version {wanted.expected}" if wanted.expected is not None else "no version"
    if last is None:
        return Conflict(
            f"{wanted.model} has no alias {wanted.alias}, which was expected to name {expected}", ref=ref
        )
    what = f"moved {ref} to version {now}" if now is not None else f"removed {ref}"
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(last.at))
    because = f" because {last.because!r}" if last.because else ""
    message = (
        f"{last.by} {what} at {when}{because}; it was expected to name {expected}, and nothing was changed"
    )
    return Conflict(message, ref=ref)
