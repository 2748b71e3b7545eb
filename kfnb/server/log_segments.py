"""The files of a request log.

A file grows by a block at a time, as a stream of Arrow's: ``NAME.arrows``. What a process that was killed has cut off
is at its end, and is not read. When it is large enough it becomes ``LEAST-MOST-NAME.parquet``, by the times of its
first and last request in microseconds since 1970, so that a reader opens the files of its time alone. If both are
there, the latter is true. The process that writes a file holds a lock on it; what no one locks is completed by the next
process.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OPEN, COMPLETE = ".arrows", ".parquet"
_DAY = 86400.0


@dataclass(frozen=True)
class CompleteFile:
    """A file that does not grow any more: its name, and the times in it (seconds since 1970)."""

    path: Path
    name: str
    least: float
    most: float


class Segment:
    """A file that grows. Raises ``OSError``, after which it has the blocks before, and gets no more."""

    def __init__(self, folder: Path, name: str, schema: Any) -> None:
        self.schema, self.rows, self.size, self.began = schema, 0, 0, time.monotonic()
        self._path, draft = folder / f"{name}{OPEN}", folder / f".{name}"
        self._file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            self._write(schema.serialize())
            draft.rename(self._path)  # locked by now, lest another process completes and removes it
        except OSError:
            draft.unlink()
            os.close(self._file)
            raise

    def append(self, block: Any) -> None:
        """Write a block."""
        self._write(block.serialize())
        self.rows += block.num_rows

    def _write(self, data: Any) -> None:
        done = 0
        try:
            while done < len(data):
                done += os.write(self._file, data[done:])
        except OSError:
            os.ftruncate(self._file, self.size)
            raise
        self.size += done

    def complete(self) -> None:
        """Let it be a complete file. Raises ``OSError``; then it is one that no process writes."""
        try:
            complete(self._path)
        finally:
            self.close()

    def close(self) -> None:
        """Close it without completing it."""
        os.close(self._file)


def blocks_in(file: Any) -> Iterator[Any]:
    """The blocks of a file that grows, up to where it is cut off. ``file`` is open for reading."""
    import pyarrow as pa

    with suppress(pa.ArrowInvalid, OSError, StopIteration):
        stream = pa.ipc.open_stream(file)
        while True:
            yield stream.read_next_batch()


def complete(path: Path) -> None:
    """Let a file that has grown be a complete one. Raises ``OSError``."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pa.OSFile(str(path)) as file:
        blocks = list(blocks_in(file))
    if any(block.num_rows for block in blocks):
        table = pa.Table.from_batches(blocks)
        times = pc.min_max(table["time"].cast(pa.int64()))
        draft = path.with_name(f".{path.stem}{COMPLETE}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as out:
                words = [name for name, kind in _leaves(table.schema) if not pa.types.is_floating(kind)]
                pq.write_table(table, out, compression="zstd", use_dictionary=words)
                out.flush()
                os.fsync(descriptor)
            name = f"{times['min'].as_py()}-{times['max'].as_py()}-{path.stem}{COMPLETE}"
            draft.rename(path.with_name(name))
        except OSError:
            draft.unlink(missing_ok=True)
            raise
    path.unlink()


def _leaves(fields: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The columns within columns, and their types. Most floats differ: a dictionary of them costs twice the rest."""
    import pyarrow as pa

    for one in fields:
        if pa.types.is_struct(one.type):
            yield from _leaves(one.type, f"{prefix}{one.name}.")
        else:
            yield f"{prefix}{one.name}", one.type


def complete_abandoned(folder: Path) -> None:
    """Complete the files that no process writes. Raises ``OSError``."""
    for path in folder.glob(f"*{OPEN}"):
        with suppress(FileNotFoundError):  # another process was faster
            descriptor = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                complete(path)
            except BlockingIOError:
                continue
            finally:
                os.close(descriptor)


def complete_files(folder: Path) -> list[CompleteFile]:
    """The files that do not grow any more, the oldest first."""
    found = []
    for path in folder.glob(f"*{COMPLETE}"):
        least, _, rest = path.stem.partition("-")
        most, _, name = rest.partition("-")
        if least.isdecimal() and most.isdecimal():
            found.append(CompleteFile(path, name, int(least) / 1e6, int(most) / 1e6))
    return sorted(found, key=lambda one: (one.most, one.name))


def remove_old(folder: Path, days: float, size: int) -> None:
    """Remove what is older than ``days``, and the oldest beyond ``size`` bytes."""
    kept, oldest = 0, time.time() - days * _DAY
    for one in reversed(complete_files(folder)):
        with suppress(FileNotFoundError):  # another process was faster
            kept += one.path.stat().st_size
            if one.most < oldest or kept > size:
                one.path.unlink()
