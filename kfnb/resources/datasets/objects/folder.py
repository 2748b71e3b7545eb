"""Objects in a folder, which several processes and users may share."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from kfnb import disk
from kfnb.errors import Absent, BackendError, Conflict
from kfnb.jobs import private
from kfnb.resources.datasets.objects.base import NEW_FOR, PIECE, StoredObject, content_key, pieces, sha256_of

_DRAFTS = "drafts"
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}
_OTHERS = 0o077
_SETTLED = 3 * 10**9
"""Nanoseconds: more than any file system's times are apart."""


class FolderObjects:
    """The objects below a folder.

    An object is written as a draft and then linked to its key, which fails where the key is taken; a file system
    without hard links is locked for the moment of renaming. New folders have the permissions of the store's folder, and
    new files can be read by who can read that one, so that a team's folder stays the team's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = str(folder)

    def create(self, key: str, data: bytes) -> bool:
        """See ``Objects``."""
        with self._draft() as draft:
            with draft.open("xb") as file:
                file.write(data)
                _flush(file)
            return self._adopt(draft, key)

    def put_content(self, file: Path, used: Container[str] = ()) -> tuple[str, int]:
        """See ``Objects``. The bytes are read once."""
        before = _version_of(file)
        found, size = hashlib.sha256(), 0
        buffer = memoryview(
            bytearray(PIECE)
        )  # one for all: new memory for each piece costs as much as the copying
        with file.open("rb", buffering=0) as source, self._draft() as draft:
            with draft.open("xb") as copy:
                while count := source.readinto(buffer):
                    found.update(buffer[:count])
                    copy.write(buffer[:count])
                    size += count
                _flush(copy)
            if _version_of(file) != before:
                hint = "nothing was added; try again"
                raise Conflict(f"{file} changed while it was being read", hint=hint, ref=str(file))
            sha256 = found.hexdigest()
            key = content_key(sha256)
            _set_back(draft)
            if not self._adopt(draft, key):
                changed = sha256_of(pieces(self._path(key))) != sha256
                if changed or not (self.renew(key) or sha256 in used):
                    draft.replace(self._path(key))
        return sha256, size

    def find(self, key: str) -> StoredObject | None:
        """See ``Objects``."""
        with self._errors():
            try:
                status = self._path(key).stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return StoredObject(key, status.st_size, status.st_mtime)

    def read(self, key: str) -> bytes:
        """See ``Objects``."""
        with self._errors():
            return self._path(key).read_bytes()

    def stream(self, key: str) -> Iterator[bytes]:
        """See ``Objects``."""
        with self._errors():
            yield from pieces(self._path(key))

    def entries(self, prefix: str) -> Iterator[StoredObject]:
        """See ``Objects``."""
        for folder, _, files in os.walk(self.folder / prefix):
            for name in files:
                path = Path(folder, name)
                with suppress(FileNotFoundError):
                    status = path.stat()
                    key = path.relative_to(self.folder).as_posix()
                    yield StoredObject(key, status.st_size, status.st_mtime)

    def names(self, prefix: str) -> list[str]:
        """See ``Objects``."""
        with self._errors():
            try:
                return [one.name for one in (self.folder / prefix).iterdir()]
            except FileNotFoundError:
                return []

    def copy(self, key: str, to: str) -> None:
        """See ``Objects``."""
        self.create(to, self.read(key))

    def delete(self, key: str) -> None:
        """See ``Objects``. Folders that become empty are removed."""
        with self._errors():
            path = self._path(key)
            path.unlink(missing_ok=True)
            for folder in path.parents:
                if folder == self.folder:
                    return
                try:
                    folder.rmdir()
                except OSError:  # it holds other objects
                    return

    def renew(self, key: str) -> bool:
        """See ``Objects``."""
        try:
            if time.time() - self._path(key).stat().st_mtime >= NEW_FOR:
                _set_back(self._path(key))
        except OSError:  # it is missing, or another user's file
            return False
        return True

    def uri(self, key: str) -> str:
        """See ``Objects``."""
        return str(self._path(key))

    def local(self, key: str) -> Path:
        """See ``Objects``."""
        return self._path(key)

    def drafts(self) -> Iterator[StoredObject]:
        """See ``Objects``."""
        return self.entries(f"{_DRAFTS}/")

    # -- writing --------------------------------------------------------------------------------------------

    def _path(self, key: str) -> Path:
        return self.folder / key

    @contextmanager
    def _draft(self) -> Iterator[Path]:
        """The path of a new file in the store's file system, which is removed afterwards if it still exists."""
        with self._errors():
            path = self._made(self.folder / _DRAFTS) / f"{os.getpid()}-{secrets.token_hex(6)}"
            try:
                yield path
            finally:
                path.unlink(missing_ok=True)

    def _adopt(self, draft: Path, key: str) -> bool:
        """Give a draft its key; False where the key is taken."""
        target = self._path(key)
        draft.chmod(0o444 if self.folder.stat().st_mode & _OTHERS else 0o400)
        for _ in range(3):  # a cleaning may remove a folder that it finds empty
            self._made(target.parent)
            try:
                os.link(draft, target)
            except FileExistsError:
                return False
            except FileNotFoundError:
                continue
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                return self._renamed(draft, target)
            return True
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(target.parent))

    def _made(self, folder: Path) -> Path:
        if folder.is_dir():
            return folder
        private.make(self.folder)
        for one in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
            one.mkdir(exist_ok=True)
            with suppress(OSError):  # another user has just made it
                one.chmod(self.folder.stat().st_mode & 0o7777)
        return folder

    def _renamed(self, draft: Path, target: Path) -> bool:
        """Move a draft under a lock where the file system has no hard links."""
        import fcntl

        with (self.folder / _DRAFTS / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if target.exists():
                return False
            draft.replace(target)
            return True

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Translate the errors of the file system."""
        try:
            yield
        except FileNotFoundError as error:
            raise Absent(f"the data store has no file {error.filename}", ref=str(error.filename)) from None
        except OSError as error:
            if isinstance(error, BackendError) or not str(error.filename or self.root).startswith(self.root):
                raise
            raise self._translated(error) from None

    def _translated(self, error: OSError) -> BackendError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            left = disk.size(disk.free(self.folder))
            return BackendError(
                f"no space left on the disk of the data store {self.folder} ({left} free); nothing was added:",
                code="disk-full",
                hint="kfnb data prune removes what no version refers to, %kf_config data_store=FOLDER chooses another",
                ref=self.root,
            )
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            return BackendError(
                f"the data store {self.folder} cannot be used: {error.strerror}",
                code="forbidden",
                ref=self.root,
            )
        return BackendError(f"the data store {self.folder}: {error.strerror}", ref=self.root)


def _flush(file: BinaryIO) -> None:
    """Have the disk keep what was written, so that a power failure leaves no record without its bytes."""
    file.flush()
    os.fsync(file.fileno())


def _set_back(file: Path) -> None:
    """Mark a file as written a few seconds ago: whatever changes it from now on changes that time."""
    then = time.time_ns() - _SETTLED
    os.utime(file, ns=(then, then))


def _version_of(file: Path) -> tuple[int, int, int]:
    status = file.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns
