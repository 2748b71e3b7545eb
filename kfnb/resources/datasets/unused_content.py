"""What can be removed from a data store and from the home."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kfnb.resources.datasets.objects import StoredObject
from kfnb.ui.words import file_size, file_sizes


@dataclass(frozen=True)
class Unused:
    """What can be removed.

    ``objects`` of the store, to which no version refers; ``drafts`` of values that killed processes left in the home;
    and ``copies``, folders of versions' files in the home that were not used for long.
    """

    objects: tuple[StoredObject, ...] = ()
    drafts: tuple[Path, ...] = ()
    copies: tuple[Path, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.objects or self.drafts or self.copies)

    @property
    def title(self) -> str:
        """What they are, in words: their number, the largest ones, and their size."""
        parts = (
            self._objects,
            _folders(self.drafts, "draft", "of values that were not added"),
            _folders(self.copies, "version", "whose files were not used for a month"),
        )
        return ", and ".join(filter(None, parts))

    @property
    def _objects(self) -> str:
        if not self.objects:
            return ""
        sizes = file_sizes(one.size for one in self.objects)
        return f"{_count(len(self.objects), 'object')} ({sizes}) that no version refers to"


def size_of(folder: Path) -> int:
    """Bytes that removing a folder frees: those of files that have no further link."""
    total = 0
    for file in folder.rglob("*"):
        with suppress(OSError):  # removed by now
            status = file.lstat()
            total += status.st_size if file.is_file() and status.st_nlink == 1 else 0
    return total


def _folders(folders: tuple[Path, ...], noun: str, what: str) -> str:
    size = file_size(sum(map(size_of, folders)))
    return f"{_count(len(folders), noun)} {what} ({size})" if folders else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
