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
_NEWEST, _OLDER = "newest", "older"


class DatasetRecords:
    """The versions of a store. See ``kfnb.catalog.records.Source``.

    A record never changes; but the newest version has further references, until there is a newer one.
    """

    name = "datasets"

    def __init__(self, store: DataStore) -> None:
        self._store = store

    def stamps(self, known: Mapping[str, str]) -> Mapping[str, str]:
        """The versions of the store. Raises ``BackendError``."""
        del known  # a list of names is quick enough
        found = {}
        for name in self._store.names():
            numbers = self._store.numbers(name)
            for number in numbers:
                # of another store, other units
                found[f"{self._store.root}\n{name}\n{number}"] = _NEWEST if number == numbers[-1] else _OLDER
        return found

    def read(self, units: Iterable[str]) -> Iterator[Reading]:
        """The facts about versions."""
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            yield from (reading for reading in threads.map(self._read, units) if reading is not None)

    def _read(self, unit: str) -> Reading | None:
        _, name, number = unit.rsplit("\n", 2)
        try:
            newest = self._store.numbers(name)[-1:] == [int(number)]
            found = self._store.get(name, int(number))
        except BackendError:  # a damaged record, which other commands report
            return None
        return Reading(unit, _NEWEST if newest else _OLDER, Trace(artifacts=(_record(found, newest=newest),)))


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
