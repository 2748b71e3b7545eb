"""The public functions of data sets."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from kfnb import disk
from kfnb.errors import BackendError, KfnbError, UsageError
from kfnb.resources.datasets import marks
from kfnb.resources.datasets.checkout import left_over
from kfnb.resources.datasets.foreign import is_foreign
from kfnb.resources.datasets.handle import CHECKED_OUT, DatasetList, DatasetVersion
from kfnb.resources.datasets.location import data_store, file_digests, home
from kfnb.resources.datasets.marks import MISSING
from kfnb.resources.datasets.model import Damage, DatasetSnapshot, Verification
from kfnb.resources.datasets.pipeline_data import TakenData, taken, with_data, with_newest_data
from kfnb.resources.datasets.reference import parse_ref
from kfnb.resources.datasets.schemas import profile_of_version, write_schema
from kfnb.resources.datasets.store import DataStore
from kfnb.resources.datasets.traces import DatasetRecords
from kfnb.resources.datasets.unused_content import Unused, size_of
from kfnb.resources.datasets.version_writer import VersionWriter, left_behind
from kfnb.settings import owner

__all__ = [
    "TakenData",
    "Unused",
    "add",
    "add_data",
    "damaged",
    "dataset",
    "datasets",
    "digest_of",
    "digests",
    "infer_schema",
    "profile_of_version",
    "prune",
    "records",
    "store_summary",
    "taken",
    "unused",
    "verify",
    "verify_refs",
    "with_data",
    "with_newest_data",
]


def add_data(name: str, value_or_path: Any, *, description: str = "") -> DatasetVersion:
    """Add a value, or the file or folder at a path (a text or ``Path``), as a version of the data set ``name``.

    Objects at an address (``s3://bucket/folder``) are registered by reference, and not copied. Content that a version
    has already is that version, whose ``load`` returns what was added then. Raises ``UsageError``, ``BackendError``.
    """
    return add(name, value_or_path, description=description)[0]


def add(
    name: str, thing: Any, *, what: str = "", cell: str = "", description: str = ""
) -> tuple[DatasetVersion, bool]:
    """As ``add_data``: the version, and whether it is new. ``what`` is the value's name, in the cell ``cell``."""
    store = data_store()
    writer = VersionWriter(store, home(), file_digests())
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
                writer.reference(name, str(thing), owner=owner(), description=description, source=source),
            )
        path = Path(thing).expanduser()
        found, new = writer.path(
            name,
            path,
            owner=owner(),
            description=description,
            source={**source, "path": str(path.absolute())},
        )
    else:
        source |= {"name": what} if what else {}
        found, new = writer.value(
            name, thing, what=what or "the value", owner=owner(), description=description, source=source
        )
    return DatasetVersion(found, store), new


def dataset(ref: str | DatasetVersion) -> DatasetVersion:
    """A version: ``churn-data@2``, or the newest for ``churn-data``. Raises ``UsageError``, ``BackendError``."""
    if isinstance(ref, DatasetVersion):
        return ref
    store = data_store()
    return DatasetVersion(store.get(*parse_ref(ref)), store)


def infer_schema(data: Any, path: str | Path | None = None, *, what: str = "") -> Path:
    """Write the schema of data that is as it should be, with slack: people edit it, ``kf.check`` compares with it.

    ``data`` is a version of a data set, a reference (``churn-data@2``), a table, or the ``Path`` of a Parquet file; a
    table is called ``what`` in the file. Without ``path``, a version's schema is ``NAME.schema.yaml``. Returns the
    path. Raises ``UsageError`` if there is a file already, or for what is not a table; ``BackendError``.
    """
    if isinstance(data, str):
        data = dataset(data)
    source = data.ref if isinstance(data, DatasetVersion) else what or "the table"
    return write_schema(data, path, source)


def digest_of(ref: str) -> str:
    """The digest of a version's content, by which it is the same in every store. Raises as ``dataset`` does."""
    return dataset(ref).digest


