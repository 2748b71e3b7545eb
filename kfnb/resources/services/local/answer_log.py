"""The predictions that a service answered lately, by request: what labels that come later are compared with.

They are in ``answers.db`` of the service's folder, without the rows that were asked about. The oldest are dropped.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kfnb.catalog.database import Database, Schema
from kfnb.diagnostics import logger
from kfnb.errors import BackendError
from kfnb.resources.services.local.predictions import UNREADABLE, predictions_in
from kfnb.server.headers import REQUEST_ID
from kfnb.server.http_messages import JSON, HttpResponse

_logger = logger(__package__)

MOST_ANSWERS, MOST_BYTES = 200_000, 64_000_000
"""Answers that are kept, and their bytes."""
WRITTEN_WITHIN = 0.5
"""Seconds after which an answer is usually in the database."""
_PERIOD = 0.25
_LARGEST, _MOST_PENDING = 1_000_000, 8_000_000
"""Bytes of an answer, and of those that wait to be written; others are not kept."""
_DROPPED_AT_ONCE = 20
"""When there are too many, the oldest one in this number is dropped."""
_ASKED_AT_ONCE = 500

_SCHEMA = Schema(
    "the answers of a service",
    {
        1: (
            """create table answers (
                seq integer primary key, at real not null, id text not null, revision integer not null,
                encoding text not null, body blob not null
            )""",
            "create unique index answers_id on answers (id, revision)",
        )
    },
)
_DROP = "delete from answers where seq in (select seq from answers order by seq limit ?)"
_INSERT = "insert or replace into answers (at, id, revision, encoding, body) values (?, ?, ?, ?, ?)"

_Row = tuple[float, str, int, str, bytes]

Answered = Mapping[int, list[Any]]
"""What each revision predicted for a request, by row. A shadow and another revision answered the same one."""


def answers_in(folder: Path) -> Database:
    """The database of the service in ``folder``."""
    return Database(folder / "answers.db", _SCHEMA)


def answered(folder: Path, ids: Sequence[str]) -> dict[str, Answered]:
    """The predictions for requests, by id; without those that are unknown or dropped. Raises ``BackendError``."""
    if not (folder / "answers.db").exists():
        return {}
    found: dict[str, dict[int, list[Any]]] = {}
    with answers_in(folder).reading() as connection:
        for start in range(0, len(ids), _ASKED_AT_ONCE):
            some = ids[start : start + _ASKED_AT_ONCE]
            marks = ", ".join("?" * len(some))
            query = f"select id, revision, encoding, body from answers where id in ({marks})"  # noqa: S608 - marks
            for request, revision, encoding, body in connection.execute(query, some):
                try:
                    found.setdefault(request, {})[revision] = predictions_in(body, encoding)
                except UNREADABLE:  # tensors in binary
                    continue
    return {request: some for request, some in found.items() if some}


class AnswerLog:
    """Keeps answers in the database of ``folder``, a few times a second. A full disk loses them, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pending: list[_Row] = []
        self._pending_bytes = 0
        self._kept: tuple[int, int] | None = None
        """Answers in the database and their bytes; None before they were counted."""
        self._thread = ThreadPoolExecutor(1, "answers")
        self._writing: asyncio.Task[None] | None = None

    def keep(self, revision: int, response: HttpResponse) -> None:
        """Keep the predictions that a revision answered, unless they are very large or too many wait."""
        request, size = response.headers.get(REQUEST_ID, ""), len(response.body)
        if not request or not response.content_type.startswith(JSON) or size > _LARGEST:
            return
        if self._pending_bytes + size > _MOST_PENDING:
            return
        encoding = response.headers.get("content-encoding", "")
        self._pending.append((time.time(), request, revision, encoding, response.body))
        self._pending_bytes += size
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def close(self) -> None:
        """Write what waits."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.wait({self._writing})
        if self._pending:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._store, self._taken())

    async def _write(self) -> None:
        """Write what comes within a moment, and what came meanwhile."""
        loop = asyncio.get_running_loop()
        try:
            while self._pending:
                await asyncio.sleep(_PERIOD)
                await loop.run_in_executor(self._thread, self._store, self._taken())
        finally:
            self._writing = None

    def _taken(self) -> list[_Row]:
        taken, self._pending, self._pending_bytes = self._pending, [], 0
        return taken

    def _store(self, answers: list[_Row]) -> None:
        """Write answers, in the writing thread."""
        try:
            with answers_in(self._folder).writing() as connection:
                connection.executemany(_INSERT, answers)
                self._kept = self._kept and (
                    self._kept[0] + len(answers),
                    self._kept[1] + sum(len(one[-1]) for one in answers),
                )
                self._kept = self._kept or _counted(connection)
                while self._kept[0] > MOST_ANSWERS or self._kept[1] > MOST_BYTES:
                    connection.execute(_DROP, [-(-self._kept[0] // _DROPPED_AT_ONCE)])
                    self._kept = _counted(connection)
        except BackendError as error:
            self._kept = None
            _logger.warning("%d answers are not kept: %s", len(answers), error)


def _counted(connection: sqlite3.Connection) -> tuple[int, int]:
    """How many answers there are, and their bytes."""
    count, size = connection.execute("select count(*), sum(length(body)) from answers").fetchone()
    return count, size or 0
