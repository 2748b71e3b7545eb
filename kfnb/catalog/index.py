"""The index of lineage in ``catalog/index.db``: any number of processes read and update it.

It is derived: a damaged one, or one of another format, is removed and built again; and whoever reads it updates it
first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from itertools import islice
from pathlib import Path

from kfnb.catalog import schema
from kfnb.catalog.database import TIMEOUT, Database
from kfnb.catalog.records import Reading, Source
from kfnb.diagnostics import logger
from kfnb.errors import BackendError, BackendUnavailable

FILE = Path("catalog") / "index.db"
BATCH = 250
"""Units that are written in one transaction: with more, the garbage collector takes a sixth of the time."""

_logger = logger(__package__)


class Index:
    """The index of a home. Every error is a ``BackendError``; ``BackendUnavailable`` where it is locked."""

    def __init__(self, home: Path, sources: Iterable[Source], *, timeout: float = TIMEOUT) -> None:
        self.file = home / FILE
        self._sources = tuple(sources)
        self.problems: tuple[str, ...] = ()
        """Why records could not be read at the last refresh; what is known of them is from an earlier one."""
        self._database = Database(self.file, schema.SCHEMA, timeout=timeout)

    def refresh(self) -> int:
        """Read the units that are new or have changed, forget those that are gone; the number of units read."""
        self.problems = ()
        return self._repaired(lambda: sum(self._refreshed(source) for source in self._sources))

    def rebuild(self) -> int:
        """Read all units again; the number of units. Whoever reads meanwhile reads what is still missing as well."""
        return self._repaired(self._rebuild)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to the index, up to date, on which all queries see the same moment."""
        self.refresh()
        with self._database.reading() as connection:
            connection.execute("begin")
            yield connection

    @contextmanager
    def reading_with(self, further: Mapping[str, Source]) -> Iterator[sqlite3.Connection]:
        """Like ``reading``, with ``further`` units that the index does not keep, each with its source."""
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as memory:
            with self.reading() as connection:
                connection.backup(memory)
            for unit, source in further.items():
                _replace(memory, source, [unit], list(source.read([unit])))
            yield memory

    def _refreshed(self, source: Source) -> int:
        try:
            return self._refresh(source)
        except BackendError as error:
            if error.ref == str(self.file):
                raise
            self.problems += (f"{source.name} cannot be read: {error}",)
            return 0

    def _refresh(self, source: Source) -> int:
        with self._database.reading() as connection:
            known = _stamps(connection, source)
        return self._update(source, known, source.stamps(known))

    def _update(self, source: Source, known: Mapping[str, str], found: Mapping[str, str]) -> int:
        """From the stamps that are ``known`` to those that were ``found``; the number of units read."""
        if gone := [unit for unit in known if unit not in found]:
            with self._database.writing() as connection:
                _replace(connection, source, gone, ())
        changed = iter(sorted(unit for unit, stamp in found.items() if known.get(unit) != stamp))
        count = 0
        while units := list(islice(changed, BATCH)):
            readings = list(source.read(units))  # which may take long: no other process is locked out
            with self._database.writing() as connection:
                _replace(connection, source, units, readings)
            count += len(readings)
        return count

    def _rebuild(self) -> int:
        found = [
            (source, source.stamps({})) for source in self._sources
        ]  # nothing is cleared if one cannot be read
        with self._database.writing() as connection:
            schema.clear(connection)
        return sum(self._update(source, {}, stamps) for source, stamps in found)

    def _repaired(self, action: Callable[[], int]) -> int:
        """Do ``action``, a second time with a new index if something is wrong with this one."""
        try:
            return action()
        except BackendUnavailable:
            raise
        except BackendError as error:
            if error.code == "disk-full" or error.ref != str(self.file):
                raise
            _logger.info("the index is built again: %s", error)
            try:
                self._remove()
            except OSError:
                raise error from None
            return action()

    def _remove(self) -> None:
        for ending in ("", "-wal", "-shm", "-journal"):
            with suppress(FileNotFoundError):
                self.file.with_name(self.file.name + ending).unlink()


def _stamps(connection: sqlite3.Connection, source: Source) -> Mapping[str, str]:
    return dict(connection.execute("select unit, stamp from units where source = ?", (source.name,)))


def _replace(
    connection: sqlite3.Connection, source: Source, units: Iterable[str], readings: Iterable[Reading]
) -> None:
    """Replace what is known of units by what was read of them."""
    schema.forget(connection, source.name, units)
    rows = schema.IndexRows(connection)
    for reading in readings:
        rows.add(source.name, reading)
    rows.write()
