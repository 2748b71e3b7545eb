"""Values of a notebook as files of a version, and back: frames, arrays, and dicts of them. Nothing is pickled."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from kfnb.errors import UsageError
from kfnb.extras import require
from kfnb.resources.datasets.logical import array_digest, group_digest, table_digest
from kfnb.resources.datasets.model import ColumnProfile
from kfnb.resources.datasets.profile import profile_array, profile_table

_KINDS = {
    ("pandas", "DataFrame"): "pandas",
    ("pandas", "Series"): "pandas.Series",
    ("polars", "DataFrame"): "polars",
    ("polars", "Series"): "polars.Series",
    ("pyarrow", "Table"): "arrow",
    ("numpy", "ndarray"): "numpy",
}
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
    names = sorted(value) if all(isinstance(name, str) and name for name in value) else []
    libraries = {name: library_of(value[name]) for name in names}
    if not names or not all(libraries.values()):
        other = next((f"{what}[{name!r}]" for name, library in libraries.items() if not library), what)
        raise UsageError(
            f"a dict of data needs text keys and frames or arrays as values; {other} is neither", ref=what
        )
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


def _write_part(value: Any, library: str, stem: Path, what: str) -> _WrittenPart:
    if library == "numpy":
        return _write_array(value, stem.with_name(f"{stem.name}.npy"), what)
    require("pyarrow", "adding a table")
    table = _to_arrow(value, library, what)
    logical = _digest_of(table, library, what)
    for ending, save in (("parquet", _save_parquet), ("arrow", _save_arrow)):
        file = stem.with_name(f"{stem.name}.{ending}")
        if _saved(save, table, file) and _comes_back(logical, library, file, what):
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


def _comes_back(logical: str, library: str, file: Path, what: str) -> bool:
    import pyarrow as pa

    try:
        value = _read_part(library, file, file.name)
        return _digest_of(_to_arrow(value, library, what), library, what) == logical
    except (pa.ArrowException, UsageError, ValueError, TypeError):
        return False


def _loss(value: Any, library: str, what: str) -> str:
    """Which column comes back as another one."""
    hint = "convert it with .astype(...) to one type, or write a file yourself and add that"
    if library in ("pandas", "polars"):
        for name in value.columns:
            one = value[[name]]
            table = _to_arrow(one, library, what)
            again = table.to_pandas() if library == "pandas" else _from_arrow(table, library)
            if table_digest(_to_arrow(again, library, what)) != table_digest(table):
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


# -- tables ---------------------------------------------------------------------------------------------------------


def _to_arrow(value: Any, library: str, what: str) -> Any:
    import pyarrow as pa

    if library == "arrow":
        return value
    if library == "polars":
        return value.to_arrow()
    if library == "polars.Series":
        return value.to_frame().to_arrow()
    frame = value.to_frame("" if value.name is None else value.name) if library == "pandas.Series" else value
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise UsageError(f"{what} has two columns called {twice[0]!r}: rename one", ref=what)
    try:
        return pa.Table.from_pandas(frame)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise UsageError(_unfit(frame, what, error), ref=what) from None


def _unfit(frame: Any, what: str, error: Exception) -> str:
    """Which column of a DataFrame Arrow cannot hold."""
    import pyarrow as pa

    for name in frame.columns:
        try:
            pa.Array.from_pandas(frame[name])
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            kinds = sorted({type(item).__name__ for item in frame[name].dropna().head(100_000)})
            one = f"values of type {kinds[0]}, which a table cannot hold" if len(kinds) == 1 else ""
            several = f"values of several types ({', '.join(kinds)})"
            return f"column {name!r} of {what} holds {one or several}: convert it with .astype(...)"
    return f"{what} cannot be written as a table: {error}"


def _from_arrow(table: Any, library: str) -> Any:
    if library == "arrow":
        return table
    if library.startswith("polars"):
        import polars as pl

        frame: Any = pl.from_arrow(table)
        return frame if library == "polars" else frame.to_series(0)
    frame = table.to_pandas()
    if library == "pandas":
        return frame
    label = frame.columns[0]
    return frame.iloc[:, 0].rename(None if isinstance(label, str) and not label else label)


def _save_parquet(table: Any, file: Path) -> None:
    """Content-defined chunks: a row more leaves most of the file's bytes as they were."""
    import pyarrow.parquet as pq

    chunked = {"use_content_defined_chunking": True} if _has_chunking() else {}
    pq.write_table(table, file, compression="zstd", **chunked)


def _has_chunking() -> bool:
    import pyarrow as pa

    return int(pa.__version__.partition(".")[0]) >= 21  # noqa: PLR2004 - its first version that has them


def _save_arrow(table: Any, file: Path) -> None:
    import pyarrow as pa

    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
        if not table.num_rows:  # which writes nothing then: categories would be lost
            columns = [column.chunk(0) for column in table.columns if column.num_chunks]
            if len(columns) == table.num_columns:
                writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=table.schema))


def read_table(file: Path, name: str) -> Any:
    """The table in a file that is called ``name``: Parquet, or Arrow's own format."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not name.endswith((".arrow", ".feather")):
        return pq.ParquetFile(file).read()
    with pa.OSFile(str(file), "rb") as source:
        return pa.ipc.open_file(source).read_all()


# -- arrays ---------------------------------------------------------------------------------------------------------


def _write_array(value: Any, file: Path, what: str) -> _WrittenPart:
    import numpy as np

    if value.dtype.hasobject:
        raise UsageError(
            f"{what} is an array of Python objects, which is not kept; convert it with .astype(...)", ref=what
        )
    with file.open("xb") as target:
        np.save(target, value, allow_pickle=False)
    rows = len(value) if value.ndim else None
    columns = profile_array(value) if "pyarrow" in sys.modules or _has_arrow() else ()
    return _WrittenPart(file, array_digest(value), columns, rows)


def _has_arrow() -> bool:
    from importlib.util import find_spec

    return find_spec("pyarrow") is not None


def _read_part(library: str, file: Path, name: str) -> Any:
    if library == "numpy":
        import numpy as np

        return np.load(file, allow_pickle=False)
    require("pyarrow", "loading a table")
    return _from_arrow(read_table(file, name), library)


def _refusal(value: Any, what: str) -> str:
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    if type(value).__name__ == "LazyFrame":
        return f"{what} is a query that has not run: add {what}.collect()"
    return f"{what} is of type {kind}, which is not kept as data; add {KEPT}, or a path"
