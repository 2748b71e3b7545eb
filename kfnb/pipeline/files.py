"""The files of steps: which earlier steps' a step gets, and what of the notebook's folder travels with it."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath

from kfnb.capture.files import Files
from kfnb.pipeline.beside import is_hidden

FILES = "kf_files"
"""The output of a step that writes files: a folder of them. ``kf_files_1``, ... are inputs that take others' such."""
LARGEST = 48 * 1024
"""Bytes of a step's files of the notebook's folder, packed, that travel with the pipeline: the program of a step is one
argument of a command, of 128 KiB, and Argo keeps it several times."""


@dataclass(frozen=True)
class StepFiles:
    """What a step's function does about files.

    ``earlier`` are its arguments that hold the files of other steps. ``beside`` are files of the notebook's folder,
    each packed, or, where it is too large to travel, its digest; of those, the ``listed`` were not read. ``folders``
    are to be there, ``start`` is the one in which the cell began. ``temporary``: the step writes files outside of its
    folder; ``apart``: it must not work in the notebook's.
    """

    earlier: tuple[str, ...] = ()
    beside: Mapping[str, str] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()
    folders: tuple[str, ...] = ()
    start: str = ""
    apart: bool = False
    writes: bool = False
    temporary: bool = False

    def __bool__(self) -> bool:
        return bool(self.earlier or self.beside or self.folders or self.writes or self.apart)

    @property
    def heavy(self) -> tuple[str, ...]:
        """The files that the cell read and that are too large to travel."""
        return tuple(name for name in self._digests() if name not in self.listed)

    @property
    def unseen(self) -> tuple[str, ...]:
        """The files that are too large to travel, of which the cell saw only that they are there."""
        return tuple(name for name in self._digests() if name in self.listed)

    def _digests(self) -> Iterator[str]:
        return (name for name, content in self.beside.items() if content.startswith(_DIGEST))

    def entering(self) -> Iterator[str]:
        """The statements with which the step enters its folder."""
        if not self:
            return
        beside = "{" + ", ".join(f"{name!r}: {content!r}" for name, content in self.beside.items()) + "}"
        given = ", ".join([repr(list(self.folders)), beside, *self.earlier])
        yield f"kfnb_before = kfnb_files_in({given})"
        if self.temporary:
            yield "kfnb_written = kfnb_temporary()"

    def starting(self) -> Iterator[str]:
        """The statements after which the cell finds itself where it was here."""
        if self and self.start:
            yield f"kfnb_start(kfnb_before, {self.start!r})"

    def leaving(self) -> Iterator[str]:
        """The statements with which it leaves what it wrote."""
        given = [f'kfnb_out["{FILES}"]'] if self.writes else []
        given += ["kfnb_written"] if self.temporary else []
        if self:
            yield f"kfnb_files_out({', '.join(['kfnb_before', *given])})"


NO_FILES = StepFiles()
_DIGEST = "sha256:"


def files_of_step(
    folder: Path, files: Files, earlier: int, beside: Sequence[str], listed: Sequence[str] = ()
) -> StepFiles:
    """What a step does about ``files``: it takes those of ``earlier`` steps, and ``beside`` of the notebook's.

    ``listed`` are further ones of the notebook's, which stand in folders that the cell listed.
    """
    parents = {PurePosixPath(name).parent.as_posix() for name in (*files.reads, *files.writes)}
    around = ((parents | files.listed) - files.made) | files.folders | ({files.start} - {""})
    return StepFiles(
        earlier=tuple(f"{FILES}_{number}" for number in range(1, earlier + 1)),
        beside=_packed(folder, beside, listed),
        listed=frozenset(listed),
        folders=tuple(sorted(name for name in around if name != "." and not name.startswith("/"))),
        start=files.start,
        apart=bool(files.made),
        writes=files.leaves,
        temporary=any(name.startswith("/") for name in files.writes),
    )


def _packed(folder: Path, read: Sequence[str], listed: Sequence[str]) -> dict[str, str]:
    """The files with their contents, those that are read and the small ones first, as far as they fit; of the others,
    a digest.
    """
    left, found = LARGEST, {}
    here_only = {name for name in (*read, *listed) if is_hidden(name)}

    def size(name: str) -> tuple[int, str]:
        return (folder / name).stat().st_size, name

    for name in (*sorted(read, key=size), *sorted(listed, key=size)):
        status = (folder / name).stat()
        content = ""
        if name not in here_only and status.st_size <= 20 * left:  # nothing but zeros packs better
            content = _content(str(folder / name), status.st_mtime_ns, status.st_size)
        if not content or len(content) > left:
            content = _digest(str(folder / name), status.st_mtime_ns, status.st_size)
        else:
            left -= len(content)
        found[name] = content
    return dict(sorted(found.items()))


@lru_cache(maxsize=256)
def _content(path: str, _changed: int, _size: int) -> str:
    return base64.b64encode(zlib.compress(Path(path).read_bytes(), 9)).decode()


@lru_cache(maxsize=4096)
def _digest(path: str, _changed: int, _size: int) -> str:
    found = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            found.update(block)
    return _DIGEST + found.hexdigest()
