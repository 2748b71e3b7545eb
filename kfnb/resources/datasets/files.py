"""Files and folders as a version: its manifest, what is known of tables in them, and their way back to a disk."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kfnb.diagnostics import logger
from kfnb.errors import BackendError, Conflict, UsageError
from kfnb.jobs import private
from kfnb.resources.datasets import foreign, referenced
from kfnb.resources.datasets.digests import FileDigests
from kfnb.resources.datasets.logical import array_digest, table_digest
from kfnb.resources.datasets.model import ColumnProfile, DatasetSnapshot, FileEntry
from kfnb.resources.datasets.objects import Objects, content_key
from kfnb.resources.datasets.objects.base import verified
from kfnb.resources.datasets.profile import profile_array, profile_footers, profile_table
from kfnb.resources.datasets.values import read_table

_logger = logger(__package__)

READ_UP_TO = 256 * 2**20
"""Bytes of a file of which all values are read; of a larger one, what its footer states is kept."""
_READ_ONLY = 0o444
_PROBLEMS = {"missing": "is missing from", "changed": "was changed in"}


@dataclass(frozen=True)
class Contents:
    """What was found out about a file or folder, as far as it is a table."""

    logical: str = ""
    columns: tuple[ColumnProfile, ...] = ()
    rows: int | None = None


def manifest_digest(files: Sequence[FileEntry]) -> str:
    """The digest of a version's files. The name of a single file does not count."""
    alone = len(files) == 1 and "/" not in files[0].path
    lines = sorted(
        ("" if alone else one.path, one.size, one.sha256 or f"{one.uri} {one.tag} {one.version}")
        for one in files
    )
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()


def files_of(path: Path) -> list[tuple[str, Path]]:
    """The files of a path by their relative paths, in order; of a single file, its name.

    Raises ``UsageError`` for what is neither file nor folder, and for links to folders, whose files would be left out.
    """
    if path.is_file():
        return [(path.name, path)]
    if not path.is_dir():
        problem = "is neither a file nor a folder" if path.exists() else "does not exist"
        raise UsageError(f"{path} {problem}", code="file-not-found", ref=str(path))
    found = sorted(_below(path))
    if not found:
        raise UsageError(f"the folder {path} has no files", ref=str(path))
    return found


def _below(top: Path) -> Iterator[tuple[str, Path]]:
    for folder, folders, names in os.walk(top, onerror=_unreadable):
        for name in folders:
            if Path(folder, name).is_symlink():
                raise UsageError(f"{Path(folder, name)} is a link to a folder: add that folder by itself")
        for name in names:
            file = Path(folder, name)
            if not file.is_file():
                problem = "is a broken link" if file.is_symlink() else "is not a regular file"
                raise UsageError(f"{file} {problem}: remove it from the folder, or add its files one by one")
            yield file.relative_to(top).as_posix(), file


def _unreadable(error: OSError) -> None:
    raise UsageError(f"cannot read {error.filename}: {error.strerror}", code="file-not-found") from None


# -- tables in files ------------------------------------------------------------------------------------------------


def contents_of(files: Sequence[tuple[str, Path]]) -> Contents:
    """What is known of the table in a file, or in a folder of Parquet files. Never raises: a file may hold anything."""
    try:
        return _contents(files)
    except Exception:
        _logger.debug("The tables of %s cannot be read.", files[0][1], exc_info=True)
        return Contents()


def footers_of(entries: list[FileEntry]) -> Contents:
    """What is known of Parquet files in a bucket, by their footers. Never raises."""
    if find_spec("pyarrow") is None:
        return Contents()
    try:
        columns, rows = referenced.profile_of(entries)
    except Exception:
        _logger.debug("The footers of %s cannot be read.", entries[0].uri, exc_info=True)
        return Contents()
    return Contents(columns=columns, rows=rows)


def _contents(files: Sequence[tuple[str, Path]]) -> Contents:
    names = [name for name, _ in files if not name.rpartition("/")[2].startswith(("_", "."))]
    if find_spec("pyarrow") is None:
        return Contents()
    name, file = files[0]
    if len(files) > 1 or file.stat().st_size > READ_UP_TO:
        if not names or not all(one.endswith(".parquet") for one in names):
            return Contents()
        columns, rows = profile_footers([file for name, file in files if name in names])
        return Contents(columns=columns, rows=rows)
    return _single(file, name.lower(), name.lower().rpartition(".")[2])


def _single(file: Path, name: str, ending: str) -> Contents:
    if ending == "npy":
        return _array(file)
    if ending in ("csv", "tsv"):
        from pyarrow import csv

        table = csv.read_csv(file, parse_options=csv.ParseOptions(delimiter="\t" if ending == "tsv" else ","))
        return Contents("", profile_table(table), table.num_rows)
    if ending in ("parquet", "arrow", "feather"):
        table = read_table(file, name)
        return Contents(table_digest(table), profile_table(table), table.num_rows)
    return Contents()


def table_of(files: Sequence[tuple[str, Path]]) -> Any:
    """The Arrow table in a version's files, which are given by their paths; None where there is none.

    Several Parquet files with the same columns are one table.
    """
    import pyarrow as pa
    from pyarrow import csv

    tables = []
    for name, file in files:
        ending = name.lower().rpartition(".")[2]
        if ending in ("csv", "tsv"):
            options = csv.ParseOptions(delimiter="\t" if ending == "tsv" else ",")
            tables.append(csv.read_csv(file, parse_options=options))
        elif ending in ("parquet", "arrow", "feather"):
            tables.append(read_table(file, name.lower()))
        elif not name.rpartition("/")[2].startswith(("_", ".")):
            return None
    return (
        pa.concat_tables(tables) if tables and len({str(one.schema.names) for one in tables}) == 1 else None
    )


