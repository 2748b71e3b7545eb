"""A data store: versions of data sets in a folder or a bucket, whose content is kept once."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from kfnb.diagnostics import logger
from kfnb.errors import Absent, BackendError, NotFound, UsageError, did_you_mean
from kfnb.resources.datasets import object_references
from kfnb.resources.datasets.marks import MISSING, DamageMarks
from kfnb.resources.datasets.model import Damage, DatasetSnapshot, FileEntry, Verification
from kfnb.resources.datasets.objects import (
    CONTENT,
    GRACE,
    PUBLISHED,
    Objects,
    StoredObject,
    content_digest,
    content_key,
)
from kfnb.resources.datasets.objects.base import sha256_of
from kfnb.resources.datasets.record import decoded, encoded

_logger = logger(__package__)

_VERSIONS = "versions/"
_RECORD = re.compile(r"(\d{6,})\.json")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_AT_ONCE = 16
_IDENTITIES = "identities/"
_MARK = re.compile(r"(\d{6,})-([0-9a-f]{64})")
_ROUNDED = 1.0
"""Seconds by which a bucket's listing and the facts of an object may give different times."""


class DataStore:
    """The versions that ``objects`` hold.

    A version is ``versions/NAME/000003.json``, whose creation allocates the number; it is written after all content
    that it refers to. So whatever interrupts a writer, no version is incomplete. Methods raise ``BackendError``.
    """

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self.damages = DamageMarks(objects)
        self._records: dict[str, DatasetSnapshot] = {}
        self._marked: set[str] = set()

    @property
    def root(self) -> str:
        """The folder, or the URI of the bucket's folder."""
        return self.objects.root

    # -- reading --------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """The names of the data sets, in order."""
        return sorted(name for name in self.objects.names(_VERSIONS) if _NAME.fullmatch(name))

    def numbers(self, name: str) -> list[int]:
        """The numbers of a data set's versions, in order; none if it is unknown."""
        found = map(_RECORD.fullmatch, self.objects.names(f"{_VERSIONS}{check_name(name)}/"))
        return sorted(int(one[1]) for one in found if one)

    def written(self, name: str) -> dict[int, StoredObject]:
        """By their numbers, the records of a data set's versions, without their content."""
        folder = f"{_VERSIONS}{check_name(name)}/"
        found = {one.key.removeprefix(folder): one for one in self.objects.entries(folder)}
        return {int(match[1]): found[file] for file in found if (match := _RECORD.fullmatch(file))}

    def get(self, name: str, version: int | None = None) -> DatasetSnapshot:
        """A version, by default the newest. Raises ``NotFound``."""
        numbers = self.numbers(name)
        if not numbers:
            hint = did_you_mean(name, self.names(), "%kf_data lists the data sets")
            raise NotFound(f"unknown data set {name}", code="not-found", hint=hint, ref=name)
        if version is None:
            version = numbers[-1]
        if version not in numbers:
            has = f"{name} has version 1" if numbers == [1] else f"{name} has versions {_ranges(numbers)}"
            raise NotFound(
                f"unknown version {name}@{version}", code="not-found", hint=has, ref=f"{name}@{version}"
            )
        return self.record(name, version)

    def versions(self, name: str = "") -> list[DatasetSnapshot]:
        """All versions of a data set, or of all; by name, the newest first. Damaged records are left out."""
        return self.readable(name)[0]

    def readable(self, name: str = "", *, newest: bool = False) -> tuple[list[DatasetSnapshot], list[Damage]]:
        """As ``versions``, or of each data set the ``newest`` version alone; and the records that are damaged."""
        names = [name] if name else self.names()
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            numbers = [found[::-1] for found in threads.map(self.numbers, names)]
            pairs = [
                (one, number)
                for one, found in zip(names, numbers, strict=True)
                for number in (found[:1] if newest else found)
            ]
            found = list(threads.map(lambda pair: self.record_or_damage(*pair), pairs))
        return (
            [one for one in found if isinstance(one, DatasetSnapshot)],
            [one for one in found if isinstance(one, Damage)],
        )

    def record_or_damage(self, name: str, number: int) -> DatasetSnapshot | Damage:
        """A version, or what is wrong with its record."""
        try:
            return self.record(name, number)
        except BackendError:
            _logger.debug("The record of %s@%s cannot be read.", name, number, exc_info=True)
            return Damage(f"{name}@{number}", _record_key(name, number), "unreadable record")

    def record(self, name: str, number: int) -> DatasetSnapshot:
        """The version with a number that is known to exist. Raises ``Absent`` if it does not, ``BackendError``."""
        key = _record_key(name, number)
        if key in self._records:
            return self._records[key]
        found = decoded(self.objects.read(key), key)
        if (found.name, found.version) != (name, number):
            message = f"the record {key} of the data store is that of {found.ref}"
            raise BackendError(message, code="invalid-object", ref=key)
        if self.objects.local(key) is None:  # a folder is as quick, and may be removed and made anew
            self._records[key] = found
        return found

    # -- writing --------------------------------------------------------------------------------------------

    def add(self, draft: DatasetSnapshot) -> tuple[DatasetSnapshot, bool]:
        """Make ``draft``, whose content is in the store, the next version of its name.

        Returns the version and whether it is new: content that a version of that name has already is that version.
        """
        check_name(draft.name)
        while True:
            number = max(self.numbers(draft.name), default=0) + 1
            if (known := self.same(draft.name, draft.identity, draft.kind)) is not None:
                if known.ref in self.damages.known():
                    self.verify([known])  # adding the content again may have repaired it
                return known, False
            made = replace(draft, version=number, created=draft.created or time.time())
            if self.objects.create(_record_key(made.name, number), encoded(made)):
                self._mark(made)
                return self.record(made.name, number), True

    def same(self, name: str, identity: str, kind: str) -> DatasetSnapshot | None:
        """The newest version of a data set with that content; None if there is none.

        A folder is never the same as a value or a file: records of older versions of kfnb do not tell a folder with one
        file from that file.
        """
        for number in self._candidates(name, identity):
            found = self.record_or_damage(name, number)
            if isinstance(found, DatasetSnapshot):
                self._mark(found)
                if found.identity == identity and (found.kind == "folder") == (kind == "folder"):
                    return found
        return None

    def _candidates(self, name: str, identity: str) -> Iterator[int]:
        """The versions that may have that content, the newest first: those with its mark, and those without any."""
        marks: dict[int, set[str]] = defaultdict(set)
        for match in map(_MARK.fullmatch, self.objects.names(f"{_IDENTITIES}{check_name(name)}/")):
            if match:
                marks[int(match[1])].add(match[2])
        return (one for one in reversed(self.numbers(name)) if one not in marks or identity in marks[one])

    def _mark(self, record: DatasetSnapshot) -> None:
        """Keep the identity of a version as a name, so that it is found by its content without reading records."""
        mark = f"{_IDENTITIES}{record.name}/{record.version:06}-{record.identity}"
        if mark in self._marked:
            return
        self._marked.add(mark)
        try:
            self.objects.create(mark, b"")
        except BackendError:  # a store that can only be read: records are read instead
            _logger.debug("%s cannot be marked.", record.ref, exc_info=True)

    # -- care -----------------------------------------------------------------------------------------------

    def verify(
        self, records: Sequence[DatasetSnapshot] | None = None, unreadable: Sequence[Damage] = ()
    ) -> Verification:
        """Read every byte of versions, by default of all; of objects elsewhere, compare the tags.

        Content that they share is read once. ``unreadable`` are versions whose records cannot be read. What is damaged
        is marked in the store, until it is found to be whole.
        """
        if records is None:
            records, unreadable = self.readable()
        damaged = [*unreadable]
        every = {_content(file): file for record in records for file in record.files}
        state = {content: self._problem(file) for content, file in every.items()}
        damaged += (
            Damage(record.ref, file.path, state[_content(file)])
            for record in records
            for file in record.files
            if state[_content(file)]
        )
        checked = {*(record.ref for record in records), *(damage.ref for damage in damaged)}
        self.damages.update(checked, damaged)
        return Verification(len(checked), sum(file.size for file in every.values()), tuple(damaged))

    def _problem(self, file: FileEntry) -> str:
        if file.uri:
            return object_references.state(file)
        try:
            found = sha256_of(self.objects.stream(content_key(file.sha256)))
        except Absent:
            return MISSING
        return "" if found == file.sha256 else "changed"

    def unused(self, grace: float = GRACE) -> list[StoredObject]:
        """The content that no version refers to, and what killed writers left, older than ``grace`` seconds.

        Also copies by name that were published of versions that no longer exist.

        Raises ``BackendError`` if a record cannot be read: what it refers to is unknown then.
        """
        before = time.time() - grace
        kept = (one for prefix in (CONTENT, PUBLISHED) for one in self.objects.entries(prefix))
        found = [one for one in kept if one.changed < before]
        drafts = [one for one in self.objects.drafts() if one.changed < before]
        used = self.used() if found else set()
        return [one for one in found if _digest_in(one.key) not in used] + drafts

    def remove(self, objects: Sequence[StoredObject]) -> int:
        """Remove objects that ``unused`` found, unless they are used by now; the bytes that were freed.

        Removing many takes long: what a writer has renewed or written anew meanwhile is left, since it may refer to it.
        """
        used, freed = self.used(), 0
        for one in objects:
            if _digest_in(one.key) not in used and self._is_as_it_was(one):
                self.objects.delete(one.key)
                freed += one.size
        return freed

    def _is_as_it_was(self, one: StoredObject) -> bool:
        now = self.objects.find(one.key)
        return now is not None and now.changed <= one.changed + _ROUNDED

    def used(self) -> set[str]:
        """The digests of all versions, and of the content that they refer to.

        Raises ``BackendError`` if a record cannot be read.
        """
        records = (self.record(name, number) for name in self.names() for number in self.numbers(name))
        return {
            digest for record in records for digest in (record.digest, *(one.sha256 for one in record.files))
        }


def _digest_in(key: str) -> str:
    """The digest in the key of content, or of a published copy; of another key, nothing that is a digest."""
    return key.split("/")[1] if key.startswith(PUBLISHED) else content_digest(key)


def check_name(name: str) -> str:
    """A valid name of a data set. Raises ``UsageError`` for another."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(
            f"invalid name of a data set: {name!r}",
            code="invalid-name",
            hint="use at most 63 lower-case letters, digits, '-', '_' and '.', beginning with a letter or a digit",
            ref=str(name),
        )
    return name


def _content(file: FileEntry) -> str:
    return file.sha256 or f"{file.uri} {file.tag}"


def _record_key(name: str, number: int) -> str:
    return f"{_VERSIONS}{name}/{number:06}.json"


def _ranges(numbers: Sequence[int]) -> str:
    """``1 to 4, 6``."""
    return ", ".join(f"{first} to {last}" if last > first else f"{first}" for first, last in _runs(numbers))


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    first = last = numbers[0]
    for number in numbers[1:]:
        if number > last + 1:
            yield first, last
            first = number
        last = number
    yield first, last
