"""Values of a notebook as files of a version, and back: frames, arrays, and dicts of them. Nothing is pickled."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from kfnb.entities.profile import ColumnProfile
from kfnb.errors import UsageError
from kfnb.extras import require
from kfnb.profiles.measuring import profile_array, profile_table
from kfnb.resources.datasets.exact import what_changed
from kfnb.resources.datasets.logical import array_digest, group_digest, table_digest
from kfnb.resources.datasets.tables import (
    frame_of,
    from_arrow,
    read_table,
    save_arrow,
    save_parquet,
    to_arrow,
)

_KINDS = {
    ("pandas", "DataFrame"): "pandas",
    ("pandas", "Series"): "pandas.Series",
    ("polars", "DataFrame"): "polars",
    ("polars", "Series"): "polars.Series",
    ("pyarrow", "Table"): "arrow",
    ("numpy", "ndarray"): "numpy",
}
_LONGEST_KEY = 200
"""Characters of a key, which is the name of a file: one has at most 255 bytes."""
KEPT = "DataFrames and Series of pandas and polars, Arrow tables, numpy arrays, and dicts of them"


@dataclass(frozen=True)
class Written:
    """A value that was written: ``files`` by their paths in the version, and what its record says of it."""

    kind: str
    library: str
    files: Mapping[str, Path]
    logical: str
    columns: tuple[ColumnProfile, ...]
    rows: int | None


def library_of(value: Any) -> str:
    """How a value is kept: ``pandas``, ``polars``, ``numpy``, ...; empty for a value that is not kept."""
    kind = type(value)
    return _KINDS.get((kind.__module__.partition(".")[0], kind.__name__), "")


def write(value: Any, folder: Path, what: str) -> Written:
    """Write a value, called ``what`` in messages, as files into a folder.

    Raises ``UsageError`` for a value that would come back as another one, and ``MissingExtra``.
    """
    if isinstance(value, dict):
        return _write_group(value, folder, what)
    library = library_of(value)
    if not library:
        raise UsageError(_refusal(value, what), ref=what)
    part = _write_part(value, library, folder / "data", what)
    return Written(
        "array" if library == "numpy" else "frame",
        library,
        {part.file.name: part.file},
        part.logical,
        part.columns,
        part.rows,
    )


def read(kind: str, library: str, files: Sequence[tuple[str, Path]]) -> Any:
    """The value of a version from its files, which are given by their paths in the version."""
    if kind == "frames":
        pairs = zip(files, library.split(","), strict=True)
        return {unquote(name.rpartition(".")[0]): _read_part(one, file, name) for (name, file), one in pairs}
    [(name, file)] = files
    return _read_part(library, file, name)


@dataclass(frozen=True)
class _WrittenPart:
    file: Path
    logical: str
    columns: tuple[ColumnProfile, ...]
    rows: int | None


def _write_group(value: Mapping[Any, Any], folder: Path, what: str) -> Written:
    libraries = _libraries(value, what)
    names = sorted(value)
    parts = {
        name: _write_part(value[name], libraries[name], folder / quote(name, safe=" "), f"{what}[{name!r}]")
        for name in names
    }
    return Written(
        "frames",
        ",".join(libraries.values()),
        {part.file.name: part.file for part in parts.values()},
        group_digest({name: f"{libraries[name]}:{part.logical}" for name, part in parts.items()}),
        tuple(
            ColumnProfile(**{**vars(column), "name": f"{name}.{column.name}"})
            for name, part in parts.items()
            for column in part.columns
        ),
        None,
    )


def _libraries(value: Mapping[Any, Any], what: str) -> dict[str, str]:
    """How each part of a dict is kept. Raises ``UsageError`` if it has other parts, or none."""
    if not value:
        raise UsageError(f"{what} is an empty dict: a dict of data needs frames or arrays", ref=what)
    for name in value:
        if not isinstance(name, str) or not name:
            raise UsageError(f"a dict of data needs texts as keys; {what} has the key {name!r}", ref=what)
        if len(quote(name, safe=" ")) > _LONGEST_KEY:
            raise UsageError(
                f"the key {name[:20]}... of {what} is too long: use at most {_LONGEST_KEY} letters", ref=what
            )
        if not library_of(value[name]):
            kind = type(value[name]).__name__
            raise UsageError(
                f"a dict of data needs frames or arrays as values; {what}[{name!r}] is of type {kind}",
                ref=what,
            )
    return {name: library_of(value[name]) for name in sorted(value)}


def _write_part(value: Any, library: str, stem: Path, what: str) -> _WrittenPart:
    if library == "numpy":
        return _write_array(value, stem.with_name(f"{stem.name}.npy"), what)
    require("pyarrow", "adding a table")
    table = to_arrow(value, library, what)
    logical = _digest_of(table, library, what)
    for ending, save in (("parquet", save_parquet), ("arrow", save_arrow)):
        file = stem.with_name(f"{stem.name}.{ending}")
        if _saved(save, table, file) and _comes_back(value, logical, library, file, what):
            return _WrittenPart(file, logical, profile_table(table), table.num_rows)
        file.unlink(missing_ok=True)
    raise UsageError(_loss(value, library, what), ref=what)


def _saved(save: Callable[[Any, Path], None], table: Any, file: Path) -> bool:
    import pyarrow as pa

    try:
        save(table, file)
    except (pa.ArrowException, ValueError, TypeError):  # the format cannot hold it
        return False
    return True


def _comes_back(value: Any, logical: str, library: str, file: Path, what: str) -> bool:
    import pyarrow as pa

    try:
        again = _read_part(library, file, file.name)
        if library.startswith("pandas") and what_changed(frame_of(value), frame_of(again), what):
            return False
        return _digest_of(to_arrow(again, library, what), library, what) == logical
    except (pa.ArrowException, UsageError, ValueError, TypeError):
        return False


def _loss(value: Any, library: str, what: str) -> str:
    """Which column comes back as another one."""
    hint = "convert it with .astype(...) to one type, or write a file yourself and add that"
    if library.startswith("pandas"):
        frame = frame_of(value)
        if found := what_changed(frame, to_arrow(frame, "pandas", what).to_pandas(), what):
            return f"{found}; {hint}"
    if library in ("pandas", "polars"):
        for name in value.columns:
            one = value[[name]]
            table = to_arrow(one, library, what)
            again = table.to_pandas() if library == "pandas" else from_arrow(table, library)
            if table_digest(to_arrow(again, library, what)) != table_digest(table):
                return (
                    f"column {name!r} of {what} ({one[name].dtype}) would come back as another type; {hint}"
                )
    return f"{what} would come back as another value; {hint}"


def _digest_of(table: Any, library: str, what: str) -> str:
    import pyarrow as pa

    try:
        found = table_digest(table)
    except (pa.ArrowException, ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"{what} has a column whose type cannot be kept: {error}", ref=what) from None
    return group_digest({"series": found}) if library.endswith(".Series") else found


# -- arrays ---------------------------------------------------------------------------------------------------------


def _write_array(value: Any, file: Path, what: str) -> _WrittenPart:
    import numpy as np

    if _has_extended(value.dtype):
        raise UsageError(
            f"{what} is an array of {value.dtype}, which differs from machine to machine; convert it with"
            " .astype('float64') or .astype('complex128')",
            ref=what,
        )
    if value.dtype.hasobject:
        raise UsageError(
            f"{what} is an array of Python objects, which cannot be added; convert it with .astype(...)",
            ref=what,
        )
    with file.open("xb") as target:
        np.save(target, value, allow_pickle=False)
    rows = len(value) if value.ndim else None
    columns = profile_array(value) if "pyarrow" in sys.modules or _has_arrow() else ()
    return _WrittenPart(file, array_digest(value), columns, rows)


def _has_extended(dtype: Any) -> bool:
    """Whether a type of numpy is, or includes, one of more than 64 bits a number (``longdouble``)."""
    if dtype.names:
        return any(_has_extended(dtype[name]) for name in dtype.names)
    return str(dtype.base) not in ("float64", "complex128") and dtype.base.char in "gG"


def _has_arrow() -> bool:
    from importlib.util import find_spec

    return find_spec("pyarrow") is not None


def _read_part(library: str, file: Path, name: str) -> Any:
    if library == "numpy":
        import numpy as np

        return np.load(file, allow_pickle=False)
    require("pyarrow", "loading a table")
    return from_arrow(read_table(file, name), library)


def _refusal(value: Any, what: str) -> str:
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    if type(value).__name__ == "LazyFrame":
        return f"{what} is a query that has not run: add {what}.collect()"
    return f"{what} is of type {kind}, which cannot be added as data; add {KEPT}, or a path"
