"""The files of a version, back on a disk or by their names in a bucket; every byte is verified."""

from __future__ import annotations

import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from kfnb.diagnostics import logger
from kfnb.errors import Absent, BackendError, Conflict, KfnbError, UsageError
from kfnb.jobs import private
from kfnb.resources.datasets import foreign, object_references
from kfnb.resources.datasets.digests import ContentDigests
from kfnb.resources.datasets.model import DatasetSnapshot, FileEntry
from kfnb.resources.datasets.objects import PUBLISHED, Objects, content_key
from kfnb.resources.datasets.objects.base import verified

_logger = logger(__package__)

_READ_ONLY = 0o444
UNUSED_FOR = 30 * 86400.0
"""Seconds after which the files of a version are left over: whoever uses them has them checked out again."""
_AT_ONCE = 16
_PROBLEMS = {"missing": "is missing from", "changed": "was changed in"}


def check_out(objects: Objects, record: DatasetSnapshot, folder: Path, digests: ContentDigests) -> list[Path]:
    """The files of a version below ``folder``, read-only, in the order of the record; made where they are missing.

    They share their bytes with the store where that is possible. Raises ``BackendError``, also for changed bytes.
    """
    with _written(folder):
        private.make(folder)
        with suppress(OSError):
            os.utime(folder)  # it is used now: see ``left_over``
        for entry in record.files:
            target = folder / entry.path
            if entry.sha256 and target.is_file() and digests.of(target) != entry.sha256:
                target.unlink()  # it was edited, perhaps together with the store's own file
            if not target.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                _place(objects, record, entry, target, digests)
    return [folder / entry.path for entry in record.files]


def left_over(folder: Path, unused_for: float = UNUSED_FOR) -> list[Path]:
    """The folders of versions' files in ``folder`` that were not used for ``unused_for`` seconds."""
    before = time.time() - unused_for
    found = []
    for one in sorted(folder.glob("*")):
        with suppress(FileNotFoundError):
            if one.stat().st_mtime < before:
                found.append(one)
    return found


def download(objects: Objects, record: DatasetSnapshot, target: Path, *, into: bool = False) -> Path:
    """Write a version's files as the user's own: a single file as ``target``, others below it; where they are.

    A single file is written into ``target`` if that is a folder, or is to be one (``into``). Raises ``UsageError`` if a
    file is there already or the path cannot be written, ``BackendError`` for changed bytes; nothing is written then.
    """
    single = record.is_one_file
    if single and (into or target.is_dir()):
        target /= record.files[0].path
    elif single and record.kind != "file":
        _check_ending(record, target)
    places = [(entry, target if single else target / entry.path) for entry in record.files]
    with _written(target):
        for _, place in places:
            if place.exists():
                raise UsageError(f"{place} exists; give another path, or remove it first", ref=str(place))
        target.parent.mkdir(parents=True, exist_ok=True)
    beside = target if target.is_dir() else target.parent  # on the same disk
    with _written(target), tempfile.TemporaryDirectory(dir=beside, prefix=f".{target.name}-") as folder:
        drafts = [(Path(folder, str(number)), place) for number, (_, place) in enumerate(places)]
        for (entry, _), (draft, _) in zip(places, drafts, strict=True):
            _copy(objects, record, entry, draft)
        for draft, place in drafts:  # all bytes are here, and as they were
            place.parent.mkdir(parents=True, exist_ok=True)
            draft.replace(place)
    return target


def _check_ending(record: DatasetSnapshot, target: Path) -> None:
    """Raise ``UsageError`` if the name of ``target`` promises another format than that in which a value is kept."""
    kept = Path(record.files[0].path).suffix
    if target.suffix and target.suffix != kept:
        raise UsageError(
            f"{record.ref} is kept as {kept}, not as {target.suffix}: write {target.with_suffix(kept).name}",
            hint="or load it in a program and write that",
            ref=str(target),
        )


def publish(objects: Objects, record: DatasetSnapshot) -> str:
    """The address of a version's file or folder in a bucket, by the files' own names; empty where it is a folder here.

    The bucket copies the content itself. Raises ``BackendError``.
    """
    if record.by_reference:
        for entry in record.files:
            if problem := object_references.state(entry):
                raise _damaged(record, entry, _PROBLEMS[problem], "its bucket")
        if foreign.is_foreign(record.files[0].uri):
            raise foreign.cannot_be_published(record.files[0])
        return object_references.address_of(record)
    if objects.local(record.digest) is not None:
        return ""
    folder = f"{PUBLISHED}{record.digest}"
    sizes = {one.key: one.size for one in objects.entries(f"{folder}/")}
    missing = [one for one in record.files if sizes.get(f"{folder}/{one.path}") != one.size]
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        list(threads.map(lambda one: objects.copy(content_key(one.sha256), f"{folder}/{one.path}"), missing))
    return objects.uri(f"{folder}/{record.files[0].path}" if record.is_one_file else folder)


def verified_file(
    objects: Objects, record: DatasetSnapshot, entry: FileEntry, digests: ContentDigests
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
    objects: Objects, record: DatasetSnapshot, entry: FileEntry, target: Path, digests: ContentDigests
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
        with _written(target), draft.open("xb") as file:
            for part in _bytes_of(objects, record, entry):
                file.write(part)
            draft.replace(target)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


@contextmanager
def _written(target: Path) -> Iterator[None]:
    """Translate the errors of writing ``target``."""
    try:
        yield
    except OSError as error:
        if isinstance(error, KfnbError):
            raise
        in_the_way = isinstance(error, FileExistsError | NotADirectoryError)
        why = "a part of the path is a file" if in_the_way else error.strerror or str(error)
        raise UsageError(f"cannot write {target}: {why}", ref=str(target)) from None


def _bytes_of(objects: Objects, record: DatasetSnapshot, entry: FileEntry) -> Iterator[bytes]:
    """The bytes of a file, which are as they were when it was added. Raises ``BackendError``."""
    place = "its bucket" if entry.uri else "the data store"
    try:
        if not entry.uri:
            yield from verified(objects.stream(content_key(entry.sha256)), entry.sha256, entry.path)
            return
        if not entry.version and (problem := object_references.state(entry)):
            raise _damaged(record, entry, _PROBLEMS[problem], place)
        yield from object_references.stream(entry)
    except Conflict:
        raise _damaged(record, entry, _PROBLEMS["changed"], place) from None
    except Absent:
        raise _damaged(record, entry, _PROBLEMS["missing"], place) from None
    except OSError as error:
        if isinstance(error, KfnbError):
            raise
        raise _damaged(record, entry, f"cannot be read ({error.strerror or error}) in", place) from None


def _damaged(
    record: DatasetSnapshot, entry: FileEntry, problem: str, place: str = "the data store"
) -> BackendError:
    return BackendError(
        f"{record.ref}: the content of {entry.path} {problem} {place}",
        code="unreadable",
        hint="kfnb data check shows all that is damaged",
        ref=record.ref,
    )