def _array(file: Path) -> Contents:
    import numpy as np

    array: Any = np.load(file, allow_pickle=False)
    return Contents(array_digest(array), profile_array(array), len(array) if array.ndim else None)


# -- back to a disk -------------------------------------------------------------------------------------------------


def check_out(objects: Objects, record: DatasetSnapshot, folder: Path, digests: FileDigests) -> list[Path]:
    """The files of a version below ``folder``, read-only, in the order of the record; made where they are missing.

    They share their bytes with the store where that is possible. Raises ``BackendError``, also for changed bytes.
    """
    private.make(folder)
    found = []
    for entry in record.files:
        target = folder / entry.path
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            _place(objects, record, entry, target, digests)
        found.append(target)
    return found


def download(objects: Objects, record: DatasetSnapshot, target: Path) -> None:
    """Write a version's files as the user's own: a single file as ``target``, others below it.

    Raises ``UsageError`` if a file is there already, ``BackendError`` for changed bytes; nothing is written then.
    """
    single = record.kind != "folder" and len(record.files) == 1
    if single and target.is_dir():
        target /= record.files[0].path
    places = [(entry, target if single else target / entry.path) for entry in record.files]
    for _, place in places:
        if place.exists():
            raise UsageError(f"{place} exists; give another path, or remove it first", ref=str(place))
    for entry, place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        _copy(objects, record, entry, place)


def publish(objects: Objects, record: DatasetSnapshot) -> str:
    """The address of a version's file or folder in a bucket, by the files' own names; empty where it is a folder here.

    The bucket copies the content itself. Raises ``BackendError``.
    """
    if record.by_reference:
        for entry in record.files:
            if problem := referenced.state(entry):
                raise _damaged(record, entry, _PROBLEMS[problem], "its bucket")
        first = record.files[0]
        if foreign.is_foreign(first.uri):
            raise foreign.cannot_be_published(first)
        address = first.uri.partition("?")[0]
        return address if record.kind == "file" else address.removesuffix(f"/{first.path}")
    if objects.local(record.digest) is not None:
        return ""
    folder = f"files/{record.digest}"
    for entry in record.files:
        key = f"{folder}/{entry.path}"
        there = objects.find(key)
        if there is None or there.size != entry.size:
            objects.copy(content_key(entry.sha256), key)
    alone = len(record.files) == 1 and record.kind not in ("folder", "frames")
    return objects.uri(f"{folder}/{record.files[0].path}" if alone else folder)


def verified_file(
    objects: Objects, record: DatasetSnapshot, entry: FileEntry, digests: FileDigests
) -> Path | None:
    """The store's own file of an entry, whose bytes are as they were; None in a bucket. Raises ``BackendError``."""
    file = None if entry.uri else objects.local(content_key(entry.sha256))
    if file is None:
        return None
    try:
        if digests.of(file) == entry.sha256:
            return file
    except FileNotFoundError:
        raise _damaged(record, entry, _PROBLEMS["missing"]) from None
    raise _damaged(record, entry, _PROBLEMS["changed"])


def _place(
    objects: Objects, record: DatasetSnapshot, entry: FileEntry, target: Path, digests: FileDigests
) -> None:
    file = verified_file(objects, record, entry, digests)
    if file is not None:
        try:
            os.link(file, target)
            return
        except FileExistsError:
            return
        except OSError:  # another disk, or another user's file
            _logger.debug("%s cannot be linked.", file, exc_info=True)
    _copy(objects, record, entry, target)
    target.chmod(_READ_ONLY)


def _copy(objects: Objects, record: DatasetSnapshot, entry: FileEntry, target: Path) -> None:
    draft = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
    try:
        with draft.open("xb") as file:
            for part in _bytes_of(objects, record, entry):
                file.write(part)
        draft.replace(target)
    except Conflict:
        raise _damaged(record, entry, "was changed in") from None
    except OSError as error:
        if isinstance(error, BackendError):
            raise
        raise UsageError(f"cannot write {target}: {error.strerror}", ref=str(target)) from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _bytes_of(objects: Objects, record: DatasetSnapshot, entry: FileEntry) -> Iterator[bytes]:
    """The bytes of a file, which are as they were when it was added. Raises ``BackendError``."""
    if not entry.uri:
        yield from verified(objects.stream(content_key(entry.sha256)), entry.sha256, entry.path)
        return
    if not entry.version and (problem := referenced.state(entry)):
        raise _damaged(record, entry, _PROBLEMS[problem], "its bucket")
    yield from referenced.stream(entry)


def _damaged(
    record: DatasetSnapshot, entry: FileEntry, problem: str, place: str = "the data store"
) -> BackendError:
    return BackendError(
        f"{record.ref}: the content of {entry.path} {problem} {place}",
        code="unreadable",
        hint="kfnb data check shows all that is damaged",
        ref=record.ref,
    )


def discard(folder: Path) -> None:
    """Remove a folder of checked-out files."""
    shutil.rmtree(folder, ignore_errors=True)
