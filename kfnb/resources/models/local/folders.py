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
from pathlib import Path
from tempfile import mkdtemp

from kfnb.errors import BackendError
from kfnb.jobs import private
from kfnb.resources.models.digest import folder_digest

_DRAFT = ".draft-"
_ABANDONED = 24 * 3600.0
"""Seconds after which a draft that is still there was left by a process that was killed."""


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
        place = self.path(digest)
        if not place.is_dir():
            raise BackendError(f"model folder {place} is missing", code="not-found", ref=str(place))
        if folder_digest(place) != digest:
            raise BackendError(
                f"model folder {place} was changed on disk since it was registered", ref=str(place)
            )
        return place

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
                _remove(draft)

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
        aside = Path(mkdtemp(prefix=_DRAFT, dir=self._root))
        damaged.chmod(damaged.stat().st_mode | stat.S_IWUSR)
        damaged.rename(aside)
        self._put(draft, damaged)
        _remove(aside)

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
                    _remove(draft)


def _remove(folder: Path) -> None:
    for path, _, _ in os.walk(folder):
        with suppress(OSError):
            Path(path).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


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
