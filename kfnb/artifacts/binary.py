"""The first rows of tables and arrays in binary formats, read from only the part of the file that holds them."""

from __future__ import annotations

import io
import math
import reprlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kfnb.entities import Preview

MOST_ROWS, MOST_COLUMNS, LONGEST_WORD = 10, 12, 40
# of a file of pages or batches, which cannot be read in part: a page has up to a megabyte for each column
ALLOWANCE = 2**24
_BLOCK = 2**16
_TOO_LARGE = "the first rows are too large to show here"
# the number of dimensions of a table
_TABLES = (1, 2)


@dataclass(frozen=True)
class ArtifactFile:
    """A file; ``head`` is its beginning."""

    filesystem: Any
    path: str
    size: int | None
    head: bytes = b""

    @property
    def whole(self) -> bool:
        """Whether the head is all of it."""
        return self.size == len(self.head)

    def open(self) -> Any:
        """Open it for reading."""
        return self.filesystem.open(self.path, "rb", block_size=_BLOCK)


def word(value: Any, longest: int = LONGEST_WORD) -> str:
    """A value on one line, cut where it is long."""
    if isinstance(value, float):
        text = f"{value:.6g}"
    elif isinstance(value, str):
        text = value[: 4 * longest]
    else:
        text = reprlib.repr(value) if isinstance(value, list | tuple | dict | set | bytes) else str(value)
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def table(names: Sequence[Any], rows: Sequence[Sequence[Any]], height: int | None = None) -> Preview:
    """The first of these rows as text; ``height`` is the total number of rows, where it is known."""
    shown = [tuple(word(value) for value in row[:MOST_COLUMNS]) for row in rows[:MOST_ROWS]]
    return Preview(
        columns=tuple(word(name) for name in names[:MOST_COLUMNS]),
        rows=tuple(shown),
        hidden=max(0, len(names) - MOST_COLUMNS),
        more=height is None or height > len(shown),
        facts=() if height is None else (("shape", f"{height} x {len(names)}"),),
    )


class _Frugal(io.RawIOBase):
    """A file of which only a limited number of bytes is read; ``spent`` once more were requested."""

    def __init__(self, file: Any) -> None:
        super().__init__()
        self._file = file
        self._left = ALLOWANCE
        self.spent = False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def read(self, size: int = -1, /) -> bytes:
        if not 0 <= size <= self._left:
            self.spent = True
            raise OSError(_TOO_LARGE)
        self._left -= size
        return bytes(self._file.read(size))


def _parquet(source: ArtifactFile) -> Preview:
    """Read column by column, as many as the limit allows."""
    from pyarrow.parquet import ParquetFile

    with source.open() as opened:
        frugal = _Frugal(opened)
        file = ParquetFile(frugal, buffer_size=_BLOCK, pre_buffer=False)
        names, columns = file.schema_arrow.names, []
        for name in names[:MOST_COLUMNS]:
            try:
                columns.append(_first(file.iter_batches(MOST_ROWS, columns=[name])))
            except OSError:
                if not frugal.spent:
                    raise
                break
        found = table(names, list(zip(*columns, strict=True)), file.metadata.num_rows)
    if names and not columns:
        return replace(found, note=_TOO_LARGE)
    left_out = len(found.columns) - len(columns)
    return replace(found, columns=found.columns[: len(columns)], hidden=found.hidden + left_out)


def _first(batches: Any) -> list[Any]:
    batch = next(batches, None)
    return [] if batch is None else [_plain(value) for value in batch.column(0)]


def _plain(scalar: Any) -> Any:
    """Convert an Arrow value to Python; to Arrow's text where Python has no such value (nanoseconds)."""
    try:
        return scalar.as_py()
    except ValueError:
        return str(scalar)


def _arrow(source: ArtifactFile) -> Preview:
    """The beginning of the first batch."""
    import pyarrow as pa

    with source.open() as opened:
        file = _Frugal(opened)
        names = pa.ipc.open_file(file).schema.names
        first = pa.ipc.IpcReadOptions(included_fields=list(range(min(len(names), MOST_COLUMNS))))
        reader = pa.ipc.open_file(file, options=first)
        batches = reader.num_record_batches
        if not batches:
            return table(names, [], 0)
        try:
            batch = reader.get_batch(0)
        except OSError:
            if not file.spent:
                raise
            return replace(table(names, []), note=_TOO_LARGE)
    columns = [[_plain(value) for value in column[:MOST_ROWS]] for column in batch.columns]
    return table(names, list(zip(*columns, strict=True)), batch.num_rows if batches == 1 else None)


def _npy(source: ArtifactFile) -> Preview:
    """The first values of an array, from the file's beginning."""
    import numpy as np

    file = io.BytesIO(source.head)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[np.lib.format.read_magic(file)]
    shape, by_columns, dtype = read_header(file)
    facts = (("dtype", word(dtype)), ("shape", " x ".join(map(str, shape))))
    if dtype.hasobject:
        return Preview(facts=facts, note="not shown: the values are pickled, and loading a pickle runs code")
    data = file.read()
    flat = np.frombuffer(data[: len(data) // dtype.itemsize * dtype.itemsize], dtype)
    if by_columns:
        if flat.size < math.prod(shape):
            return Preview(
                facts=facts,
                note="not shown: the array is stored by columns and is too large to find its first rows",
            )
        flat = flat.reshape(shape, order="F").ravel()
    return replace(_values(flat.astype(str) if dtype.kind in "mM" else flat, shape), facts=facts)


def _values(flat: Any, shape: tuple[int, ...]) -> Preview:
    """Show an array of two dimensions as a table, any other by its first values in a line."""
    width = math.prod(shape[1:])
    height = min(shape[0], flat.size // width, MOST_ROWS) if len(shape) in _TABLES and width else 0
    if not height:
        first = ", ".join(word(value) for value in flat[:MOST_ROWS].tolist())
        return Preview(text=f"{first}, …" if flat.size > MOST_ROWS else first)
    if flat.dtype.names:
        names, rows = flat.dtype.names, flat[:height]
    else:
        names = ("value",) if len(shape) == 1 else range(width)
        rows = flat[: height * width].reshape(height, width)[:, :MOST_COLUMNS]
    return table(names, rows.tolist(), shape[0])


HEADS: dict[str, Callable[[ArtifactFile], Preview]] = {"parquet": _parquet, "arrow": _arrow, "npy": _npy}
"""Readers, by the format that the first bytes of a file indicate."""
