"""Objects that are in a bucket already, as files of a version: known by what the store says of them, and not copied."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from kfnb.entities.profile import ColumnProfile
from kfnb.errors import Absent, BackendError, Unreadable, UsageError
from kfnb.profiles.footers import profile_footers
from kfnb.remote.objects import ObjectFacts, ObjectMissing, ObjectStore
from kfnb.remote.objects.files import ObjectFiles
from kfnb.resources.datasets import foreign
from kfnb.resources.datasets.addresses import address_in, referenced_store, without_query
from kfnb.resources.datasets.foreign import is_foreign
from kfnb.resources.datasets.model import DatasetSnapshot, FileEntry

_AT_ONCE = 16


def entries_of(uri: str) -> list[FileEntry]:
    """The object at an address, or all objects below it, in order. Raises ``UsageError``, ``BackendError``."""
    if is_foreign(uri):
        return [foreign.entry_of(uri)]
    address, _, store = referenced_store(uri)
    base = address.path.rstrip("/")
    with _errors(uri):
        found = [base] if _is_object(store, base) else [one.path for one in store.list_all(base)]
    if not found:
        raise UsageError(f"no object is at {uri}, or below it", code="file-not-found", ref=uri)
    names = {path: path.removeprefix(f"{base}/") for path in sorted(found)}
    if found == [base]:
        names = {base: base.rpartition("/")[2]}
    uris = {path: address_in(uri, path) for path in names}
    with ThreadPoolExecutor(_AT_ONCE) as threads:  # a listing does not have the versions of objects
        known = threads.map(lambda path: _facts(store, path, uri), names)
        return [
            FileEntry(names[path], facts.size, "", uri=uris[path], tag=facts.tag, version=facts.version)
            for path, facts in zip(names, known, strict=True)
        ]


def address_of(record: DatasetSnapshot) -> str:
    """The address of a version's object, of the folder of its objects, or of what another tool keeps."""
    first = record.files[0]
    address = first.uri if is_foreign(first.uri) else without_query(first.uri)
    return address if record.is_one_file else address.removesuffix(f"/{first.path}")


def state(entry: FileEntry) -> str:
    """The state of an entry's object: empty if it is unchanged, else ``missing`` or ``changed``."""
    if is_foreign(entry.uri):
        return foreign.state(entry)
    address, _, store = referenced_store(entry.uri)
    try:
        return "" if _facts(store, address.path, entry.uri).tag == entry.tag else "changed"
    except Absent:
        return "missing"


def stream(entry: FileEntry) -> Iterator[bytes]:
    """The bytes of an entry's object, by its version where its bucket keeps versions.

    Raises ``Absent`` if it is missing or was changed, else ``BackendError``.
    """
    if is_foreign(entry.uri):
        yield from foreign.stream(entry)
        return
    address, _, store = referenced_store(entry.uri)
    with _errors(entry.uri):
        yield from store.stream(address.path, version=entry.version)


def profile_of(entries: list[FileEntry]) -> tuple[tuple[ColumnProfile, ...], int | None]:
    """What the footers of Parquet files in a bucket state; nothing for other files. Raises what reading them raises."""
    if not all(entry.path.endswith(".parquet") and not is_foreign(entry.uri) for entry in entries):
        return (), None
    opened: list[Any] = []
    try:
        for entry in entries:
            address, _, store = referenced_store(entry.uri)
            opened.append(ObjectFiles(store).open(address.path))
        return profile_footers(opened)
    finally:
        for file in opened:
            file.close()


def _is_object(store: ObjectStore, path: str) -> bool:
    try:
        store.facts(path)
    except ObjectMissing:
        return False
    return True


def _facts(store: ObjectStore, path: str, uri: str) -> ObjectFacts:
    with _errors(uri):
        return store.facts(path)


@contextmanager
def _errors(uri: str) -> Iterator[None]:
    """Translate the errors of the object store."""
    try:
        yield
    except ObjectMissing as error:
        raise Absent(str(error), ref=uri) from None
    except Unreadable as error:
        raise BackendError(str(error), code=error.code, hint=error.hint, ref=uri) from None
