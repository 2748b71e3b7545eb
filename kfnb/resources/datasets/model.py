"""Versions of data sets. A version is its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kfnb.entities.profile import ColumnProfile


@dataclass(frozen=True)
class FileEntry:
    """A file of a version: its path in the version, its size in bytes, the sha256 of its bytes.

    A file *by reference* has no sha256: it is the object ``uri``, known by its entity tag, and by its version where the
    bucket keeps versions.
    """

    path: str
    size: int
    sha256: str
    uri: str = ""
    tag: str = ""
    version: str = ""


KINDS = {
    "frame": "a frame",
    "array": "an array",
    "frames": "a dict of frames or arrays",
    "file": "a file",
    "folder": "a folder",
}
"""The kinds of versions, and how messages name each."""


def is_one_file(kind: str) -> bool:
    """Whether a version of that kind is one file, whose name does not count, rather than a folder of named files."""
    return kind in ("file", "frame", "array")


@dataclass(frozen=True)
class DatasetSnapshot:
    """A version of a data set, as the store keeps it.

    ``digest`` is the sha256 of the manifest of its ``files``; ``logical`` that of a frame's names, types, index and
    values, empty for what is not a frame: the same frame from a file, from memory, here or from S3 has the same one.
    ``kind`` tells what ``load`` returns: ``frame``, ``array``, ``frames`` (a dict of both), ``file`` or ``folder``, and
    ``library`` by which classes: ``pandas``, ``pandas.Series``, ``polars``, ``arrow`` or ``numpy``. ``size`` is in
    bytes, times are in seconds since 1970. ``source`` tells what added it: ``cell``, ``name``, ``path``, ``run``.
    """

    name: str
    version: int
    digest: str
    kind: str
    files: tuple[FileEntry, ...] = ()
    logical: str = ""
    library: str = ""
    columns: tuple[ColumnProfile, ...] = ()
    rows: int | None = None
    size: int = 0
    created: float = 0.0
    owner: str = ""
    description: str = ""
    source: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """The digest by which two versions are the same: the logical one, or that of the files."""
        return self.logical or self.digest

    @property
    def is_one_file(self) -> bool:
        """Whether it is one file, rather than a folder of named files."""
        return is_one_file(self.kind)

    @property
    def by_reference(self) -> bool:
        """Whether its files are objects elsewhere, which the store has no copy of."""
        return any(file.uri for file in self.files)

    @property
    def ref(self) -> str:
        """``churn-data@2``."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True)
class Damage:
    """A problem with a file of a version: it is ``missing``, or its bytes were ``changed``.

    If the version's record cannot be read (``unreadable record``), ``path`` is the record's path in the store.
    ``models`` are the versions of models that were made of it.
    """

    ref: str
    path: str
    problem: str
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verification:
    """What a verification found: how many versions and bytes were read, and what is wrong.

    ``note`` says why the models that were made of it are not named.
    """

    versions: int = 0
    size: int = 0
    damages: tuple[Damage, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class ColumnShift:
    """A column of two versions whose distribution moved: by how much (see ``diff.score``), and both profiles."""

    name: str
    score: float
    before: ColumnProfile
    after: ColumnProfile


@dataclass(frozen=True)
class RowChanges:
    """The rows of two versions by a key: how many only the second or the first has, and how many differ.

    ``columns`` are the columns in which rows differ, with the number of rows.
    """

    key: str
    added: int
    removed: int
    changed: int
    unchanged: int
    columns: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class DatasetDiff:
    """What differs between two versions. ``moved`` are the columns whose distribution differs, most first.

    ``unmeasured`` are columns whose distributions are not known of both versions: they may have moved.
    """

    before: DatasetSnapshot
    after: DatasetSnapshot
    added: tuple[ColumnProfile, ...] = ()
    removed: tuple[ColumnProfile, ...] = ()
    retyped: tuple[tuple[ColumnProfile, ColumnProfile], ...] = ()
    moved: tuple[ColumnShift, ...] = ()
    unmeasured: tuple[str, ...] = ()
    files_added: tuple[str, ...] = ()
    files_removed: tuple[str, ...] = ()
    files_changed: tuple[str, ...] = ()
    rows: RowChanges | None = None

    @property
    def same(self) -> bool:
        """Whether both versions have the same content."""
        return self.before.identity == self.after.identity
