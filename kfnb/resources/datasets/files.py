"""Files and folders as a version: its manifest, and what is known of tables in them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kfnb.diagnostics import logger
from kfnb.entities.profile import ColumnProfile
from kfnb.errors import UsageError
from kfnb.profiles.footers import profile_footers
from kfnb.profiles.measuring import profile_array, profile_table
from kfnb.resources.datasets import object_references
from kfnb.resources.datasets.logical import array_digest, table_digest
from kfnb.resources.datasets.model import FileEntry, is_one_file
from kfnb.resources.datasets.tables import read_table

_logger = logger(__package__)

READ_UP_TO = 256 * 2**20
"""Bytes of a file of which all values are read; of a larger one, what its footer states is kept."""


@dataclass(frozen=True)
class Contents:
    """What was found out about a file or folder, as far as it is a table."""

    logical: str = ""
    columns: tuple[ColumnProfile, ...] = ()
    rows: int | None = None


def manifest_digest(files: Sequence[FileEntry], kind: str) -> str:
    """The digest of a version's files. The name of a file that is added by itself does not count."""
    alone = is_one_file(kind)
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
                raise UsageError(f"{Path(folder, name)} is a link to a folder, which is not followed")
        for name in names:
            file = Path(folder, name)
            if not file.is_file():
                problem = "is a broken link" if file.is_symlink() else "is not a regular file"
                raise UsageError(f"{file} {problem}: remove it from the folder, or add its files one by one")
            yield file.relative_to(top).as_posix(), file


def _unreadable(error: OSError) -> None:
    raise UsageError(f"cannot read {error.filename}: {error.strerror}", code="file-not-found") from None


# -- tables in files ------------------------------------------------------------------------------------------------


def contents_of(files: Sequence[tuple[str, Path]], kind: str) -> Contents:
    """What is known of the table in a file, or in a folder of Parquet files. Never raises: a file may hold anything.

    A folder has no logical digest: it is known by its paths and bytes.
    """
    try:
        found = _contents(files)
        return found if is_one_file(kind) else replace(found, logical="")
    except Exception:
        _logger.debug("The tables of %s cannot be read.", files[0][1], exc_info=True)
        return Contents()


def footers_of(entries: list[FileEntry]) -> Contents:
    """What is known of Parquet files in a bucket, by their footers. Never raises."""
    if find_spec("pyarrow") is None:
        return Contents()
    try:
        columns, rows = object_references.profile_of(entries)
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
