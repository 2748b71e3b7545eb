"""The objects of a data store: bytes by their keys, each of which is written once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


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
        """Write a new object at once or not at all; False, and nothing is written, where the key is taken."""

    def put_file(self, key: str, file: Path, *, take: bool = False) -> None:
        """Write an object of a file's bytes, at once or not at all. With ``take``, the file itself may be moved."""

    def find(self, key: str) -> StoredObject | None:
        """An object without its bytes; None where there is none."""

    def read(self, key: str) -> bytes:
        """An object's bytes. Raises ``Absent`` where there is none."""

    def stream(self, key: str) -> Iterator[bytes]:
        """An object's bytes, piece by piece. Raises ``Absent`` where there is none."""

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """All objects whose keys begin with ``prefix``, which ends in ``/``; in no order."""

    def names(self, prefix: str) -> list[str]:
        """The names directly below ``prefix``, which ends in ``/``: of objects and of folders."""

    def copy(self, key: str, to: str) -> None:
        """Give an object a second key, without its bytes passing through this machine."""

    def delete(self, key: str) -> None:
        """Delete an object; harmless where there is none."""

    def uri(self, key: str) -> str:
        """The address of an object for others: a path, or a URI."""

    def drafts(self) -> Iterator[StoredObject]:
        """What was left by writers that were killed."""
