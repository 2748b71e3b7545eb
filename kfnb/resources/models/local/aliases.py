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


def move(connection: sqlite3.Connection, request: AliasMove) -> AliasChange:
    """Move an alias, in a transaction. Raises ``Conflict``, or ``UsageError`` if one is removed that does not exist."""
    known = dict(connection.execute("select alias, version from aliases where model = ?", (request.key,)))
    now = known.get(request.alias)
    if now is None and request.to is None and request.expected is None:
        raise UsageError(
            f"{request.model} has no alias {request.alias}",
            code="not-found",
            hint=did_you_mean(request.alias, known),
            ref=f"{request.model}@{request.alias}",
        )
    if now == request.to and now == request.expected:
        return next(
            one for one in history_of(connection, request.model, request.key) if one.alias == request.alias
        )
    if now != request.expected:
        raise _conflict(connection, request, now)
    return _moved(connection, request, now)


def _moved(connection: sqlite3.Connection, request: AliasMove, now: int | None) -> AliasChange:
    change = AliasChange(
        request.model, request.alias, now, request.to, request.by, time.time(), request.because
    )
    if request.to is None:
        connection.execute("delete from aliases where model = ? and alias = ?", (request.key, request.alias))
    else:
        connection.execute(
            "insert into aliases values (?, ?, ?) on conflict (model, alias) do update set version = excluded.version",
            (request.key, request.alias, request.to),
        )
    connection.execute(
        """insert into alias_history (model, alias, from_version, to_version, by, at, because)
            values (?, ?, ?, ?, ?, ?, ?)""",
        (request.key, request.alias, now, request.to, request.by, change.at, request.because),
    )
    return change


def _conflict(connection: sqlite3.Connection, request: AliasMove, now: int | None) -> Conflict:
    """The error of the second of two who move an alias at once."""
    history = history_of(connection, request.model, request.key)
    last = next((one for one in history if one.alias == request.alias), None)
    ref = f"{request.model}@{request.alias}"
    expected = f"version {request.expected}" if request.expected is not None else "no version"
    if last is None:
        return Conflict(
            f"{request.model} has no alias {request.alias}, which was expected to name {expected}", ref=ref
        )
    what = f"moved {ref} to version {now}" if now is not None else f"removed {ref}"
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(last.at))
    because = f" because {last.because!r}" if last.because else ""
    message = (
        f"{last.by} {what} at {when}{because}; it was expected to name {expected}, and nothing was changed"
    )
    return Conflict(message, ref=ref)
