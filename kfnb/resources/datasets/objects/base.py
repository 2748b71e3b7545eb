"""The objects of a data store: bytes by their keys, each of which is written once."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kfnb.errors import Conflict

CONTENT = "objects/sha256/"
"""The prefix of content: objects whose keys are made of the sha256 of their bytes."""
PUBLISHED = "files/"
"""The prefix of copies of content by the names of a version's files, below the version's digest."""
GRACE = 3600.0
"""Seconds for which content that no version refers to is kept: a writer may be about to refer to it."""
NEW_FOR = GRACE / 2
"""Seconds for which content counts as new: as long again is left to its writer."""
PIECE = 1024 * 1024
"""Bytes that are read at once."""


@dataclass(frozen=True)
class StoredObject:
    """An object: its key, its size in bytes, and when it was written (seconds since 1970)."""

    key: str
    size: int
    changed: float = 0.0


class Objects(Protocol):
    """A folder or a bucket. Keys are relative paths with ``/``. All methods raise ``BackendError``."""

    root: str
    """The folder, or the URI of the bucket's folder."""

    def create(self, key: str, data: bytes) -> bool:
        """Write a new object atomically; False, and nothing is written, where the key is taken."""

    def put_content(self, file: Path, used: Container[str] = ()) -> tuple[str, int]:
        """Write a file's bytes as content, atomically, unless they are there: their sha256 and size.

        Content that was changed is replaced; in a bucket, if its size is another one. Content that cannot be renewed is
        written again, unless its digest is in ``used``: versions refer to it, so no cleaning removes it.

        Raises ``Conflict`` if the file changes meanwhile, and ``OSError`` if it cannot be read.
        """

    def find(self, key: str) -> StoredObject | None:
        """An object without its bytes; None if it is missing."""

    def read(self, key: str) -> bytes:
        """An object's bytes. Raises ``Absent`` if it is missing."""

    def stream(self, key: str) -> Iterator[bytes]:
        """An object's bytes, piece by piece. Raises ``Absent`` if it is missing."""

    def entries(self, prefix: str) -> Iterator[StoredObject]:
        """All objects whose keys begin with ``prefix``, which ends in ``/``, in any order."""

    def names(self, prefix: str) -> list[str]:
        """The names directly below ``prefix``, which ends in ``/``: of objects and of folders."""

    def copy(self, key: str, to: str) -> None:
        """Copy an object within the store. Raises ``Absent`` if it is missing."""

    def delete(self, key: str) -> None:
        """Delete an object; harmless if it is missing."""

    def renew(self, key: str) -> bool:
        """Make sure that an object counts as new, so that no cleaning takes it for what a killed writer left.

        False if it is missing, or old and cannot be marked as used now.
        """

    def uri(self, key: str) -> str:
        """The address of an object for others: a path, or a URI."""

    def local(self, key: str) -> Path | None:
        """The file of an object; None in a bucket."""

    def drafts(self) -> Iterator[StoredObject]:
        """What was left by writers that were killed."""


def content_key(sha256: str) -> str:
    """The key of the content with that digest."""
    return f"{CONTENT}{sha256[:2]}/{sha256[2:]}"


def content_digest(key: str) -> str:
    """The digest that a key of content names."""
    return key.removeprefix(CONTENT).replace("/", "")


def pieces(file: Path) -> Iterator[bytes]:
    """A file's bytes, piece by piece. Raises ``OSError``."""
    with file.open("rb", buffering=0) as source:
        while piece := source.read(PIECE):
            yield piece


def sha256_of(parts: Iterable[bytes]) -> str:
    """The sha256 of bytes that come piece by piece, as 64 hexadecimal digits."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()


def verified(parts: Iterable[bytes], sha256: str, name: str) -> Iterator[bytes]:
    """The same pieces. Raises ``Conflict`` after the last one, unless their digest is ``sha256``."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
        yield part
    if found.hexdigest() != sha256:
        raise Conflict(
            f"{name} changed while it was being read", hint="nothing was added; try again", ref=name
        )
