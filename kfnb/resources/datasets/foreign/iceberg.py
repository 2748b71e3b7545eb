"""Tables of Iceberg in a folder: ``iceberg://PATH@SNAPSHOT``, by the ids of their snapshots."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from kfnb.errors import Absent, UsageError
from kfnb.extras import require
from kfnb.resources.datasets.foreign.table import parquet_of, place_of, table_entry
from kfnb.resources.datasets.model import FileEntry

_SCHEME = "iceberg://"
_METADATA = re.compile(r"v?(\d+)(-.*)?\.metadata\.json")


class Iceberg:
    """Snapshots of Iceberg tables, by the newest metadata in their folders. See ``tools.VersioningTool``."""

    keeps_tables = True

    def keeps(self, uri: str) -> bool:
        """See ``VersioningTool``."""
        return uri.startswith(_SCHEME)

    def entry(self, uri: str) -> FileEntry:
        """See ``VersioningTool``."""
        folder, snapshot = place_of(uri, _SCHEME)
        try:
            table = _open(folder)
            found = table.snapshot_by_id(snapshot) if snapshot is not None else table.current_snapshot()
        except Absent as error:
            raise UsageError(f"{uri}: {error}", code="file-not-found", ref=uri) from None
        if found is None:
            known = ", ".join(str(one.snapshot_id) for one in table.snapshots()[-5:]) or "none"
            message = f"{uri}: the table has no such snapshot; its newest are {known}"
            raise UsageError(message, code="file-not-found", ref=uri)
        return table_entry(_SCHEME, folder, found.snapshot_id)

    def check(self, entry: FileEntry) -> None:
        """See ``VersioningTool``."""
        with _errors(entry.uri):
            files = [task.file.file_path for task in _scan(entry).plan_files()]
        for file in files:
            if not _is_there(file):
                raise Absent(f"{file} is missing", ref=entry.uri)

    def stream(self, entry: FileEntry) -> Iterator[bytes]:
        """See ``VersioningTool``."""
        with _errors(entry.uri):
            rows = _scan(entry).to_arrow()
        yield from parquet_of(rows)


def _open(folder: Path) -> Any:
    require("pyiceberg", "a table of Iceberg")
    from pyiceberg.table import StaticTable

    metadata = [
        (int(match[1]), str(file))
        for file in (folder / "metadata").glob("*.metadata.json")
        if (match := _METADATA.fullmatch(file.name))
    ]
    if not metadata:
        raise Absent(f"{folder} is not the folder of an Iceberg table", ref=str(folder))
    with _errors(str(folder)):
        return StaticTable.from_metadata(max(metadata)[1])


def _is_there(file: str) -> bool:
    """Whether a file of a table exists; of one in a bucket, that is not asked."""
    parts = urlsplit(file)
    places = (parts.path, unquote(parts.path))
    return parts.scheme not in ("", "file") or any(Path(one).exists() for one in places)


def _scan(entry: FileEntry) -> Any:
    folder, snapshot = place_of(entry.uri, _SCHEME)
    table = _open(folder)
    if table.snapshot_by_id(snapshot) is None:
        raise Absent(f"{folder} has no snapshot {snapshot}", ref=entry.uri)
    return table.scan(snapshot_id=snapshot)


@contextmanager
def _errors(ref: str) -> Iterator[None]:
    """Translate the errors of Iceberg's library."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise Absent(str(error).partition("\n")[0], ref=ref) from None
