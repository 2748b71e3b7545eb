"""SQLite databases of records: format numbers, migrations, backups, and waiting for locks.

Each use opens a connection and closes it, so that threads, forked processes and removed folders do no harm. A database
has a format number (``user_version``). An older one is copied and then migrated, in one transaction with its record
(table ``migrations``); a newer one is refused. WAL mode is only used where the file system is of this machine, since
its shared memory does not work across machines.
"""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from kfnb.errors import BackendError, BackendUnavailable
from kfnb.jobs import private

TIMEOUT = 10.0
"""Seconds for which a database that another process writes to is waited for."""

_LOCAL = re.compile("apfs|bcachefs|btrfs|exfat|ext[234]|f2fs|hfs|jfs|ntfs|overlay|ramfs|tmpfs|ufs|xfs|zfs")
"""File systems of one machine, as the kernel calls them. All others are taken for shared ones."""

_RECORD = "create table if not exists migrations (format integer primary key, time real not null)"


@dataclass(frozen=True)
class Schema:
    """What a kind of database has. ``title`` is what messages call it: ``the model registry``.

    ``migrations`` are, by the format number that each leads to, statements that are executed in order. What has been
    released is never edited.
    """

    title: str
    migrations: Mapping[int, Sequence[str]]

    @property
    def format(self) -> int:
        """The format that this version writes."""
        return max(self.migrations)


