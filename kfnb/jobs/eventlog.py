"""A job's events in SQLite: one database in the job's folder, one writer, any number of readers.

WAL mode lets readers read while the driver writes, and committed events survive a ``kill -9`` of it. Readers close the
connection after each use, so that a job's folder can be removed at any time. Reading needs no free disk space, although
SQLite would use some, so the events of a job can be read when the disk is full.

The database has a format number (``user_version``). A writer migrates an older database, each step in one
transaction with its record (table ``migrations``); one of a newer format is read as far as possible, never written.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kfnb.entities import RunState
from kfnb.errors import BackendError
from kfnb.jobs.fold import Event

FILE = "events.db"
FORMAT = 2
"""The format that this version writes. Databases of format 1 have no number."""

_MIGRATIONS: Mapping[int, str] = {
    1: """create table if not exists events (
        seq integer primary key, time real not null, kind text not null, task text not null, data text not null
    )""",
    # each poll reads the job's state, and many thousand events may follow the last change of state
    2: "create index states on events (seq) where kind = 'state' and task = ''",
}
_RECORD = "create table if not exists migrations (format integer primary key, time real not null)"
_INSERT = "insert into events (time, kind, task, data) values (?, ?, ?, ?)"
_FORGET = "delete from events where kind = ? and task = ? and seq < ?"
_STATES = frozenset(RunState)

Fact = tuple[str, str, Mapping[str, Any]]
"""An event to write: its kind, the part of the job that it is about, its data."""


class EventLog:
    """The events of the job whose folder this is. Every error of SQLite is raised as ``BackendError``."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        self._file = folder / FILE
        with _translated(self._file):
            if create:
                self._file.touch(mode=0o600)
            elif not self._file.is_file():
                raise BackendError(f"{self._file} no longer exists")
            self._connection = self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, isolation_level=None, timeout=10)
        try:
            connection.execute("pragma synchronous = normal")
            _check(connection, self._file)
            if _format(connection) < FORMAT:
                connection.execute("pragma journal_mode = wal")
                _migrate(connection)
        except (sqlite3.Error, BackendError):
            connection.close()
            raise
        return connection

    def append(self, facts: Iterable[Fact]) -> None:
        """Write some events, all or none of them."""
        now = time.time()
        rows = [(now, kind, task, json.dumps(data)) for kind, task, data in facts]
        with _translated(self._file), _transaction(self._connection):
            self._connection.executemany(_INSERT, rows)

    def replace(self, facts: Iterable[Fact]) -> None:
        """Write some events, each in the place of earlier ones of its kind and part: the log does not grow by them.

        They are for what only the last of them shows, such as counters.
        """
        now = time.time()
        with _translated(self._file), _transaction(self._connection):
            for kind, task, data in facts:
                # written first: a number that a reader has seen must not be given again
                new = self._connection.execute(_INSERT, (now, kind, task, json.dumps(data))).lastrowid
                self._connection.execute(_FORGET, (kind, task, new))

    def end_part(self, fact: Fact) -> None:
        """Write the last event of a part of the job, in the place of all earlier ones of that part."""
        kind, task, data = fact
        with _translated(self._file), _transaction(self._connection):
            row = (time.time(), kind, task, json.dumps(data))
            new = self._connection.execute(_INSERT, row).lastrowid
            self._connection.execute("delete from events where task = ? and seq < ?", (task, new))

    def forget(self, kind: str, kinds: Iterable[str], kept: int) -> None:
        """Remove events of some ``kinds`` that are older than the last ``kept`` of one ``kind``."""
        query = """delete from events where kind = ? and seq <= (
            select seq from events where kind = ? order by seq desc limit 1 offset ?
        )"""
        with _translated(self._file), _transaction(self._connection):
            self._connection.executemany(query, [(one, kind, kept) for one in kinds if one != kind])
            self._connection.execute(query, (kind, kind, kept))

    def read(self, after: int = 0, *, tasks: bool = True) -> list[Event]:
        """The events with ``seq`` above ``after``; those of the job itself alone without ``tasks``."""
        query = (
            "select seq, time, kind, task, data from events where seq > ? and (? or task = '') order by seq"
        )
        with _translated(self._file):
            rows = self._connection.execute(query, (after, tasks)).fetchall()
            return [Event(seq, at, kind, task, json.loads(data)) for seq, at, kind, task, data in rows]

    def state(self) -> str:
        """The job's last state, as it was written; empty before the first one."""
        query = "select data from events where kind = 'state' and task = '' order by seq desc limit 1"
        with _translated(self._file):
            row = self._connection.execute(query).fetchone()
            return "" if row is None else str(json.loads(row[0]).get("state", ""))

    def finished(self) -> bool:
        """Whether the job's last state is a final one."""
        state = self.state()
        return state in _STATES and RunState(state).finished

    def close(self) -> None:
        """Close the database."""
        self._connection.close()


