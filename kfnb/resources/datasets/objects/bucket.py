"""Objects in a bucket: S3-compatible stores, Google Cloud Storage, Azure."""

from __future__ import annotations

import time
from collections.abc import Container, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from kfnb.errors import Absent, BackendError, Unreadable
from kfnb.remote.objects import ObjectAddress, ObjectMissing, ObjectStore
from kfnb.resources.datasets.objects.base import (
    NEW_FOR,
    StoredObject,
    content_key,
    pieces,
    sha256_of,
    verified,
)

_COPIED = 5 * 2**30
"""Bytes of the largest object that S3 copies in one request."""


class BucketObjects:
    """The objects below the address ``root``, reached through ``store``."""

    def __init__(self, root: str, store: ObjectStore) -> None:
        self.root = root.rstrip("/")
        self._base = ObjectAddress.parse(self.root).path.rstrip("/")
        self.store = store

    def create(self, key: str, data: bytes) -> bool:
        """See ``Objects``."""
        with _errors():
            return self.store.create(self._path(key), data)

    def put_content(self, file: Path, used: Container[str] = ()) -> tuple[str, int]:
        """See ``Objects``. Of a cut upload no object is left: its parts become one when all of them have arrived."""
        size = file.stat().st_size
        sha256 = sha256_of(pieces(file))
        key = content_key(sha256)
        there = self.find(key)
        trusted = there is not None and there.size == size and (_is_new(there) or sha256 in used)
        if not trusted:
            with _errors():
                self.store.write_parts(self._path(key), verified(pieces(file), sha256, str(file)), size=size)
        return sha256, size

    def find(self, key: str) -> StoredObject | None:
        """See ``Objects``."""
        with _errors():
            try:
                found = self.store.facts(self._path(key))
            except ObjectMissing:
                return None
            return StoredObject(key, found.size, found.changed)

    def read(self, key: str) -> bytes:
        """See ``Objects``."""
        with _errors():
            return self.store.read(self._path(key))

    def stream(self, key: str) -> Iterator[bytes]:
        """See ``Objects``."""
        with _errors():
            yield from self.store.stream(self._path(key))

    def entries(self, prefix: str) -> Iterator[StoredObject]:
        """See ``Objects``."""
        with self._listing():
            found = self.store.list_all(self._path(prefix.rstrip("/")))
        for one in found:
            yield StoredObject(one.path.removeprefix(f"{self._base}/"), one.size, one.changed)

    def names(self, prefix: str) -> list[str]:
        """See ``Objects``."""
        with self._listing():
            found = self.store.list_folder(self._path(prefix.rstrip("/")))
        return [one.path.rstrip("/").rpartition("/")[2] for one in found]

    def copy(self, key: str, to: str) -> None:
        """See ``Objects``. Only bytes of large objects pass through this machine: stores refuse to copy those."""
        with _errors():
            size = self.store.size(self._path(key))
            if size <= _COPIED:
                self.store.copy(self._path(key), self._path(to))
            else:
                parts = _in_thread(self.store.stream(self._path(key)))
                self.store.write_parts(self._path(to), parts, size=size)

    def delete(self, key: str) -> None:
        """See ``Objects``."""
        with _errors():
            self.store.delete(self._path(key))

    def renew(self, key: str) -> bool:
        """See ``Objects``. Objects of a bucket cannot be marked."""
        there = self.find(key)
        return there is not None and _is_new(there)

    def uri(self, key: str) -> str:
        """See ``Objects``."""
        return f"{self.root}/{key}"

    def local(self, key: str) -> None:
        """See ``Objects``."""

    def drafts(self) -> Iterator[StoredObject]:
        """See ``Objects``. What remains of a cut upload is not an object: a lifecycle rule of the bucket removes it."""
        return iter(())

    @contextmanager
    def _listing(self) -> Iterator[None]:
        """Only a bucket is missing where a list is: of a prefix without objects, the list is empty."""
        try:
            with _errors():
                yield
        except Absent:
            raise Absent(f"the bucket of {self.root} does not exist", ref=self.root) from None

    def _path(self, key: str) -> str:
        return f"{self._base}/{key}"


def _in_thread(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The same parts, received in a thread: obstore cannot wait for a part in the thread in which it sends another."""
    with ThreadPoolExecutor(1) as thread:
        while part := thread.submit(next, parts, b"").result():
            yield part


def _is_new(one: StoredObject) -> bool:
    return time.time() - one.changed < NEW_FOR


@contextmanager
def _errors() -> Iterator[None]:
    """Translate the errors of the object store."""
    try:
        yield
    except ObjectMissing as error:
        raise Absent(str(error)) from None
    except Unreadable as error:
        raise BackendError(
            f"the data store: {error}", code=error.code, hint=error.hint, ref=error.ref
        ) from None
