"""Versions of data sets, as users hold them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kfnb.entities import Listing
from kfnb.entities.profile import ColumnProfile
from kfnb.errors import UsageError
from kfnb.extras import require
from kfnb.resources.datasets import checkout, files, object_references, values
from kfnb.resources.datasets.diff import difference
from kfnb.resources.datasets.location import content_digests, home
from kfnb.resources.datasets.model import DatasetDiff, DatasetSnapshot
from kfnb.resources.datasets.objects import content_key
from kfnb.resources.datasets.reference import parse_ref
from kfnb.resources.datasets.rows import compared_rows

if TYPE_CHECKING:
    from kfnb.resources.datasets.store import DataStore

CHECKED_OUT = "data-files"
"""The folder of the home that has the files of versions by their names."""


class DatasetVersion:
    """A version of a data set. It never changes: ``digest`` is that of its content."""

    def __init__(self, snapshot: DatasetSnapshot, store: DataStore) -> None:
        self._snapshot, self._store = snapshot, store

    def __repr__(self) -> str:
        return f"<DatasetVersion {self.ref} {self.digest[:12]}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatasetVersion) and (self.ref, self.digest) == (other.ref, other.digest)

    def __hash__(self) -> int:
        return hash((self.ref, self.digest))

    def snapshot(self) -> DatasetSnapshot:
        """All that the store's record says of it."""
        return self._snapshot

    @property
    def name(self) -> str:
        """The data set's name."""
        return self._snapshot.name

    @property
    def version(self) -> int:
        """Its number, from 1."""
        return self._snapshot.version

    @property
    def ref(self) -> str:
        """``churn-data@2``."""
        return self._snapshot.ref

    @property
    def digest(self) -> str:
        """The digest of its content: of a table's names, types, index and values, else of its files."""
        return self._snapshot.identity

    @property
    def kind(self) -> str:
        """What ``load`` returns: frame, array, frames, file or folder."""
        return self._snapshot.kind

    @property
    def schema(self) -> dict[str, str]:
        """By column, Arrow's name of its type; empty for what is not a table."""
        return {column.name: column.type for column in self._snapshot.columns}

    @property
    def profile(self) -> tuple[ColumnProfile, ...]:
        """What is known of each column's values."""
        return self._snapshot.columns

    @property
    def rows(self) -> int | None:
        """The number of rows; None for what has none."""
        return self._snapshot.rows

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return self._snapshot.size

    @property
    def created(self) -> float:
        """When it was added, in seconds since 1970."""
        return self._snapshot.created

    @property
    def owner(self) -> str:
        """Who added it."""
        return self._snapshot.owner

    @property
    def description(self) -> str:
        """The description that was given with it."""
        return self._snapshot.description

    @property
    def source(self) -> Mapping[str, str]:
        """What it was added from: ``cell``, ``name``, ``path``."""
        return self._snapshot.source

    @property
    def uri(self) -> str:
        """Where its content is: of a single file, that file; else the folder of all content.

        Of a version by reference, the address of its object or folder.
        """
        if self._snapshot.by_reference:
            return object_references.address_of(self._snapshot)
        found = self._snapshot.files
        key = content_key(found[0].sha256) if len(found) == 1 else "objects"
        return self._store.objects.uri(key)

    def load(self) -> Any:
        """The value as it was added; a ``Path`` of what was added as a file or folder. Raises ``BackendError``."""
        record = self._snapshot
        if record.kind in ("file", "folder"):
            return self.path()
        pairs = list(zip((entry.path for entry in record.files), self._places(), strict=True))
        return values.read(record.kind, record.library, pairs)

    def path(self) -> Path:
        """Its file or folder, which must not be changed: it may be the store's own. Raises ``BackendError``."""
        found = self._checked_out()
        return found[0] if self._snapshot.is_one_file else self._folder

    def download(self, path: str | Path) -> Path:
        """Write its file or files to a path, where they are the user's own; where they are.

        A single file is written into a folder, and into a new one if ``path`` ends in ``/``. Raises ``UsageError`` if a
        file is there already, or if the path's ending is that of another format; ``BackendError`` for damaged content.
        """
        target, into = Path(path).expanduser(), str(path).endswith(("/", os.sep))
        return checkout.download(self._store.objects, self._snapshot, target, into=into)

    def diff(self, other: str | DatasetVersion, *, key: str = "") -> DatasetDiff:
        """What differs between this version and ``other``, a later one or its reference; by a column ``key``, rows too.

        Raises ``UsageError`` if rows cannot be compared by the key, ``BackendError``.
        """
        if not isinstance(other, DatasetVersion):
            other = DatasetVersion(self._store.get(*parse_ref(other)), self._store)
        rows = None
        if key:
            require("pyarrow", "comparing rows")
            rows = compared_rows(self.table(), other.table(), key, (self.ref, other.ref))
        return difference(self._snapshot, other.snapshot(), rows)

    def table(self) -> Any:
        """Its rows, as an Arrow table. Raises ``UsageError`` if it is not a table."""
        record = self._snapshot
        places = self._places()
        pairs = list(zip((entry.path for entry in record.files), places, strict=True))
        table = None if record.kind in ("array", "frames") else files.table_of(pairs)
        if table is None:
            raise UsageError(f"{self.ref} is not a table: its rows cannot be compared", ref=self.ref)
        return table

    def _places(self) -> list[Path]:
        """Its files, verified: those of the store, or copies of this machine."""
        record = self._snapshot
        found = [
            checkout.verified_file(self._store.objects, record, entry, content_digests())
            for entry in record.files
        ]
        known = [place for place in found if place is not None]
        return known if len(known) == len(found) else self._checked_out()

    def publish(self) -> str:
        """The address of its file or folder by their names in a bucket; empty if the store is a folder.

        Raises ``BackendError``.
        """
        return checkout.publish(self._store.objects, self._snapshot)

    @property
    def _folder(self) -> Path:
        return home() / CHECKED_OUT / self._snapshot.digest

    def _checked_out(self) -> list[Path]:
        return checkout.check_out(self._store.objects, self._snapshot, self._folder, content_digests())


class DatasetList(Listing[DatasetVersion]):
    """Versions of data sets at the time of the request. ``damaged`` are those whose records cannot be read."""

    def __init__(self, items: Iterable[DatasetVersion], damaged: Iterable[str] = ()) -> None:
        super().__init__(items)
        self.damaged = tuple(damaged)
