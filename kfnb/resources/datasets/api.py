"""The public functions of data sets."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.errors import UsageError
from kfnb.resources.datasets.adding import Adding, left_behind
from kfnb.resources.datasets.foreign import is_foreign
from kfnb.resources.datasets.handle import DatasetList, DatasetVersion
from kfnb.resources.datasets.importing import TakenData, taken, with_data
from kfnb.resources.datasets.location import data_store, file_digests, home
from kfnb.resources.datasets.model import DatasetSnapshot, Verification
from kfnb.resources.datasets.objects import StoredObject
from kfnb.resources.datasets.reference import parse_ref
from kfnb.resources.datasets.store import DataStore
from kfnb.resources.datasets.traces import DatasetRecords
from kfnb.settings import owner
from kfnb.ui.words import file_size

__all__ = [
    "TakenData",
    "Unused",
    "add",
    "add_data",
    "dataset",
    "datasets",
    "prune",
    "records",
    "taken",
    "unused",
    "verify",
    "with_data",
]

_SHOWN = 5


def add_data(name: str, value_or_path: Any, *, description: str = "") -> DatasetVersion:
    """Add a value, or the file or folder at a path (a text or ``Path``), as a version of the data set ``name``.

    Objects at an address (``s3://bucket/folder``) are registered by reference, and not copied. Content that a version
    has already is that version. Raises ``UsageError``, ``BackendError``.
    """
    return add(name, value_or_path, description=description)[0]


def add(
    name: str, thing: Any, *, what: str = "", cell: str = "", description: str = ""
) -> tuple[DatasetVersion, bool]:
    """As ``add_data``: the version, and whether it is new. ``what`` is the value's name, in the cell ``cell``."""
    store = data_store()
    adding = Adding(store, home(), file_digests())
    source = {"cell": cell} if cell else {}
    if isinstance(thing, DatasetVersion):
        thing = thing.path() if thing.kind in ("file", "folder") else thing.load()
    if isinstance(thing, str) and not thing.strip():
        raise UsageError("the path of the data is empty:", hint="give a file, a folder or a value")
    if isinstance(thing, str) and thing.startswith(("http://", "https://")):
        hint = "download the file, and add that"
        raise UsageError(f"{thing} is not the address of an object store:", hint=hint, ref=thing)
    if isinstance(thing, str | Path):
        if "://" in str(thing) or is_foreign(str(thing)):
            source |= {"path": str(thing)}
            return _version(
                store,
                adding.reference(name, str(thing), owner=owner(), description=description, source=source),
            )
        path = Path(thing).expanduser()
        found, new = adding.path(
            name,
            path,
            owner=owner(),
            description=description,
            source={**source, "path": str(path.absolute())},
        )
    else:
        source |= {"name": what} if what else {}
        found, new = adding.value(
            name, thing, what=what or "the value", owner=owner(), description=description, source=source
        )
    return DatasetVersion(found, store), new


def dataset(ref: str | DatasetVersion) -> DatasetVersion:
    """A version: ``churn-data@2``, or the newest for ``churn-data``. Raises ``UsageError``, ``BackendError``."""
    if isinstance(ref, DatasetVersion):
        return ref
    store = data_store()
    return DatasetVersion(store.get(*parse_ref(ref)), store)


def datasets(name: str = "") -> DatasetList:
    """The newest version of each data set; or all versions of the one called ``name``, the newest first."""
    store = data_store()
    if name:
        name, number = parse_ref(name)
        if not store.numbers(name) or number is not None:
            store.get(name, number)
    found, damaged = store.readable(name, newest=not name)
    return DatasetList((DatasetVersion(one, store) for one in found), (one.ref for one in damaged))


def records() -> DatasetRecords:
    """The versions of the store, as the catalog reads them."""
    return DatasetRecords(data_store())


def verify(*versions: DatasetVersion) -> Verification:
    """Read every byte of versions, by default of all. Raises ``BackendError``."""
    store = data_store()
    return store.verify([one.snapshot() for one in versions] if versions else None)


@dataclass(frozen=True)
class Unused:
    """Objects of a store that no version refers to, and ``drafts`` of values that killed processes left in the home."""

    objects: tuple[StoredObject, ...]
    drafts: tuple[Path, ...] = ()

    @property
    def title(self) -> str:
        """What they are, in words: their number, the largest ones, and their size."""
        if not self.objects:
            return self._drafts
        largest = sorted((one.size for one in self.objects), reverse=True)[:_SHOWN]
        sizes = ", ".join(map(file_size, largest)) + (", ..." if len(self.objects) > len(largest) else "")
        total = file_size(sum(one.size for one in self.objects))
        what = "1 object" if len(self.objects) == 1 else f"{len(self.objects)} objects"
        more = f", and {self._drafts}" if self.drafts else ""
        return f"{what} ({sizes}; {total} in all) that no version refers to{more}"

    @property
    def _drafts(self) -> str:
        count = "1 draft" if len(self.drafts) == 1 else f"{len(self.drafts)} drafts"
        return f"{count} of values that were not added ({file_size(self.size_of_drafts)})"

    @property
    def size_of_drafts(self) -> int:
        """Bytes of the drafts."""
        return sum(file.stat().st_size for one in self.drafts for file in one.rglob("*") if file.is_file())


def unused() -> Unused:
    """What no version refers to, if it was written more than an hour ago. Raises ``BackendError``."""
    return Unused(tuple(data_store().unused()), tuple(left_behind(home())))


def prune(found: Unused) -> int:
    """Remove what ``unused`` found; the bytes that were freed. Raises ``BackendError``."""
    freed = data_store().remove(found.objects) + found.size_of_drafts
    for draft in found.drafts:
        shutil.rmtree(draft, ignore_errors=True)
    return freed


def _version(store: DataStore, added: tuple[DatasetSnapshot, bool]) -> tuple[DatasetVersion, bool]:
    return DatasetVersion(added[0], store), added[1]
