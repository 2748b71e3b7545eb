"""A job's folder: its files, its id, and the lock that shows whether its driver is alive.

==================  ========================================================================================
``events.db``       the events, see ``eventlog``
``format``          the number of the folder's format; older folders have none, and format 1
``lock``            locked (``flock``) as long as the driver lives; the system unlocks it however that dies
``supervisor.pid``  the driver's process id, good while the lock is held; none before it has come up
``supervisor.log``  the driver's own output
``spare``           disk space reserved for the job's last events, see ``reserve``
``stop``            there if the job was asked to stop
==================  ========================================================================================

The job's kind defines all other files.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from kfnb.errors import BackendError
from kfnb.jobs import private

FORMAT = 1
"""The version of the folder's layout; increased when the layout changes."""
HINT = "; set home to another folder"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LAST_STREAM = 2
_TRY = 0.02
"""Seconds between tries to take a lock."""


@dataclass(frozen=True)
class JobFolder:
    """The folder ``path`` of one job."""

    path: Path

    @property
    def id(self) -> str:
        """The name of the folder, by which its home knows the job."""
        return self.path.name

    @property
    def tag(self) -> str:
        """The tag of the job's processes: a home that was copied has the same ids, and names are those of any home."""
        place = hashlib.sha256(str(self.path.resolve()).encode()).hexdigest()
        return f"{self.id}-{place[:12]}"

    @property
    def home(self) -> Path:
        """The home that the folder is in."""
        return self.path.parent.parent

    @property
    def made(self) -> int | None:
        """When the job was created, in nanoseconds, to distinguish jobs of one name; None if the folder is gone."""
        with suppress(OSError):
            return (self.path / "lock").stat().st_mtime_ns  # the file is never written
        return None

    # its files

    def put(self, name: str, data: Any) -> None:
        """Write a JSON file. Raises ``OSError``, and ``TypeError`` or ``ValueError`` for what is not JSON."""
        private.write(self.path / name, json.dumps(data))

    def get(self, name: str) -> Any:
        """What is in a JSON file. Raises ``BackendError``."""
        with usable(self.path / name):
            return json.loads((self.path / name).read_text(encoding="utf-8"))

    @property
    def newer(self) -> bool:
        """Whether a newer kfnb created the folder: it may be read, but not changed."""
        return format_of(self.path) > FORMAT

    # the driver's life

    def lock(self, *, timeout: float = 0.0) -> int | None:
        """Take the job's lock and return its file; None if a driver still holds it after ``timeout`` seconds."""
        from kfnb.jobs import system

        with usable(self.path / "lock"):
            file = _above_streams(os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600))
        until = time.monotonic() + timeout
        while True:
            try:
                system.lock(file)
                return file
            except BlockingIOError:
                if time.monotonic() >= until:
                    os.close(file)
                    return None
            time.sleep(_TRY)

    @property
    def pid(self) -> int | None:
        """The driver's process id, if it is recorded yet. It is valid while the lock is held."""
        with suppress(OSError, ValueError):
            return int((self.path / "supervisor.pid").read_text(encoding="ascii"))
        return None

    def start_anew(self) -> None:
        """Remove the record of the previous driver before another one starts. Raises ``BackendError``."""
        with usable(self.path):
            for name in ("stop", "supervisor.pid", "supervisor.log"):
                (self.path / name).unlink(missing_ok=True)

    def came_up(self) -> None:
        """Record that this process is the driver."""
        private.write(self.path / "supervisor.pid", str(os.getpid()))

    @property
    def driver_log(self) -> Path:
        """The file that the driver's own output goes to."""
        return self.path / "supervisor.log"

    @property
    def stopping(self) -> bool:
        """Whether the job was asked to stop."""
        return (self.path / "stop").exists()

    def request_stop(self) -> None:
        """Ask the job to stop. Raises ``BackendError``."""
        with usable(self.path):
            (self.path / "stop").touch(mode=0o600)

    def remove(self, *, timeout: float = 0.0) -> bool:
        """Remove the folder and all in it; False if a driver is alive in it for longer than ``timeout`` seconds.

        Raises ``BackendError``.
        """
        try:
            lock = self.lock(timeout=timeout)
            if lock is None:
                return False
            try:
                # the rename is atomic; a half-removed folder would still look like a job
                gone = self.path.with_name(f".gone-{self.path.name}")
                self.path.rename(gone)
                shutil.rmtree(gone)
            finally:
                os.close(lock)
        except OSError as error:
            raise BackendError(f"{self.path} cannot be removed: {error.strerror or error}") from None
        return True


def format_of(folder: Path) -> int:
    """The number of the format that a folder has, a job's or a home."""
    with suppress(OSError, ValueError):
        return int((folder / "format").read_text(encoding="ascii"))
    return 1


def number(folder: Path) -> None:
    """Record that a folder has the format of this version, unless it has a number. Raises ``OSError``."""
    if not (folder / "format").exists():
        private.write(folder / "format", f"{FORMAT}\n")


def check(folder: Path) -> None:
    """Raise ``BackendError`` for a folder of a newer format, a job's or a home."""
    if format_of(folder) > FORMAT:
        message = (
            f"{folder} was written by a newer kfnb (format {format_of(folder)}, this one knows {FORMAT})"
        )
        raise BackendError(f"{message}: update kfnb to use it")


def stamped(shelf: Path) -> tuple[Path, str]:
    """Create a folder in ``shelf`` for a job that begins now; with a note if other users could read the shelf before.

    Ids sort by time: ``261124-063723-412k`` (UTC). Raises ``BackendError``.
    """
    with usable(shelf, HINT):
        note = private.shut(shelf)
        while True:
            now = datetime.now(timezone.utc)
            last = _LETTERS[os.urandom(1)[0] % len(_LETTERS)]
            folder = shelf / f"{now:%y%m%d-%H%M%S}-{now.microsecond // 1000:03}{last}"
            with suppress(FileExistsError):
                folder.mkdir(mode=0o700)
                return folder, note


def names(shelf: Path) -> list[str]:
    """The names of the folders in ``shelf``, in order; empty if the shelf does not exist. Raises ``BackendError``."""
    with usable(shelf, HINT):
        try:
            return sorted(
                entry.name for entry in os.scandir(shelf) if entry.name[0] != "." and entry.is_dir()
            )
        except FileNotFoundError:
            return []


def absolute(path: Path, setting: str) -> Path:
    """The absolute path that a setting names. Raises ``BackendError`` if it is unknown (``~no-such-user``)."""
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise BackendError(f"{path} cannot be used: {error}; set {setting} to another path") from None


@contextmanager
def usable(path: Path, hint: str = "") -> Iterator[None]:
    """Raise ``BackendError`` where ``path`` cannot be used. ``ValueError``: the name is invalid, or it is not JSON."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BackendError(f"{path} cannot be used: {reason}{hint}") from None


def _above_streams(file: int) -> int:
    """The file under a number above those of the standard streams, which a driver replaces."""
    if file > _LAST_STREAM:
        return file
    further = _above_streams(os.dup(file))
    os.close(file)
    return further
