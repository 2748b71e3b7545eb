"""Digests of files, each read once: what is known of a file is kept as long as the file is unchanged."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from pathlib import Path

from kfnb.diagnostics import logger
from kfnb.jobs import private
from kfnb.resources.datasets.objects.base import pieces, sha256_of

_logger = logger(__package__)

_SETTLED = 2 * 10**9
"""Nanoseconds since the last change after which a further change shows in a file's times."""
_TABLE = """
create table if not exists digests
(path text primary key, inode integer, size integer, modified integer, changed integer, sha256 text)
"""


class FileDigests:
    """The sha256 of files, kept in the database ``file``. Where that cannot be used, every file is read."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._opened: tuple[int, sqlite3.Connection] | None = None

    def of(self, path: Path) -> str:
        """A file's digest; it is read if that is not known yet. Raises ``OSError``."""
        if known := self.known(path):
            return known
        before = path.stat()
        sha256 = sha256_of(pieces(path))
        self.keep(path, before, sha256)
        return sha256

    def known(self, path: Path) -> str:
        """A file's digest if it is known; else empty. Raises ``OSError``."""
        status = path.stat()
        found = self._ask(
            "select inode, size, modified, changed, sha256 from digests where path = ?",
            self._key(path, status),
        )
        return str(found[4]) if found and tuple(found[:4]) == self._facts(status) else ""

    def keep(self, path: Path, before: os.stat_result, sha256: str) -> None:
        """Keep a file's digest, unless it has changed since ``before``, or may change unseen. Raises ``OSError``."""
        facts = self._facts(before)
        settled = time.time_ns() - max(facts[2:]) > _SETTLED
        if settled and self._facts(path.stat()) == facts:
            statement = "insert or replace into digests values (?, ?, ?, ?, ?, ?)"
            self._ask(statement, self._key(path, before), *facts, sha256)

    def _key(self, path: Path, status: os.stat_result) -> str:
        del status
        return os.fsdecode(path.absolute()).encode("utf-8", "backslashreplace").decode()

    def _facts(self, status: os.stat_result) -> tuple[int, int, int, int]:
        return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns

    def _ask(self, statement: str, *values: object) -> tuple[object, ...] | None:
        with self._lock:
            try:
                with self._database() as database:
                    found: tuple[object, ...] | None = database.execute(statement, values).fetchone()
                    return found
            except (sqlite3.Error, OSError):
                _logger.debug("The digests of files cannot be kept in %s.", self.file, exc_info=True)
                return None

    def _database(self) -> sqlite3.Connection:
        """The connection of this process: SQLite's must not be used after a fork."""
        if self._opened is None or self._opened[0] != os.getpid():
            private.make(self.file.parent)
            os.close(os.open(self.file, os.O_CREAT | os.O_RDWR, 0o600))
            database = sqlite3.connect(self.file, timeout=5, check_same_thread=False)
            database.execute("pragma synchronous = off")  # what a power failure loses is computed again
            database.execute(_TABLE)
            self._opened = os.getpid(), database
        return self._opened[1]


class ContentDigests(FileDigests):
    """The sha256 of a data store's content. A file of it is the same by each of its links, and is not read again for
    being linked, which changes its ``ctime``.
    """

    def _key(self, path: Path, status: os.stat_result) -> str:
        del path
        return f"{status.st_dev}:{status.st_ino}"

    def _facts(self, status: os.stat_result) -> tuple[int, int, int, int]:
        return status.st_ino, status.st_size, status.st_mtime_ns, 0
