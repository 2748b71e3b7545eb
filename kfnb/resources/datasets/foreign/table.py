"""What tables of all tools have in common: addresses with a version, and their rows as Parquet."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kfnb.errors import UsageError
from kfnb.resources.datasets.model import FileEntry
from kfnb.resources.datasets.objects.base import pieces

_FILE = "data.parquet"


def place_of(uri: str, scheme: str) -> tuple[Path, int | None]:
    """The folder of the table at ``SCHEME PATH@12``, absolute, and its version; None for the newest.

    Raises ``UsageError``.
    """
    place, at, version = uri.removeprefix(scheme).rpartition("@")
    if not at:
        place, version = version, ""
    if version and not (version.isascii() and version.isdigit()):
        raise UsageError(f"invalid version in {uri}:", hint=f"write {scheme}PATH@12", ref=uri)
    return Path(place).expanduser().absolute(), int(version) if version else None


def table_entry(scheme: str, folder: Path, version: int) -> FileEntry:
    """The version of a table, as one file by reference."""
    tag = f"{scheme.removesuffix('://')} {version}"
    return FileEntry(_FILE, 0, "", uri=f"{scheme}{folder}@{version}", tag=tag, version=str(version))


def parquet_of(table: Any) -> Iterator[bytes]:
    """The bytes of an Arrow table as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, _FILE)
        pq.write_table(pa.table(table), file, compression="zstd")
        yield from pieces(file)
