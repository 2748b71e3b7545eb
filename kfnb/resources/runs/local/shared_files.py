"""Copies of files that share disk space, if the file system supports it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

_FICLONE = 0x40049409
"""Linux's ioctl that shares a file's blocks until one of the copies is written (btrfs, xfs, bcachefs)."""

Stamps = Mapping[str, tuple[int, int]]
"""The size and the modification time in nanoseconds of each file under a folder."""


def clone(source: Path, target: Path) -> None:
    """Create an independent copy of ``source``: its blocks are shared if possible, else copied."""
    if not _cloned(source, target):
        shutil.copy2(source, target)


def share(source: Path, target: Path) -> None:
    """Create a file with the current content of ``source``: a clone, else a hard link, else a copy.

    With a hard link, later writes change both files: ``stamps`` detect that.
    """
    if _cloned(source, target):
        return
    with suppress(FileNotFoundError):
        target.unlink()
    try:
        target.hardlink_to(source)
    except OSError:  # another file system, or no hard links
        shutil.copy2(source, target)


def _cloned(source: Path, target: Path) -> bool:
    try:
        import fcntl

        with source.open("rb") as file, target.open("wb") as new:
            fcntl.ioctl(new, _FICLONE, file.fileno())
        shutil.copystat(source, target)
    except (ImportError, OSError):
        return False
    return True


def put(source: Path, target: Path, by: Callable[[Path, Path], None]) -> None:
    """Copy ``source``, a file or a folder, to ``target``, each file ``by`` one of the functions above."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        shutil.rmtree(target)  # left by an earlier attempt
    if source.is_dir():
        shutil.copytree(
            source, target, symlinks=True, copy_function=lambda one, two: by(Path(one), Path(two))
        )
    else:
        by(source, target)


def stamps(folder: Path) -> Stamps:
    """The stamps of all files under a folder, by their path in it."""
    return dict(_stamps(folder))


def _stamps(folder: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            status = path.stat()
            yield str(path.relative_to(folder)), (status.st_size, status.st_mtime_ns)
