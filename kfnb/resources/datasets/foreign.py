"""What another tool keeps the versions of: a table of Delta Lake, and a file that DVC tracks.

Each is one file of a version by reference. Its tag is the tool's own version, and nothing is copied.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from kfnb.errors import Absent, BackendError, UsageError
from kfnb.extras import require
from kfnb.resources.datasets.model import FileEntry
from kfnb.resources.datasets.objects.base import pieces

DELTA, DVC = "delta://", "dvc://"
_ENDING = ".dvc"


def is_foreign(uri: str) -> bool:
    """Whether another tool keeps the versions of what is at an address."""
    return uri.startswith((DELTA, DVC)) or ("://" not in uri and uri.endswith(_ENDING))


def entry_of(uri: str) -> FileEntry:
    """The table at ``delta://PATH@12``, or the file that ``PATH.dvc`` tracks. Raises ``UsageError``."""
    return (
        _delta_entry(uri) if uri.startswith(DELTA) else _dvc_entry(Path(uri.removeprefix(DVC)).expanduser())
    )


def state(entry: FileEntry) -> str:
    """Empty if the tool still has that version, with all of its files; else ``missing``."""
    try:
        if entry.uri.startswith(DELTA):
            _check_files(_table(entry.uri), entry.uri)
        else:
            _tracked(entry)
    except Absent:
        return "missing"
    return ""


def stream(entry: FileEntry) -> Iterator[bytes]:
    """Its bytes; a table is written as Parquet. Raises ``Absent`` if the tool has that version no more."""
    if not entry.uri.startswith(DELTA):
        yield from pieces(_tracked(entry))
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, entry.path)
        with _errors(entry.uri):
            found = _table(entry.uri).to_pyarrow_table()
        pq.write_table(pa.table(found), file, compression="zstd")
        yield from pieces(file)


# -- Delta Lake -----------------------------------------------------------------------------------------------------


def _delta_entry(uri: str) -> FileEntry:
    place, at, version = uri.rpartition("@")
    if not at:
        place, version = uri, ""
    if version and not version.isdigit():
        raise UsageError(f"invalid version in {uri}:", hint="write delta://PATH@12", ref=uri)
    path = Path(place.removeprefix(DELTA)).expanduser().absolute()
    try:
        table = _open(str(path), int(version) if version else None)
    except Absent as error:
        raise UsageError(f"{uri}: {error}", code="file-not-found", ref=uri) from None
    number = table.version()
    return FileEntry(
        "data.parquet", 0, "", uri=f"{DELTA}{path}@{number}", tag=f"delta {number}", version=str(number)
    )


def _table(uri: str) -> Any:
    place, _, version = uri.removeprefix(DELTA).rpartition("@")
    return _open(place, int(version))


def _open(path: str, version: int | None) -> Any:
    require("deltalake", "a table of Delta Lake")
    from deltalake import DeltaTable

    with _errors(path):
        return DeltaTable(path, version=version)


def _check_files(table: Any, uri: str) -> None:
    """Raise ``Absent`` if a file of a table is missing: cleaning a table removes those of its old versions."""
    place, _, _ = uri.removeprefix(DELTA).rpartition("@")
    for file in table.file_uris():  # whose first part is an address, and whose rest is a name as it is
        below = file.removeprefix(quote(place))
        if not any(Path(one).exists() for one in (file, f"{place}{below}", unquote(file))):
            raise Absent(f"{unquote(file)} is missing", ref=uri)


@contextmanager
def _errors(ref: str) -> Iterator[None]:
    """Translate the errors of Delta Lake's library."""
    from deltalake.exceptions import DeltaError

    try:
        yield
    except (DeltaError, OSError, ValueError) as error:
        raise Absent(str(error).partition("\n")[0], ref=ref) from None


# -- DVC ------------------------------------------------------------------------------------------------------------


def _dvc_entry(file: Path) -> FileEntry:
    import yaml

    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
        [out] = found["outs"]
        md5, name, size = str(out["md5"]), str(out["path"]), int(out.get("size", 0))
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", code="file-not-found", ref=str(file)) from None
    except (yaml.YAMLError, ValueError, KeyError, TypeError):
        raise UsageError(f"{file} is not a file of DVC with one output and its md5", ref=str(file)) from None
    if md5.endswith(".dir"):
        raise UsageError(f"{file} tracks a folder: add the folder itself", ref=str(file))
    if "/" in name or "\\" in name:
        raise UsageError(f"{file} tracks a file in another folder: add that file itself", ref=str(file))
    return FileEntry(name, size, "", uri=f"{DVC}{file.absolute()}", tag=f"md5 {md5}", version=md5)


def _tracked(entry: FileEntry) -> Path:
    """The file with the md5 of an entry: in the workspace, else in DVC's cache. Raises ``Absent``."""
    file = Path(entry.uri.removeprefix(DVC))
    md5 = entry.version
    cached = [top / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:] for top in file.parents]
    for one in (file.parent / entry.path, *cached):
        if one.is_file() and _md5(one) == md5:
            return one
    raise Absent(f"neither the workspace nor DVC's cache has {entry.path} with md5 {md5}", ref=str(file))


def _md5(file: Path) -> str:
    found = hashlib.md5(usedforsecurity=False)
    for piece in pieces(file):
        found.update(piece)
    return found.hexdigest()


def cannot_be_published(entry: FileEntry) -> BackendError:
    """The error for pods, which do not have the tool."""
    return BackendError(
        f"{entry.uri} is read by a tool that pods do not have:",
        hint="add the data itself: kfnb.add_data(name, version.load())",
        ref=entry.uri,
    )
