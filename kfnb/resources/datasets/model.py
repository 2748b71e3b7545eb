"""Versions of data sets, their schema and profile. A version is its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kfnb.model import Listing


@dataclass(frozen=True)
class FileEntry:
    """A file of a version: its path in the version, its size in bytes, the sha256 of its bytes.

    Of a file that is registered by reference, ``sha256`` is the store's own checksum or version id, with its kind
    before it (``etag:``, ``version:``), and ``uri`` is where it is.
    """

    path: str
    size: int
    sha256: str
    uri: str = ""


@dataclass(frozen=True)
class ColumnProfile:
    """What is known of a column's values.

    ``type`` is Arrow's name of its type. ``nulls`` are missing values, including NaN. Of numbers and times: the minimum,
    the maximum and the ``edges`` of 20 quantiles with the count of each bin; fewer where edges coincide. A bin includes
    its lower edge, the last one both. Times are ISO texts as minimum and maximum, seconds since 1970 as edges. Of texts,
    categories and truth values: the ``top`` values with their counts, most frequent first, and the count of all
    ``other`` values. ``distinct`` is None above 10,000. Of what was not measured (a large file's columns), only what the
    file states is given.
    """

    name: str
    type: str
    rows: int
    nulls: int
    distinct: int | None = None
    minimum: float | str | None = None
    maximum: float | str | None = None
    mean: float | None = None
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    top: tuple[tuple[str, int], ...] = ()
    other: int = 0


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
    by_reference: bool = False

    @property
    def ref(self) -> str:
        """``churn-data@2``."""
        return f"{self.name}@{self.version}"


class DatasetList(Listing[DatasetSnapshot]):
    """Versions of data sets at the time of the request."""
