"""The digest of a model folder: the sha256 of its manifest, which has a line for each file, by path."""

from __future__ import annotations

import hashlib
from pathlib import Path

from kfnb.entities import digest_of


def manifest(folder: Path) -> str:
    """A line for each file: its sha256, its size in bytes and its path in the folder, sorted by path."""
    files = sorted(
        (file.relative_to(folder).as_posix(), file) for file in folder.rglob("*") if file.is_file()
    )
    return "".join(f"{digest_of(file)} {file.stat().st_size} {path}\n" for path, file in files)


def folder_digest(folder: Path) -> str:
    """The sha256 of the folder's manifest, in hexadecimal digits."""
    return hashlib.sha256(manifest(folder).encode()).hexdigest()
