"""The index in SQLite (WAL mode): any number of processes read and update it.

It is derived. An index of another format, or a damaged one, is removed and made again; and whoever reads it updates it
first, so that what another process has half done is never taken for the whole.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

from kfnb.catalog import schema
from kfnb.catalog.records import Reading, Source
from kfnb.diagnostics import logger
from kfnb.errors import BackendError, BackendUnavailable
from kfnb.jobs import private

FILE = Path("catalog") / "index.db"
BATCH = 1000
"""Units that are written in one transaction."""
_PATIENCE = 10.0
"""Seconds to wait while another process writes."""
_BUSY = ("locked", "busy")

_logger = logger(__package__)


class Index:
    """An index that is open."""

    def __init__(self, connection: sqlite3.Connection, place: str) -> None:
        self._connection = connection
        self.place = place

    def rows(self, query: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self._connection.execute(query, tuple(values)).fetchall()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """All that is read in this block is of one moment."""
        self._connection.execute("begin")
        try:
            yield
        finally:
            self._connection.execute("commit")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is written, or nothing."""
        self._connection.execute("begin immediate")
        try:
            yield self._connection
            self._connection.execute("commit")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("rollback")
            raise

    def update(self, sources: Iterable[Source]) -> int:
        """Read what is new or has changed, and forget what is gone; the number of units that were read."""
        return sum(self._update(source) for source in sources)

    def rebuild(self, sources: Iterable[Source]) -> int:
        """Forget everything, and read it all again; the number of units."""
        with self.writing() as connection:
            schema.clear(connection)
        return self.update(sources)

    def _update(self, source: Source) -> int:
        rows = self.rows("select unit, stamp from units where source = ?", (source.name,))
        known = {str(unit): str(stamp) for unit, stamp in rows}
        found = source.stamps(known)
        gone = [unit for unit in known if unit not in found]
        if gone:
            self._store(source.name, gone, ())
        # in order, so that an index that is made again is the same
        changed = iter(sorted(unit for unit, stamp in found.items() if known.get(unit) != stamp))
        count = 0
        while units := list(islice(changed, BATCH)):
            readings = list(source.read(units))
            self._store(source.name, units, readings)
            count += len(readings)
        return count

    def _store(self, source: str, units: Iterable[str], readings: Iterable[Reading]) -> None:
        """Replace units by what was read of them."""
        with self.writing() as connection:
            for unit in units:
                schema.forget(connection, source, unit)
            rows = schema.Rows(connection)
            for reading in readings:
                rows.add(source, reading)
            rows.write()

    def overlaid(self, source: Source, units: Iterable[str]) -> Index:
        """A copy in memory, with further units that no index keeps."""
        memory = sqlite3.connect(":memory:", isolation_level=None)
        self._connection.backup(memory)
        copy = Index(memory, self.place)
        copy._store(source.name, units, source.read(units))  # noqa: SLF001 - another index
        return copy

    def close(self) -> None:
        """Close it."""
        self._connection.close()


@contextmanager
def opened(home: Path, sources: Iterable[Source], *, rebuild: bool = False) -> Iterator[Index]:
    """The index of a home, up to date. Raises ``BackendError``, and ``BackendUnavailable`` where it is locked."""
    file, sources = home / FILE, tuple(sources)
    try:
        index = _up_to_date(file, sources, rebuild=rebuild)
    except sqlite3.DatabaseError as error:
        if _is_busy(error):
            raise _locked(file) from None
        _logger.info("The index %s is damaged (%s) and is made again.", file, error)
        with _translated(file):
            _remove(file)
            index = _up_to_date(file, sources, rebuild=False)
    try:
        with _translated(file):
            yield index
    finally:
        index.close()


def _up_to_date(file: Path, sources: tuple[Source, ...], *, rebuild: bool) -> Index:
    index = Index(_connect(file), str(file))
    try:
        if rebuild:
            index.rebuild(sources)
        else:
            index.update(sources)
    except BaseException:
        index.close()
        raise
    return index


def _connect(file: Path) -> sqlite3.Connection:
    try:
        private.make(file.parent)
        if not file.exists():
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise BackendError(f"{file} cannot be used: {error.strerror or error}") from None
    connection = sqlite3.connect(file, isolation_level=None, timeout=_PATIENCE)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")
        if _format(connection) != schema.FORMAT:
            _begin_anew(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _format(connection: sqlite3.Connection) -> int:
    return int(connection.execute("pragma user_version").fetchone()[0])


def _begin_anew(connection: sqlite3.Connection) -> None:
    """Replace the tables of another format, unless another process was first."""
    connection.execute("begin immediate")
    try:
        if _format(connection) != schema.FORMAT:
            tables = connection.execute(
                "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
            )
            for (table,) in tables.fetchall():
                quoted = str(table).replace('"', '""')
                connection.execute(f'drop table "{quoted}"')
            schema.create(connection)
        connection.execute("commit")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


def _remove(file: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            file.with_name(file.name + ending).unlink()


def _is_busy(error: sqlite3.Error) -> bool:
    return isinstance(error, sqlite3.OperationalError) and any(word in str(error) for word in _BUSY)


def _locked(file: Path) -> BackendUnavailable:
    return BackendUnavailable(
        f"timed out after {_PATIENCE:g} s: another process has locked {file}",
        hint="try again when that process has finished",
        ref=str(file),
    )


@contextmanager
def _translated(file: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if _is_busy(error):
            raise _locked(file) from None
        raise BackendError(f"{file} cannot be used: {error}", ref=str(file)) from None
    except OSError as error:
        raise BackendError(f"{file} cannot be used: {error.strerror or error}", ref=str(file)) from None