def datasets(name: str = "") -> DatasetList:
    """The newest version of each data set; or all versions of the one called ``name``, the newest first."""
    store = data_store()
    if name:
        name, number = parse_ref(name)
        if not store.numbers(name) or number is not None:
            store.get(name, number)
    found, damaged = store.readable(name, newest=not name)
    return DatasetList((DatasetVersion(one, store) for one in found), (one.ref for one in damaged))


def store_summary() -> str:
    """Where the data store is, and how many data sets it has. Raises ``UsageError``, ``BackendError``."""
    store = data_store()
    if "://" not in store.root and (why := disk.unusable(Path(store.root))):
        raise BackendError(f"the data store {store.root} cannot be used: {why}", code="not-found")
    count = len(store.names())
    return f"{'1 data set' if count == 1 else f'{count} data sets'} in {store.root}"


def records() -> DatasetRecords:
    """The versions of the store, as the catalog reads them."""
    return DatasetRecords(data_store())


def verify(*versions: DatasetVersion) -> Verification:
    """Read every byte of versions, by default of all, and name the models made of what is damaged.

    Raises ``BackendError``.
    """
    found = data_store().verify([one.snapshot() for one in versions] if versions else None)
    try:
        return replace(found, damages=tuple(replace(one, models=_made_of(one.ref)) for one in found.damages))
    except KfnbError as error:
        return replace(found, note=f"The models that were made of it are not known: {error}")


def verify_refs(refs: Iterable[str]) -> Verification:
    """Read every byte of the versions that references name; a missing one is damaged. Raises ``BackendError``."""
    store, named = data_store(), dict.fromkeys(refs)
    lost = {ref for ref, problem in marks.damaged(store, named).items() if problem == MISSING}
    found = [store.record_or_damage(*_pair(ref)) for ref in named if ref not in lost]
    verified = store.verify(
        [one for one in found if isinstance(one, DatasetSnapshot)],
        [one for one in found if isinstance(one, Damage)],
    )
    missing = [Damage(ref, "", MISSING) for ref in named if ref in lost]
    return replace(verified, versions=len(named), damages=(*missing, *verified.damages))


def damaged(refs: Iterable[str]) -> Mapping[str, str]:
    """By reference, what is known to be wrong with versions; no content is read. Raises ``BackendError``."""
    return marks.damaged(data_store(), refs)


def digests(refs: Iterable[str]) -> Mapping[str, str]:
    """The digests of the versions with these references that can be read. Raises ``BackendError``."""
    store = data_store()
    found = (store.record_or_damage(*_pair(ref)) for ref in refs)
    return {one.ref: one.identity for one in found if isinstance(one, DatasetSnapshot)}


def _pair(ref: str) -> tuple[str, int]:
    name, number = parse_ref(ref)
    assert number is not None
    return name, number


def _made_of(ref: str) -> tuple[str, ...]:
    """The versions of models that name a version of a data set, in order."""
    models = resolve_name("kfnb:models")  # by its public name, since models read the records of data sets
    return tuple(sorted({one.ref for one in models(data=ref, archived=True)}))


def unused() -> Unused:
    """What no version refers to, if it was written more than an hour ago; and files that were not used for long.

    Raises ``BackendError``.
    """
    return Unused(
        tuple(data_store().unused()), tuple(left_behind(home())), tuple(left_over(home() / CHECKED_OUT))
    )


def prune(found: Unused) -> int:
    """Remove what ``unused`` found; the bytes that were freed. Raises ``BackendError``."""
    freed = data_store().remove(found.objects)
    for folder in (*found.drafts, *found.copies):
        freed += size_of(folder)
        shutil.rmtree(folder, ignore_errors=True)
    return freed


def _version(store: DataStore, added: tuple[DatasetSnapshot, bool]) -> tuple[DatasetVersion, bool]:
    return DatasetVersion(added[0], store), added[1]
