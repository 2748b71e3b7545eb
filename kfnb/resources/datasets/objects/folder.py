"""Objects in a folder, which several processes and users may share."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kfnb import disk
from kfnb.errors import Absent, BackendError
from kfnb.jobs import private
from kfnb.resources.datasets.objects.base import StoredObject

_DRAFTS = "drafts"
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS, errno.EACCES}
_PIECE = 8 * 1024 * 1024


class FolderObjects:
    """The objects below a folder.

    An object is written as a draft and then linked to its key, which fails where the key is taken; a file system
    without hard links is locked for the moment of renaming. New folders and files follow the permissions of the folder
    they are in, so that a team's folder stays the team's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = str(folder)

    def path(self, key: str) -> Path:
        """Where an object is."""
        return self.folder / key

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """A new file or folder's path in the store's file system, which is removed afterwards if it still exists."""
        with self._told():
            folder = self._made(self.folder / _DRAFTS)
            path = folder / f"{os.getpid()}-{secrets.token_hex(6)}"
            try:
                yield path
            finally:
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

    def create(self, key: str, data: bytes) -> bool:
        """See ``Objects``."""
        with self.draft() as draft:
            with draft.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            return self.adopt(draft, key)

    def put_file(self, key: str, file: Path, *, take: bool = False) -> None:
        """See ``Objects``."""
        with self.draft() as draft:
            if take:
                os.replace(file, draft)  # noqa: PTH105 - across folders, atomically
            else:
                shutil.copyfile(file, draft)
            self.adopt(draft, key)

    def adopt(self, draft: Path, key: str) -> bool:
        """Give a draft its key; False where the key is taken."""
        target = self.path(key)
        shared = self._shared()
        draft.chmod(0o664 & (0o777 if shared else 0o700) if key.startswith("versions/") else self._mode())
        self._made(target.parent)
        try:
            os.link(draft, target)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            return self._renamed(draft, target)
        return True

    def find(self, key: str) -> StoredObject | None:
        """See ``Objects``."""
        try:
            status = self.path(key).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return StoredObject(key, status.st_size, status.st_mtime)

    def read(self, key: str) -> bytes:
        """See ``Objects``."""
        with self._told():
            return self.path(key).read_bytes()

    def stream(self, key: str) -> Iterator[bytes]:
        """See ``Objects``."""
        with self._told(), self.path(key).open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    def list(self, prefix: str) -> Iterator[StoredObject]:
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
        try:
            return os.listdir(self.folder / prefix)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def copy(self, key: str, to: str) -> None:
        """See ``Objects``: a hard link, or a copy where there are none."""
        with self._told():
            target = self.path(to)
            self._made(target.parent)
            try:
                os.link(self.path(key), target)
            except FileExistsError:
                return
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                self.put_file(to, self.path(key))

    def delete(self, key: str) -> None:
        """See ``Objects``."""
        with self._told():
            path = self.path(key)
            path.unlink(missing_ok=True)
            for folder in path.parents:
                if folder == self.folder:
                    return
                try:
                    folder.rmdir()
                except OSError:  # it holds other objects
                    return

    def uri(self, key: str) -> str:
        """See ``Objects``."""
        return str(self.path(key))

    def drafts(self) -> Iterator[StoredObject]:
        """See ``Objects``."""
        return self.list(f"{_DRAFTS}/")

    def touch(self, key: str) -> None:
        """Mark an object as used now, so that no cleaning takes it for what a killed writer left."""
        with suppress(OSError):  # another user's file
            os.utime(self.path(key))

    # -- permissions ----------------------------------------------------------------------------------------

    def _shared(self) -> bool:
        """Whether others than its owner may use the folder."""
        return bool(self.folder.stat().st_mode & 0o077)

    def _mode(self) -> int:
        """The permissions of content, which nobody changes."""
        return 0o444 if self._shared() else 0o400

    def _made(self, folder: Path) -> Path:
        if folder.is_dir():
            return folder
        private.make(self.folder)
        for one in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
            one.mkdir(exist_ok=True)
            with suppress(OSError):
                one.chmod(self.folder.stat().st_mode & 0o7777)
        return folder

    def _renamed(self, draft: Path, target: Path) -> bool:
        """Move a draft under a lock where there are no hard links."""
        import fcntl

        with (self.folder / _DRAFTS / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if target.exists():
                return False
            draft.replace(target)
            return True

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of the file system in words."""
        try:
            yield
        except FileNotFoundError as error:
            raise Absent(f"no such file in the data store: {error.filename}") from None
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                left = disk.size(disk.free(self.folder))
                raise BackendError(
                    f"no space left on the disk of the data store {self.folder} ({left} free); nothing was added:",
                    code="disk-full",
                    hint="%kf_data prune removes what nothing refers to, or set %kf_config data_store=FOLDER",
                ) from None
            if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
                raise BackendError(
                    f"cannot write to the data store {self.folder}: {error.strerror}",
                    code="forbidden",
                    ref=self.root,
                ) from None
            if error.errno == errno.ENOTDIR:
                raise BackendError(f"the data store {self.folder} is not a folder", ref=self.root) from None
            raise
