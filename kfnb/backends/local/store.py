"""A run's events in SQLite: one database in the run's folder, one writer, any number of readers.

WAL mode lets a reader look while the supervisor writes, and what was committed survives a ``kill -9`` of it. The
connection is given up after each use by readers, so that a run's folder can be removed at any time. To look needs no
room on the disk, although SQLite would like some: what is known stays known where the disk is full.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kfnb.errors import BackendError
from kfnb.model import RunState
from kfnb.resources.runs.events import Event

FILE = "events.db"
_SCHEMA = """
create table if not exists events (
    seq integer primary key, time real not null, kind text not null, task text not null, data text not null
)
"""
_INSERT = "insert into events (time, kind, task, data) values (?, ?, ?, ?)"

Fact = tuple[str, str, Mapping[str, Any]]
"""An event that is to be written: its kind, its task's id (empty for the run), its data."""


class EventLog:
    """The events of the run whose folder this is. Everything that SQLite refuses is a ``BackendError``."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        self._file = folder / FILE
        with _translated(self._file):
            if not create and not self._file.is_file():
                raise BackendError(f"the events of the run in {folder} are gone")
            self._connection = self._connect(create=create)

    def _connect(self, *, create: bool) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, isolation_level=None, timeout=10)
        try:
            connection.execute("pragma synchronous = normal")
            if create:
                connection.execute("pragma journal_mode = wal")
                connection.execute(_SCHEMA)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def append(self, facts: Iterable[Fact]) -> None:
        """Write some events, all or none of them."""
        now = time.time()
        rows = [(now, kind, task, json.dumps(data)) for kind, task, data in facts]
        with _translated(self._file):
            self._connection.execute("begin immediate")
            try:
                self._connection.executemany(_INSERT, rows)
                self._connection.execute("commit")
            except sqlite3.Error:
                if self._connection.in_transaction:  # of a full disk, SQLite has gone back by itself
                    self._connection.execute("rollback")
                raise

    def read(self, after: int = 0, *, tasks: bool = True) -> list[Event]:
        """The events with ``seq`` above ``after``; those of the run alone without ``tasks``."""
        query = (
            "select seq, time, kind, task, data from events where seq > ? and (? or task = '') order by seq"
        )
        with _translated(self._file):
            rows = self._connection.execute(query, (after, tasks)).fetchall()
            return [Event(seq, at, kind, task, json.loads(data)) for seq, at, kind, task, data in rows]

    def finished(self) -> bool:
        """Whether the run's last state is a final one."""
        query = "select data from events where kind = 'state' and task = '' order by seq desc limit 1"
        with _translated(self._file):
            row = self._connection.execute(query).fetchone()
            return row is not None and RunState(json.loads(row[0])["state"]).finished

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()


class Look(EventLog):
    """The events for a reader, also where nothing can be written.

    What it would have to write (that no process drives the run any more) is known to this read alone then.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._unwritten: list[Event] = []

    def _connect(self, *, create: bool) -> sqlite3.Connection:
        try:
            connection = super()._connect(create=create)
            connection.execute("select max(seq) from events")
        except sqlite3.OperationalError:  # nothing can be written here
            return _read_only(self._file)
        return connection

    def append(self, facts: Iterable[Fact]) -> None:
        """Write some events, or remember them where that cannot be."""
        facts = list(facts)
        try:
            super().append(facts)
        except BackendError:
            now, last = time.time(), self.read()
            seq = last[-1].seq if last else 0
            for kind, task, data in facts:
                seq += 1
                self._unwritten.append(Event(seq, now, kind, task, json.loads(json.dumps(data))))

    def read(self, after: int = 0, *, tasks: bool = True) -> list[Event]:
        """The events with ``seq`` above ``after``; those of the run alone without ``tasks``."""
        own = [one for one in self._unwritten if one.seq > after and (tasks or not one.task)]
        return [*super().read(after, tasks=tasks), *own]

    def finished(self) -> bool:
        """Whether the run's last state is a final one."""
        states = [one.data["state"] for one in self._unwritten if one.kind == "state" and not one.task]
        return RunState(states[-1]).finished if states else super().finished()


@contextmanager
def opened(folder: Path, *, create: bool = False) -> Iterator[EventLog]:
    """The event log of a run's folder, to write into, closed at the end."""
    log = EventLog(folder, create=create)
    try:
        yield log
    finally:
        log.close()


@contextmanager
def looked_at(folder: Path) -> Iterator[Look]:
    """The event log of a run's folder, to look at, closed at the end."""
    log = Look(folder)
    try:
        yield log
    finally:
        log.close()


def _read_only(file: Path) -> sqlite3.Connection:
    """A read-only connection to a database that no process has open.

    The shared memory that WAL mode takes is a file that cannot be made here. Without a WAL nothing is missed by
    ignoring it; with one, a connection of its own alone needs no shared memory.
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
