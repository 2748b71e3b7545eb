"""Tables of pandas, polars and Arrow as one Arrow table, that as a file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kfnb.errors import UsageError


def to_arrow(value: Any, library: str, what: str) -> Any:
    """The Arrow table of a value, called ``what`` in messages. Raises ``UsageError`` for what Arrow cannot hold."""
    import pyarrow as pa

    if library == "arrow":
        return value
    if library.startswith("polars"):
        try:
            return (value if library == "polars" else value.to_frame()).to_arrow()
        except pa.ArrowException as error:  # a type that Arrow does not have
            raise UsageError(f"{what} has a column whose type cannot be kept: {error}", ref=what) from None
    frame = frame_of(value)
    _check_names(frame.columns, what)
    try:
        return pa.Table.from_pandas(frame)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise UsageError(_unfit(frame, what, error), ref=what) from None


def frame_of(value: Any) -> Any:
    """A DataFrame of pandas, of a Series too."""
    return value if value.ndim > 1 else value.to_frame("" if value.name is None else value.name)


def _check_names(names: Any, what: str) -> None:
    """Raise ``UsageError`` for names of columns that a table cannot have as they are."""
    twice = names[names.duplicated()]
    if len(twice):
        raise UsageError(f"{what} has two columns called {twice[0]!r}: rename one", ref=what)
    kinds = sorted({type(name).__name__ for name in names})
    if len(kinds) > 1 or type(names).__name__ == "CategoricalIndex":
        several = f"of several types ({', '.join(kinds)})" if len(kinds) > 1 else "categories"
        raise UsageError(
            f"the names of the columns of {what} are {several}: make them texts, with"
            " .set_axis([str(name) for name in frame], axis=1)",
            ref=what,
        )


def _unfit(frame: Any, what: str, error: Exception) -> str:
    """Which column of a DataFrame Arrow cannot hold."""
    import pyarrow as pa

    for name in frame.columns:
        try:
            pa.Array.from_pandas(frame[name])
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            if type(frame[name].dtype).__name__ == "SparseDtype":
                one = f"column {name!r} of {what} is sparse, which a table cannot hold"
                return f"{one}: convert it with .sparse.to_dense()"
            kinds = sorted({type(item).__name__ for item in frame[name].dropna().head(100_000)})
            size = " of more than 64 bits" if kinds == ["int"] else ""
            one = f"values of type {kinds[0]}{size}, which a table cannot hold" if len(kinds) == 1 else ""
            several = f"values of several types ({', '.join(kinds)})"
            return f"column {name!r} of {what} holds {one or several}: convert it with .astype(...)"
    return f"{what} cannot be written as a table: {error}"


def from_arrow(table: Any, library: str) -> Any:
    """The value of an Arrow table, as ``library`` has it."""
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


def save_parquet(table: Any, file: Path) -> None:
    """Write Parquet in content-defined chunks: a row more leaves most of the file's bytes as they were."""
    import pyarrow.parquet as pq

    chunked = {"use_content_defined_chunking": True} if _has_chunking() else {}
    pq.write_table(table, file, compression="zstd", **chunked)


def _has_chunking() -> bool:
    import pyarrow as pa

    return int(pa.__version__.partition(".")[0]) >= 21  # noqa: PLR2004 - its first version that has them


def save_arrow(table: Any, file: Path) -> None:
    """Write Arrow's own format, which holds what Parquet does not."""
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
