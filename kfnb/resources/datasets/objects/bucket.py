"""Objects in a bucket: S3 and what speaks it, Google Cloud Storage, Azure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kfnb.errors import Absent, BackendError, Unreadable
from kfnb.remote.objects import ObjectAddress, ObjectMissing, ObjectStore
from kfnb.resources.datasets.objects.base import StoredObject


class BucketObjects:
    """The objects below the address ``root``, reached through ``store``."""

    def __init__(self, root: str, store: ObjectStore) -> None:
        self.root = root.rstrip("/")
        self._base = ObjectAddress.parse(self.root).path
        self.store = store

    def path(self, key: str) -> str:
        """The bucket and key of an object."""
        return f"{self._base}/{key}"

    def create(self, key: str, data: bytes) -> bool:
        """See ``Objects``."""
        with _told():
            return self.store.create(self.path(key), data)

    def put_file(self, key: str, file: Path, *, take: bool = False) -> None:
        """See ``Objects``. A cut upload leaves nothing: parts become an object when all of them have arrived."""
        with _told():
            self.store.write_file(self.path(key), file)
        if take:
            file.unlink()

    def find(self, key: str) -> StoredObject | None:
        """See ``Objects``."""
        with _told():
            try:
                found = self.store.facts(self.path(key))
            except ObjectMissing:
                return None
            return StoredObject(key, found.size, found.changed)

    def read(self, key: str) -> bytes:
        """See ``Objects``."""
        with _told():
            return self.store.read(self.path(key))

    def stream(self, key: str) -> Iterator[bytes]:
        """See ``Objects``."""
        with _told():
            yield from self.store.stream(self.path(key))

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """See ``Objects``."""
        with _told():
            found = self.store.list_all(self.path(prefix.rstrip("/")))
        for one in found:
            yield StoredObject(one.path.removeprefix(f"{self._base}/"), one.size, one.changed)

    def names(self, prefix: str) -> list[str]:
        """See ``Objects``."""
        with _told():
            found = self.store.list_folder(self.path(prefix.rstrip("/")))
        return [one.path.rpartition("/")[2] for one in found]

    def copy(self, key: str, to: str) -> None:
        """See ``Objects``."""
        with _told():
            self.store.copy(self.path(key), self.path(to))

    def delete(self, key: str) -> None:
        """See ``Objects``."""
        with _told():
            self.store.delete(self.path(key))

    def uri(self, key: str) -> str:
        """See ``Objects``."""
        return f"{self.root}/{key}"

    def drafts(self) -> Iterator[StoredObject]:
        """See ``Objects``. The store itself forgets uploads that were cut."""
        return iter(())


@contextmanager
def _told() -> Iterator[None]:
    """Errors of the object store, as those of a backend."""
    try:
        yield
    except ObjectMissing as error:
        raise Absent(str(error)) from None
    except Unreadable as error:
        raise BackendError(f"the data store: {error}", code=error.code, hint=error.hint, ref=error.ref) from None
