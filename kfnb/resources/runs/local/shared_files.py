"""Files that are there twice and take the disk once, where the file system can do that."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

_FICLONE = 0x40049409
"""Linux' request to share a file's blocks until one of the two is written to (btrfs, xfs, bcachefs)."""

Stamps = Mapping[str, tuple[int, int]]
"""Of each file under a folder, its size and the time of its last change in nanoseconds."""


def clone(source: Path, target: Path) -> None:
    """A file that is changed independently of ``source``: its blocks are shared where that can be, else copied."""
    if not _cloned(source, target):
        shutil.copy2(source, target)


def share(source: Path, target: Path) -> None:
    """A file with the content that ``source`` has now: a clone, else a second name of it, else a copy.

    What is written into the one later may be seen in the other: ``stamps`` tell whether it was.
    """
    if _cloned(source, target):
        return
    with suppress(FileNotFoundError):
        target.unlink()
    try:
        target.hardlink_to(source)
    except OSError:  # another file system, or one without second names
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
    """Make ``target`` what ``source`` is, a file or a folder, each file ``by`` one of the above."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        shutil.rmtree(target)  # what an earlier attempt left there
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
