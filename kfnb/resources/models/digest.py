"""The digest of a model folder: the sha256 of its manifest, which has a line for each file, by path."""

from __future__ import annotations

import hashlib
from pathlib import Path

VERSION_FILE = "kfnb_version.json"
"""What a registration says of the model: metrics, run, data. It is not part of the content, nor of the manifest."""

_PIECE = 1 << 20


def manifest(folder: Path) -> str:
    """A line for each file: its sha256, its size in bytes and its path in the folder, sorted by path."""
    files = sorted(
        (file.relative_to(folder).as_posix(), file) for file in folder.rglob("*") if file.is_file()
    )
    return "".join(
        f"{_sha256(file)} {file.stat().st_size} {path}\n" for path, file in files if path != VERSION_FILE
    )


def folder_digest(folder: Path) -> str:
    """The sha256 of the folder's manifest, in hexadecimal digits."""
    return hashlib.sha256(manifest(folder).encode()).hexdigest()


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as source:
        while piece := source.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