class EventReader(EventLog):
    """The events for a reader, also where the folder cannot be written.

    What the reader would have to write (that no process drives the job any more) is then part of this read only.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._unwritten: list[Event] = []

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, isolation_level=None, timeout=10)
        try:
            connection.execute("select max(seq) from events")
        except sqlite3.OperationalError:  # the folder is read-only, or the database has another format
            connection.close()
            connection = _read_only(self._file)
            with suppress(sqlite3.Error):
                if not connection.execute("select 1 from sqlite_master where name = 'events'").fetchone():
                    _check(connection, self._file)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    @property
    def newer(self) -> bool:
        """Whether a newer kfnb wrote this, or wrote something unknown: this version must not end the job."""
        with _translated(self._file):
            return _format(self._connection) > FORMAT or self.state() not in _STATES | {""}

    def append(self, facts: Iterable[Fact]) -> None:
        """Write events, or keep them in memory where the database cannot be written."""
        facts = list(facts)
        try:
            super().append(facts)
        except BackendError:
            self.pretend(facts)

    def pretend(self, facts: Iterable[Fact]) -> None:
        """Add these events to this read only."""
        now, last = time.time(), self.read()
        seq = last[-1].seq if last else 0
        for number, (kind, task, data) in enumerate(facts, start=seq + 1):
            self._unwritten.append(Event(number, now, kind, task, json.loads(json.dumps(data))))

    def read(self, after: int = 0, *, tasks: bool = True) -> list[Event]:
        """The events with ``seq`` above ``after``; those of the job itself alone without ``tasks``."""
        own = [one for one in self._unwritten if one.seq > after and (tasks or not one.task)]
        return [*super().read(after, tasks=tasks), *own]

    def state(self) -> str:
        """The job's last state, as it was written; empty before the first one."""
        states = [one.data["state"] for one in self._unwritten if one.kind == "state" and not one.task]
        return str(states[-1]) if states else super().state()


@contextmanager
def opened(folder: Path, *, create: bool = False) -> Iterator[EventLog]:
    """The event log of a job's folder, opened for writing and closed at the end."""
    log = EventLog(folder, create=create)
    try:
        yield log
    finally:
        log.close()


@contextmanager
def reading(folder: Path) -> Iterator[EventReader]:
    """The event log of a job's folder, opened for reading and closed at the end."""
    log = EventReader(folder)
    try:
        yield log
    finally:
        log.close()


def _format(connection: sqlite3.Connection) -> int:
    return int(connection.execute("pragma user_version").fetchone()[0])


def _check(connection: sqlite3.Connection, file: Path) -> None:
    """Raise ``BackendError`` for a database of a newer format."""
    number = _format(connection)
    if number > FORMAT:
        message = f"{file} was written by a newer kfnb (format {number}, this one knows {FORMAT})"
        raise BackendError(f"{message}: update kfnb to use it")


def _migrate(connection: sqlite3.Connection) -> None:
    """Migrate a database: each step together with its record."""
    with _transaction(connection):
        connection.execute(_RECORD)
        for number in range(_format(connection) + 1, FORMAT + 1):  # another process may have been first
            connection.execute(_MIGRATIONS[number])
            connection.execute("insert or ignore into migrations values (?, ?)", (number, time.time()))
            connection.execute(f"pragma user_version = {number}")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("begin immediate")
    try:
        yield
        connection.execute("commit")
    except sqlite3.Error:
        if connection.in_transaction:  # on a full disk, SQLite has rolled back by itself
            connection.execute("rollback")
        raise


def _read_only(file: Path) -> sqlite3.Connection:
    """A read-only connection to a database that no process has open.

    The shared memory that WAL mode needs is a file, which cannot be created here. Without a WAL nothing is missed by
    ignoring it; with a WAL, an exclusive connection needs no shared memory.
    """
    wal = file.with_name(f"{file.name}-wal")
    if not wal.is_file() or not wal.stat().st_size:
        return sqlite3.connect(f"{file.absolute().as_uri()}?immutable=1", uri=True, isolation_level=None)
    connection = sqlite3.connect(file, isolation_level=None, timeout=10)
    connection.execute("pragma locking_mode = exclusive")
    return connection


@contextmanager
def _translated(file: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError, ValueError) as error:
        raise BackendError(f"{file} cannot be used: {error}") from None
