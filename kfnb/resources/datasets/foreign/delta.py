"""Tables of Delta Lake: ``delta://PATH@12``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from kfnb.errors import Absent, UsageError
from kfnb.extras import require
from kfnb.resources.datasets.foreign.table import parquet_of, place_of, table_entry
from kfnb.resources.datasets.model import FileEntry

_SCHEME = "delta://"


class Delta:
    """Versions of Delta tables, by the numbers of their log. See ``tools.VersioningTool``."""

    keeps_tables = True

    def keeps(self, uri: str) -> bool:
        """See ``VersioningTool``."""
        return uri.startswith(_SCHEME)

    def entry(self, uri: str) -> FileEntry:
        """See ``VersioningTool``."""
        folder, version = place_of(uri, _SCHEME)
        try:
            number = _open(folder, version).version()
        except Absent as error:
            raise UsageError(f"{uri}: {error}", code="file-not-found", ref=uri) from None
        return table_entry(_SCHEME, folder, number)

    def check(self, entry: FileEntry) -> None:
        """See ``VersioningTool``. Cleaning a table removes files of its old versions."""
        folder, version = place_of(entry.uri, _SCHEME)
        for file in _open(folder, version).file_uris():
            # the path of the folder is quoted, and what is below it is not
            below = file.removeprefix(quote(str(folder)))
            if not any(Path(one).exists() for one in (file, f"{folder}{below}", unquote(file))):
                raise Absent(f"{unquote(file)} is missing", ref=entry.uri)

    def stream(self, entry: FileEntry) -> Iterator[bytes]:
        """See ``VersioningTool``."""
        folder, version = place_of(entry.uri, _SCHEME)
        table = _open(folder, version)
        with _errors(entry.uri):
            rows = table.to_pyarrow_table()
        yield from parquet_of(rows)


def _open(folder: Path, version: int | None) -> Any:
    require("deltalake", "a table of Delta Lake")
    from deltalake import DeltaTable

    with _errors(str(folder)):
        return DeltaTable(str(folder), version=version)


@contextmanager
def _errors(ref: str) -> Iterator[None]:
    """Translate the errors of Delta Lake's library."""
    from deltalake.exceptions import DeltaError

    try:
        yield
    except (DeltaError, OSError, ValueError) as error:
        raise Absent(str(error).partition("\n")[0], ref=ref) from None