class Database:
    """The database ``file``, created by its first use, with its folder.

    Files get the permissions of the folder, so that a group shares a database by sharing its folder. Every error of
    SQLite is raised as ``BackendError``; ``BackendUnavailable`` where another process holds the database for longer
    than ``timeout`` seconds.
    """

    def __init__(self, file: Path, schema: Schema, *, timeout: float = TIMEOUT) -> None:
        self.file = file
        self._schema, self._timeout = schema, timeout

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for queries. A database that cannot be written, as in a read-only folder, can be read."""
        with self._translated(), closing(self._open_for_reading()) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all that is done in it is kept, or nothing if it ends with an exception."""
        with self._translated(), closing(self._open()) as connection, _transaction(connection):
            yield connection

    def stamp(self) -> str:
        """When the database was written: another text after each change; empty before the first one."""
        found = []
        for name in (self.file.name, f"{self.file.name}-wal"):
            with suppress(OSError):
                status = self.file.with_name(name).stat()
                found.append(f"{status.st_mtime_ns}.{status.st_size}")
        return " ".join(found)

    # -- opening ----------------------------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        if not self.file.exists():
            self._create()
        connection = self._connect(str(self.file))
        try:
            if self._format(connection) < self._schema.format:
                self._migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _open_for_reading(self) -> sqlite3.Connection:
        writable = os.access(self.file, os.W_OK) and os.access(self.file.parent, os.W_OK)
        if writable or not self.file.exists():
            return self._open()
        uri = self.file.absolute().as_uri()
        for how in (
            "mode=ro",
            "immutable=1",
        ):  # without its -shm file, WAL mode cannot be read in a read-only folder
            connection = self._connect(f"{uri}?{how}", uri=True)
            try:
                old = self._format(connection) < self._schema.format
                connection.execute("select count(*) from sqlite_master")
                return self._migrated_copy(connection) if old else connection
            except sqlite3.OperationalError:
                connection.close()
                if how == "immutable=1":
                    raise
            except BaseException:
                connection.close()
                raise
        raise AssertionError("unreachable")

    def _connect(self, name: str, *, uri: bool = False) -> sqlite3.Connection:
        connection = sqlite3.connect(name, uri=uri, isolation_level=None, timeout=self._timeout)
        connection.execute("pragma foreign_keys = on")
        return connection

    def _create(self) -> None:
        """An empty file with the permissions of its folder; another process may be first."""
        private.make(self.file.parent)
        mode = stat.S_IMODE(self.file.parent.stat().st_mode) & 0o666
        with suppress(FileExistsError):
            os.close(os.open(self.file, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode))
            with suppress(OSError):  # a file system without permissions
                self.file.chmod(mode)  # whatever the umask has removed

    def _format(self, connection: sqlite3.Connection) -> int:
        """The format number. Raises ``BackendError`` for a newer format."""
        number = int(connection.execute("pragma user_version").fetchone()[0])
        known = self._schema.format
        if number > known:
            raise BackendError(
                f"{self.file} was written by a newer kfnb (format {number}, this version reads up to {known}):",
                hint="update kfnb to use it",
                ref=str(self.file),
            )
        return number

    # -- migrations -------------------------------------------------------------------------------------------

    def _migrate(self, connection: sqlite3.Connection) -> None:
        """Migrate the database: a copy first, then all steps with their records in one transaction."""
        if is_local(self.file.parent):
            self._use_wal(connection)
        with _transaction(connection):
            begun = self._format(connection)  # another process may have been first
            if begun and begun < self._schema.format:
                self._back_up(begun)
            self._take_steps(connection, begun)

    def _take_steps(self, connection: sqlite3.Connection, begun: int) -> None:
        """The migrations that follow a format, each with its record, in a transaction."""
        connection.execute(_RECORD)
        for number in range(begun + 1, self._schema.format + 1):
            for statement in self._schema.migrations[number]:
                connection.execute(statement)
            connection.execute("insert or ignore into migrations values (?, ?)", (number, time.time()))
            connection.execute(f"pragma user_version = {number}")

    def _migrated_copy(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        """A copy in memory of a database that cannot be written, in the format that this version reads."""
        copy = self._connect(":memory:")
        with closing(connection):
            connection.backup(copy)
        with _transaction(copy):
            self._take_steps(copy, self._format(copy))
        return copy

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        """Switch to WAL mode, which SQLite refuses without waiting while another process reads."""
        until = time.monotonic() + self._timeout
        while True:
            try:
                connection.execute("pragma journal_mode = wal")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(0.01)

    def backup_of(self, number: int) -> Path:
        """The copy of the database as it was in format ``number``."""
        return self.file.with_name(f"{self.file.name}.format-{number}")

    def _back_up(self, number: int) -> None:
        """Copy the database as committed. The copy appears complete or not, and has the original's permissions."""
        draft = self.file.with_name(f".{self.file.name}.format-{number}.{os.getpid()}")
        try:
            draft.touch(mode=0o600)
            with closing(self._connect(str(self.file))) as source, closing(sqlite3.connect(draft)) as copy:
                source.backup(copy)
            with suppress(OSError):
                draft.chmod(stat.S_IMODE(self.file.stat().st_mode))
            draft.replace(self.backup_of(number))
        finally:
            draft.unlink(missing_ok=True)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise self._error(error) from None
        except OSError as error:
            reason = error.strerror or error
            raise BackendError(f"{self.file} cannot be used: {reason}", ref=str(self.file)) from None

    def _error(self, error: sqlite3.DatabaseError) -> BackendError:
        text, file = str(error), str(self.file)
        if "locked" in text or "busy" in text:
            message = f"{self._schema.title} in {file} is locked by another process, for more than {self._timeout:g} s"
            return BackendUnavailable(f"{message}; try again", ref=file)
        if "full" in text:
            return BackendError(f"{file} cannot be written: {text}", code="disk-full", ref=file)
        if "not a database" in text or "malformed" in text:
            copies = sorted(self.file.parent.glob(f"{self.file.name}.format-*"))
            hint = f"the newest backup is {copies[-1]}" if copies else ""
            return BackendError(f"{file} is damaged or not a database of kfnb ({text})", hint=hint, ref=file)
        return BackendError(f"{file} cannot be used: {text}", ref=file)


def is_local(folder: Path) -> bool:
    """Whether a folder is on a file system of this machine, as far as that is known."""
    import psutil

    place = os.path.realpath(folder)
    found, kind = "", ""
    for partition in psutil.disk_partitions(all=True):
        mount = partition.mountpoint
        inside = place == mount or place.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(found):
            found, kind = mount, partition.fstype
    return _LOCAL.fullmatch(kind.lower()) is not None


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("begin immediate")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:  # on a full disk, SQLite has rolled back by itself
            connection.execute("rollback")
        raise
