"""Adding data sets: at the disk's own rate; what is unchanged costs neither time nor space."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Measured, in_turn

FILES, SIZE = 200, 5_000_000
ROUNDS = 3
_SETTLED = 2.5
"""Seconds after which a file's times tell that it is unchanged."""


def adding() -> Iterator[Measured]:
    """A folder of 1 GB, then again with one file in a hundred changed; beside copying it to the same disk."""
    from kfnb.resources.datasets.digests import FileDigests
    from kfnb.resources.datasets.objects import FolderObjects
    from kfnb.resources.datasets.store import DataStore
    from kfnb.resources.datasets.version_writer import VersionWriter

    with tempfile.TemporaryDirectory() as top:
        folder = Path(top, "folder")
        folder.mkdir()
        for number in range(FILES):
            (folder / f"{number:03}.bin").write_bytes(os.urandom(SIZE))
        time.sleep(_SETTLED)

        def add(to: VersionWriter) -> float:
            start = time.perf_counter()
            to.path("data", folder, owner="ann", description="", source={})
            return time.perf_counter() - start

        def first() -> float:
            shutil.rmtree(Path(top, "store"), ignore_errors=True)
            Path(top, "digests.db").unlink(missing_ok=True)
            return add(_adding())

        def _adding() -> VersionWriter:
            store = DataStore(FolderObjects(Path(top, "store")))
            return VersionWriter(store, Path(top, "home"), FileDigests(Path(top, "digests.db")))

        def disk() -> float:
            shutil.rmtree(Path(top, "copy"), ignore_errors=True)
            start = time.perf_counter()
            _copied(folder, Path(top, "copy"))
            return time.perf_counter() - start

        whole, plain = in_turn(ROUNDS, first, disk)
        before = _size(Path(top, "store"))
        for number in range(FILES // 100):
            (folder / f"{number:03}.bin").write_bytes(os.urandom(SIZE))
        time.sleep(_SETTLED)
        again = add(_adding())
        grown = _size(Path(top, "store")) - before
    megabytes = FILES * SIZE // 10**6
    yield Measured(
        f"add a folder of {megabytes:,} MB", whole, "1.67 of a copy", plain, "copying it, to the disk"
    )
    yield Measured(
        "add it again, one file in a hundred changed", again, "0.1 of the first", whole, "the first"
    )
    yield Measured("bytes that this added to the store", grown, "0.01", FILES * SIZE, "the folder", unit="MB")


def _copied(source: Path, target: Path) -> None:
    target.mkdir()
    for file in source.iterdir():
        shutil.copyfile(file, target / file.name)
        with (target / file.name).open("rb") as copy:
            os.fsync(copy.fileno())


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
