"""Adding a version: content first, its record last."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from kfnb.errors import BackendError, Code, Conflict, KfnbError, UsageError
from kfnb.jobs import private, system
from kfnb.resources.datasets import object_references, values
from kfnb.resources.datasets.digests import ContentDigests, FileDigests
from kfnb.resources.datasets.files import Contents, contents_of, files_of, footers_of, manifest_digest
from kfnb.resources.datasets.foreign import is_foreign, is_table
from kfnb.resources.datasets.model import DatasetSnapshot, FileEntry
from kfnb.resources.datasets.objects import GRACE, content_key
from kfnb.resources.datasets.store import DataStore, check_name

_AT_ONCE = 4
DRAFTS = "data-drafts"
"""The folder of the home in which values are written before they are in the store."""


def left_behind(home: Path, grace: float = GRACE) -> list[Path]:
    """The drafts of values that killed processes left in the home, older than ``grace`` seconds."""
    before = time.time() - grace
    return [one for one in sorted((home / DRAFTS).glob("*")) if _is_abandoned(one, before)]


def _is_abandoned(draft: Path, before: float) -> bool:
    """Whether a draft is older than ``before``, and no process has it."""
    try:
        folder = os.open(draft, os.O_RDONLY)
    except OSError:  # finished by now, or another user's
        return False
    try:
        system.lock(folder)
        return os.fstat(folder).st_mtime < before
    except BlockingIOError:
        return False
    finally:
        os.close(folder)


class UsedContent(Container[str]):
    """The digests of content that versions of a store refer to. Records are read when this is asked first."""

    def __init__(self, store: DataStore) -> None:
        self._store = store

    def __contains__(self, sha256: object) -> bool:
        return sha256 in self._digests

    @cached_property
    def _digests(self) -> frozenset[str]:
        records, _ = self._store.readable()
        return frozenset(file.sha256 for record in records for file in record.files)


class VersionWriter:
    """Adds versions to ``store``. ``home`` has the drafts of values, and ``digests`` the digests of files."""

    def __init__(self, store: DataStore, home: Path, digests: FileDigests) -> None:
        self._store, self._home, self._digests = store, home, digests
        self._content, self._used = ContentDigests(digests.file), UsedContent(store)

    def value(
        self, name: str, value: Any, *, what: str, owner: str, description: str, source: Mapping[str, str]
    ) -> tuple[DatasetSnapshot, bool]:
        """Add a value, called ``what`` in messages: the version, and whether it is new.

        Raises ``UsageError``, ``BackendError``.
        """
        check_name(name)
        with _draft_folder(self._home) as folder:
            written = values.write(value, Path(folder), what)
            known = self._store.same(name, written.logical, written.kind)
            if known is not None and self._unchanged(known):
                return known, False
            made = Contents(written.logical, written.columns, written.rows)
            draft = self._draft(name, written.kind, list(written.files.items()), made, written.library)
            return self._finished(
                draft, list(written.files.items()), owner=owner, description=description, source=source
            )

    def path(
        self, name: str, path: Path, *, owner: str, description: str, source: Mapping[str, str]
    ) -> tuple[DatasetSnapshot, bool]:
        """Add a file or a folder: the version, and whether it is new. Raises ``UsageError``, ``BackendError``."""
        check_name(name)
        kind = "folder" if path.is_dir() else "file"
        files = files_of(path)
        before = _stamps(files)
        try:
            made = contents_of(files, kind)
            known = self._store.same(name, made.logical, kind) if made.logical else None
            if known is not None and self._unchanged(known):
                return known, False
            draft = self._draft(name, kind, files, made)
        except OSError as error:
            if error.filename is None:
                raise
            raise UsageError(
                f"cannot read {error.filename}: {error.strerror}", code="file-not-found"
            ) from None
        if _stamps(files_of(path)) != before:
            raise Conflict(f"{path} changed while it was being read", hint="nothing was added; try again")
        return self._finished(draft, files, owner=owner, description=description, source=source)

    def reference(
        self, name: str, uri: str, *, owner: str, description: str, source: Mapping[str, str]
    ) -> tuple[DatasetSnapshot, bool]:
        """Add objects that are in a bucket already, without copying them: the version, and whether it is new.

        Raises ``UsageError``, ``BackendError``.
        """
        check_name(name)
        entries = object_references.entries_of(uri)
        made = footers_of(entries)
        tabular = is_foreign(uri) and is_table(uri)
        alone = is_foreign(uri) or (len(entries) == 1 and entries[0].uri == uri)
        kind = "frame" if tabular else "file" if alone else "folder"
        draft = DatasetSnapshot(
            name,
            0,
            manifest_digest(entries, kind),
            kind,
            files=tuple(entries),
            library="pandas" if tabular else "",
            columns=made.columns,
            rows=made.rows,
            size=sum(one.size for one in entries),
            owner=owner,
            description=description,
            source=source,
        )
        return self._store.add(draft)

    def _draft(
        self, name: str, kind: str, files: Sequence[tuple[str, Path]], made: Contents, library: str = ""
    ) -> DatasetSnapshot:
        """A version without a number, whose content is in the store now."""
        entries = self._in_threads(lambda pair: self._stored(*pair), files)
        return DatasetSnapshot(
            name,
            0,
            manifest_digest(entries, kind),
            kind,
            files=tuple(entries),
            logical=made.logical,
            library=library,
            columns=made.columns,
            rows=made.rows,
            size=sum(one.size for one in entries),
        )

    def _finished(
        self,
        draft: DatasetSnapshot,
        files: Sequence[tuple[str, Path]],
        *,
        owner: str,
        description: str,
        source: Mapping[str, str],
    ) -> tuple[DatasetSnapshot, bool]:
        found, new = self._store.add(replace(draft, owner=owner, description=description, source=source))
        if not self._complete(draft):  # a cleaning removed content that no version referred to yet
            self._in_threads(lambda pair: self._store.objects.put_content(pair[1]), files)  # whatever its age
        return found, new

    def _stored(self, path: str, file: Path) -> FileEntry:
        known = self._digests.known(file)
        before = file.stat()
        if known and self._has(FileEntry(path, before.st_size, known)) and self._stays(known):
            return FileEntry(path, before.st_size, known)
        sha256, size = self._store.objects.put_content(file, self._used)
        self._digests.keep(file, before, sha256)
        self._keep_verified(sha256)
        return FileEntry(path, size, sha256)

    def _stays(self, sha256: str) -> bool:
        """Whether content in the store, which was verified, is kept until a version refers to it."""
        if not self._store.objects.renew(content_key(sha256)):
            return sha256 in self._used
        self._keep_verified(sha256)
        return True

    def _keep_verified(self, sha256: str) -> None:
        file = self._store.objects.local(content_key(sha256))
        if file is not None:
            with suppress(OSError):  # removed by now
                if not self._content.known(file):
                    self._content.keep(file, file.stat(), sha256)

    def _complete(self, record: DatasetSnapshot) -> bool:
        """Whether the store has all content of a version."""
        found = self._in_threads(
            lambda one: bool(one.uri) or self._store.objects.find(content_key(one.sha256)), {*record.files}
        )
        return all(found)

    def _unchanged(self, record: DatasetSnapshot) -> bool:
        """Whether the store has all content of a version as it was added: what it has not is added again."""
        return all(self._in_threads(lambda one: bool(one.uri) or self._has(one), {*record.files}))

    def _has(self, entry: FileEntry) -> bool:
        key = content_key(entry.sha256)
        there = self._store.objects.find(key)
        if there is None or there.size != entry.size:
            return False
        file = self._store.objects.local(key)
        try:
            return file is None or self._content.of(file) == entry.sha256
        except OSError:
            return False

    @staticmethod
    def _in_threads(work: Callable[[Any], Any], items: Any) -> list[Any]:
        threads = ThreadPoolExecutor(_AT_ONCE)
        try:
            return list(threads.map(work, items))
        finally:
            threads.shutdown(cancel_futures=True)


@contextmanager
def _draft_folder(home: Path) -> Iterator[str]:
    """A folder for the files of a value. Raises ``BackendError`` if they cannot be written."""
    drafts = home / DRAFTS
    try:
        private.make(drafts)
        with tempfile.TemporaryDirectory(dir=drafts) as folder:
            held = os.open(folder, os.O_RDONLY)
            try:
                system.lock(held)  # until it is finished: an upload may take hours
                yield folder
            finally:
                os.close(held)
    except OSError as error:
        if isinstance(error, KfnbError):
            raise
        why = error.strerror or str(error)
        code: Code = "disk-full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "backend"
        raise BackendError(
            f"cannot write in {home}: {why}; nothing was added", code=code, ref=str(home)
        ) from None


def _stamps(files: Sequence[tuple[str, Path]]) -> list[tuple[str, int, int]]:
    states = [(name, file.stat()) for name, file in files]
    return [(name, state.st_mtime_ns, state.st_size) for name, state in states]
