"""Objects that are in a bucket already, as files of a version: known by what the store says of them, and not copied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kfnb.errors import Absent, BackendError, Unreadable, UsageError
from kfnb.remote.objects import ObjectMissing
from kfnb.remote.objects.files import ObjectFiles
from kfnb.resources.datasets import foreign
from kfnb.resources.datasets.addresses import object_store
from kfnb.resources.datasets.foreign import entry_of, is_foreign
from kfnb.resources.datasets.model import ColumnProfile, FileEntry
from kfnb.resources.datasets.profile import profile_footers


def entries_of(uri: str) -> list[FileEntry]:
    """The object at an address, or all objects below it, in order. Raises ``UsageError``, ``BackendError``."""
    if is_foreign(uri):
        return [entry_of(uri)]
    address, query, store = object_store(uri)
    base = address.path.rstrip("/")
    try:
        found = [base] if _is_object(store, base) else [one.path for one in store.list_all(base)]
    except Unreadable as error:
        raise BackendError(str(error), code=error.code, hint=error.hint, ref=uri) from None
    if not found:
        raise UsageError(f"no object is at {uri}, or below it", code="file-not-found", ref=uri)
    scheme = uri.partition("://")[0]
    names = {path: path.removeprefix(f"{base}/") for path in sorted(found)}
    if found == [base]:
        names = {base: base.rpartition("/")[2]}
    return [_entry(store, path, name, scheme, query) for path, name in names.items()]


def state(entry: FileEntry) -> str:
    """What became of the object of an entry: empty if it is unchanged, else ``missing`` or ``changed``."""
    if is_foreign(entry.uri):
        return foreign.state(entry)
    address, _, store = object_store(entry.uri)
    try:
        return "" if store.facts(address.path).tag == entry.tag else "changed"
    except ObjectMissing:
        return "missing"
    except Unreadable as error:
        raise BackendError(str(error), code=error.code, hint=error.hint, ref=entry.uri) from None


def stream(entry: FileEntry) -> Iterator[bytes]:
    """The bytes of an entry's object, by its version where its bucket keeps versions.

    Raises ``Absent`` if it is missing or was changed, else ``BackendError``.
    """
    if is_foreign(entry.uri):
        yield from foreign.stream(entry)
        return
    address, _, store = object_store(entry.uri)
    try:
        yield from store.stream(address.path, version=entry.version)
    except ObjectMissing as error:
        raise Absent(str(error), ref=entry.uri) from None
    except Unreadable as error:
        raise BackendError(str(error), code=error.code, hint=error.hint, ref=entry.uri) from None


def profile_of(entries: list[FileEntry]) -> tuple[tuple[ColumnProfile, ...], int | None]:
    """What the footers of Parquet files in a bucket state; nothing for other files. Raises what reading them raises."""
    if not all(entry.path.endswith(".parquet") and not is_foreign(entry.uri) for entry in entries):
        return (), None
    opened: list[Any] = []
    try:
        for entry in entries:
            address, _, store = object_store(entry.uri)
            opened.append(ObjectFiles(store).open(address.path))
        return profile_footers(opened)
    finally:
        for file in opened:
            file.close()


def _is_object(store: Any, path: str) -> bool:
    try:
        store.facts(path)
    except ObjectMissing:
        return False
    return True


def _entry(store: Any, path: str, name: str, scheme: str, query: str) -> FileEntry:
    facts = store.facts(path)
    uri = f"{scheme}://{path}" + (f"?{query}" if query else "")
    return FileEntry(name, facts.size, "", uri=uri, tag=facts.tag, version=facts.version)
