"""Objects in a bucket: S3-compatible stores, Google Cloud Storage, Azure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kfnb.errors import Absent, BackendError, Unreadable
from kfnb.remote.objects import ObjectAddress, ObjectMissing, ObjectStore
from kfnb.resources.datasets.objects.base import StoredObject, content_key, pieces, sha256_of, verified


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

    def put_content(self, file: Path) -> tuple[str, int]:
        """See ``Objects``. A cut upload leaves nothing: its parts become an object when all of them have arrived."""
        size = file.stat().st_size
        sha256 = sha256_of(pieces(file))
        key = content_key(sha256)
        there = self.find(key)
        if there is None or there.size != size:
            with _errors():
                self.store.write_parts(self._path(key), verified(pieces(file), sha256, str(file)))
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
        """See ``Objects``. The bytes do not pass through this machine."""
        with _errors():
            self.store.copy(self._path(key), self._path(to))

    def delete(self, key: str) -> None:
        """See ``Objects``."""
        with _errors():
            self.store.delete(self._path(key))

    def touch(self, key: str) -> None:
        """See ``Objects``: a bucket cannot."""

    def uri(self, key: str) -> str:
        """See ``Objects``."""
        return f"{self.root}/{key}"

    def local(self, key: str) -> None:
        """See ``Objects``."""

    def drafts(self) -> Iterator[StoredObject]:
        """See ``Objects``. The store itself discards uploads that were cut."""
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
