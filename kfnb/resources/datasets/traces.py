"""The versions of a data store, for the index of lineage."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from kfnb.catalog.records import DATASET, ArtifactRecord, Reading, Trace
from kfnb.errors import BackendError
from kfnb.resources.datasets.model import DatasetSnapshot, FileEntry
from kfnb.resources.datasets.reference import LATEST
from kfnb.resources.datasets.store import DataStore

_AT_ONCE = 16
_SHA256 = re.compile("[0-9a-f]{64}")
_NEWEST = " newest"


class DatasetRecords:
    """The versions of a store. See ``kfnb.catalog.records.Source``.

    A record never changes, but a store may be removed and made anew; and the newest version has further references.
    """

    name = "datasets"

    def __init__(self, store: DataStore) -> None:
        self._store = store

    def stamps(self, known: Mapping[str, str]) -> Mapping[str, str]:
        """The versions of the store. Raises ``BackendError``."""
        del known  # a list for each name is quick enough
        return self._stamps(self._store.names())

    def read(self, units: Iterable[str]) -> Iterator[Reading]:
        """The facts about versions."""
        present = list(units)
        stamps = self._stamps({_parts(unit)[0] for unit in present})  # before the records: they are not newer
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            found = threads.map(lambda unit: self._read(unit, stamps.get(unit, "")), present)
            yield from (reading for reading in found if reading is not None)

    def _stamps(self, names: Iterable[str]) -> dict[str, str]:
        """By unit, when its record was written and how large it is, and whether it is the newest version."""
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            listed = threads.map(lambda name: (name, self._store.written(name)), names)
        return {
            # of another store, other units
            f"{self._store.root}\n{name}\n{number}": f"{one.size} {one.changed}{_NEWEST * (number == max(found))}"
            for name, found in listed
            for number, one in found.items()
        }

    def _read(self, unit: str, stamp: str) -> Reading | None:
        try:
            found = self._store.record(*_parts(unit))
        except BackendError:  # it is gone by now, or damaged, which other commands report
            return None
        newest = stamp.endswith(_NEWEST)
        return Reading(unit, stamp, Trace(artifacts=(_record(found, newest=newest),)))


def _parts(unit: str) -> tuple[str, int]:
    """The name and the number of a unit's version."""
    _, name, number = unit.rsplit("\n", 2)
    return name, int(number)


def _record(found: DatasetSnapshot, *, newest: bool) -> ArtifactRecord:
    files = [one for one in found.files if _SHA256.fullmatch(one.sha256)]
    also = [found.logical]
    if files and len(files) == len(found.files):
        also += [_folder_digest(files), *(one.sha256 for one in files if len(files) == 1)]
    facts = {
        "kind": found.kind,
        "rows": found.rows,
        "size": found.size,
        "owner": found.owner,
        "created": found.created,
        "description": found.description,
    }
    return ArtifactRecord(
        found.name,
        DATASET,
        digest=found.digest,
        also=tuple(filter(None, also)),
        names=(found.ref, *((found.name, f"{found.name}@{LATEST}") if newest else ())),
        run=found.source.get("run", ""),
        task=found.source.get("task", ""),
        properties={name: value for name, value in facts.items() if value not in ("", None)},
    )


def _folder_digest(files: Iterable[FileEntry]) -> str:
    """The digest of a folder with these files, as runs have it: see ``kfnb.artifacts.digests``."""
    whole = hashlib.sha256()
    for file in sorted(files, key=lambda one: one.path.split("/")):
        whole.update(f"{file.path}\0{file.sha256}\n".encode())
    return whole.hexdigest()
