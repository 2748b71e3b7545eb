"""Model folders by their content: ``models/sha256/ab/cd.../``.

A folder is copied to a draft, checked and then renamed, so that it is complete where it is seen. Files are read-only.
"""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from kfnb.errors import BackendError
from kfnb.jobs import private
from kfnb.resources.models.digest import folder_digest
from kfnb.resources.models.engine import CHANGED, MISSING, UNREADABLE

_DRAFT = ".draft-"
_ABANDONED = 24 * 3600.0
"""Seconds after which a draft that is still there was left by a process that was killed."""


@dataclass(frozen=True)
class StoredFolder:
    """A model folder, with its size in bytes; of a draft, which is not complete, ``digest`` is empty."""

    path: Path
    size: int
    digest: str = ""


class ModelFolders:
    """The model folders below ``root``, whose permissions they get."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, digest: str) -> Path:
        """Where the folder with that digest is, or will be."""
        return self._root / "sha256" / digest[:2] / digest[2:]

    def keep(self, folder: Path, digest: str) -> Path:
        """Copy a model folder, unless its content is there already, unchanged. Raises ``BackendError``."""
        place = self.path(digest)
        if place.is_dir() and folder_digest(place) == digest:
            with suppress(OSError):  # another user's folder
                os.utime(place)  # no cleaning takes it for what a killed registration left
            return place
        with _usable(self._root), self._draft() as draft:
            shutil.copytree(folder, draft, dirs_exist_ok=True, copy_function=shutil.copyfile)
            if folder_digest(draft) != digest:
                raise BackendError(
                    f"{folder} has changed while it was copied; register it again", ref=str(folder)
                )
            self._settle(draft)
            self._make(place.parent)
            if not self._put(draft, place) and folder_digest(place) != digest:
                self._replace(place, draft)
        return place

    def verify(self, digest: str) -> Path:
        """The complete, unchanged folder. Raises ``BackendError`` with what is wrong with it."""
        place, problem = self.path(digest), self.problem(digest)
        if problem == MISSING:
            raise BackendError(f"model folder {place} is missing", code="not-found", ref=str(place))
        if problem == CHANGED:
            raise BackendError(
                f"model folder {place} was changed on disk since it was registered", ref=str(place)
            )
        if problem:
            raise BackendError(f"model folder {place} cannot be read", code="forbidden", ref=str(place))
        return place

    def problem(self, digest: str) -> str:
        """What is wrong with the folder, of which every byte is read: see ``ModelRegistry.problem``."""
        place = self.path(digest)
        try:
            if not place.is_dir():
                return MISSING
            return "" if folder_digest(place) == digest else CHANGED
        except OSError:
            return UNREADABLE

    def left(self, before: float) -> Iterator[StoredFolder]:
        """All folders and drafts that nothing was written to since ``before``, in seconds since 1970."""
        places = [*self._root.glob("sha256/*/*"), *self._root.glob(f"{_DRAFT}*")]
        for place in places:
            digest = "" if place.name.startswith(_DRAFT) else place.parent.name + place.name
            with suppress(FileNotFoundError):  # it is finished or removed just now
                status = [one.stat() for one in (place, *place.rglob("*"))]
                if max(one.st_mtime for one in status) < before:
                    yield StoredFolder(
                        place, sum(one.st_size for one in status if stat.S_ISREG(one.st_mode)), digest
                    )

    def put_aside(self, place: Path) -> Path:
        """Give a folder the name of a draft; where it is then. Raises ``OSError``."""
        aside = Path(mkdtemp(prefix=_DRAFT, dir=self._root))
        place.chmod(place.stat().st_mode | stat.S_IWUSR)
        place.rename(aside)
        return aside

    @contextmanager
    def _draft(self) -> Iterator[Path]:
        """A new folder beside the others; removed unless it is renamed."""
        self._make(self._root)
        self._clear()
        draft = Path(mkdtemp(prefix=_DRAFT, dir=self._root))
        try:
            yield draft
        finally:
            if draft.exists():
                remove(draft)

    @staticmethod
    def _put(draft: Path, place: Path) -> bool:
        """Rename a draft to its place; False if there is a folder already, as another process may have been first."""
        try:
            draft.rename(place)
        except OSError:
            if not place.is_dir():
                raise
            return False
        return True

    def _replace(self, damaged: Path, draft: Path) -> None:
        """Let a draft take the place of a damaged folder, which is removed afterwards, as an abandoned draft."""
        aside = self.put_aside(damaged)
        self._put(draft, damaged)
        remove(aside)

    def _settle(self, draft: Path) -> None:
        """Give a draft the permissions of the root, without the right to write files, and write it to the disk."""
        mode = stat.S_IMODE(self._root.stat().st_mode)
        for path, _, files in os.walk(draft):
            for name in files:
                file = Path(path, name)
                with file.open("rb") as content:
                    os.fsync(content.fileno())
                with suppress(OSError):
                    file.chmod(mode & 0o444)
            with suppress(OSError):  # a file system without permissions
                Path(path).chmod(mode)

    def _make(self, folder: Path) -> None:
        """Create a folder of the store with the permissions of the folder above the store."""
        private.make(self._root.parent)
        mode = stat.S_IMODE(self._root.parent.stat().st_mode)
        missing = [
            one for one in (folder, *folder.parents) if one.is_relative_to(self._root) and not one.exists()
        ]
        for one in reversed(missing):
            with suppress(FileExistsError):
                one.mkdir()
                with suppress(OSError):
                    one.chmod(mode)

    def _clear(self) -> None:
        """Remove drafts of processes that were killed."""
        for draft in self._root.glob(f"{_DRAFT}*"):
            with suppress(OSError):
                if time.time() - draft.stat().st_mtime > _ABANDONED:
                    remove(draft)


def remove(folder: Path) -> bool:
    """Remove a folder with its read-only files; whether it is gone."""
    for path, _, _ in os.walk(folder):
        with suppress(OSError):
            Path(path).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


@contextmanager
def _usable(root: Path) -> Iterator[None]:
    try:
        yield
    except shutil.Error as error:
        reasons = "; ".join(str(reason) for *_, reason in error.args[0])
        raise BackendError(f"the model folder cannot be copied to {root}: {reasons}", ref=str(root)) from None
    except OSError as error:
        import errno

        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        message = f"the model folder cannot be written to {root}: {error.strerror or error}"
        raise BackendError(message, code="disk-full" if full else "backend", ref=str(root)) from None
