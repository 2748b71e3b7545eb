"""Previews: the beginning of an artifact's content as text.

Read through fsspec and never in full; the format is detected from the content rather than from the file's name.
Nothing is ever unpickled: of a pickle, only the size and the format are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from kfnb.artifacts.binary import HEADS, ArtifactFile, word
from kfnb.artifacts.text import decoded, text_head
from kfnb.diagnostics import logger
from kfnb.entities import Artifact, Preview

_logger = logger(__package__)

# the beginning: the format is detected from it, and mostly nothing else is read
HEAD = 2**18
MOST_FILES, COUNTED_FILES, DEEPEST = 20, 1000, 5

_MAGIC = {
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"\x93NUMPY": "npy",
    b"PK\x03\x04": "zip",
    b"\x1f\x8b": "gzip",
    b"\x80\x02": "pickle",
    b"\x80\x03": "pickle",
    b"\x80\x04": "pickle",
    b"\x80\x05": "pickle",
    b"\x89HDF": "hdf5",
    b"\x89PNG": "png",
    b"\xff\xd8\xff": "jpeg",
    b"%PDF": "pdf",
    b"SQLite format 3": "sqlite",
}
# containers: their content has another format, which the artifact may name
_WRAPPERS = ("zip", "gzip", "pickle")
# packages whose names are left out before a class
_BARE = ("builtins", "__main__")
_PICKLES = ("pickle", "pkl", "cloudpickle", "joblib")


def preview(artifact: Artifact) -> Preview:
    """Preview the beginning of an artifact's content. Never raises: the note says why nothing is shown."""
    found = _guarded(lambda: _found(artifact), artifact.uri)
    recorded = dict(_recorded(artifact.metadata))
    # the step's own facts come first and win: a table's file has a column for its index too
    facts = {**recorded, "format": _named(artifact.metadata), **dict(found.facts), **recorded}
    return replace(found, facts=tuple((name, fact) for name, fact in facts.items() if fact))


def _guarded(read: Callable[[], Preview], uri: str) -> Preview:
    """Read the preview, or explain why nothing can be read: an artifact may hold anything."""
    try:
        return read()
    except FileNotFoundError:
        return Preview(note=f"file not found: {uri}")
    except PermissionError:
        return Preview(note=f"permission denied: {uri}")
    except ModuleNotFoundError as error:
        return Preview(note=f"no preview: install {error.name}")
    except Exception as error:
        _logger.debug("The artifact at %s cannot be shown.", uri, exc_info=True)
        return Preview(note=word(f"cannot be read: {error}", 200))


def _found(artifact: Artifact) -> Preview:
    if not artifact.uri:
        return Preview(note="no file")
    filesystem, path = artifact.filesystem()
    info = filesystem.info(path)
    if info["type"] == "directory":
        return _folder(filesystem, path)
    if info["type"] != "file":  # reading a pipe or a device could block
        return Preview(note=f"not a regular file: {artifact.uri}")
    size = info.get("size")
    if size == 0:
        return Preview(size=0, note="the file is empty")
    source = ArtifactFile(filesystem, path, size)
    with source.open() as file:
        head = file.read(HEAD)
    return replace(_content(replace(source, head=head), artifact), size=size)


def _content(source: ArtifactFile, artifact: Artifact) -> Preview:
    magic = next((name for start, name in _MAGIC.items() if source.head.startswith(start)), "")
    named = _named(artifact.metadata) or _ending(source.path)
    form = _format(magic, named)
    found = _guarded(lambda: _head(source, magic, named), artifact.uri)
    if form in _PICKLES:
        found = replace(found, note="not shown: loading a pickle runs code")
    return replace(found, facts=(*found.facts, *([("format", form)] if form else [])))


def _head(source: ArtifactFile, magic: str, named: str) -> Preview:
    if magic:
        return HEADS[magic](source) if magic in HEADS else Preview()
    text = decoded(source, named)
    return Preview() if text is None else text_head(text, named, whole=source.whole)


def _format(magic: str, named: str) -> str:
    """The detected format, or the one in the metadata where it is more specific: ``skops`` for a zip."""
    more = magic in named or (magic in _WRAPPERS and named not in HEADS)
    return named if named and more else magic


def _named(metadata: Mapping[str, Any]) -> str:
    value = metadata.get("format")
    return word(value).lower() if isinstance(value, str) else ""


def _ending(path: str) -> str:
    ending = PurePosixPath(path).suffix[1:].lower()
    return ending if ending.isalnum() else ""


def _recorded(metadata: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The facts that the step recorded about the value: its class, its library and its shape."""
    kind = metadata.get("python_type")
    if isinstance(kind, str):
        package, _, path = kind.partition(".")
        name = path.rpartition(".")[2]
        yield "class", word(kind if not name else name if package in _BARE else f"{package} {name}")
    for key in ("framework", "shape"):
        value = metadata.get(key)
        if isinstance(value, str):
            yield key, word(value)


def _folder(filesystem: Any, path: str) -> Preview:
    files = list(islice(_files(filesystem, path), COUNTED_FILES + 1))
    if not files:
        return Preview(note="the folder is empty")
    counted = len(files) <= COUNTED_FILES
    count = f"more than {COUNTED_FILES} files" if not counted else f"{len(files)} file{'s'[: len(files) - 1]}"
    return Preview(
        size=sum(size or 0 for _, size in files) if counted else None,
        facts=(("files", count),),
        files=tuple(files[:MOST_FILES]),
        more=len(files) > MOST_FILES,
    )


def _files(filesystem: Any, path: str) -> Iterator[tuple[str, int | None]]:
    """The files of a folder by their paths in it, with their sizes."""
    for folder, _, files in filesystem.walk(path, maxdepth=DEEPEST, detail=True):
        inside = PurePosixPath(folder).relative_to(PurePosixPath(path))
        for name, info in sorted(files.items()):
            yield word(str(inside / name), 80), info.get("size")
