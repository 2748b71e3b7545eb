"""Downloads of artifacts through the page: in chunks, each when the page requests it."""

from __future__ import annotations

import re
import tempfile
import threading
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any

from kfnb import entities
from kfnb.diagnostics import logger
from kfnb.errors import Code, KfnbError
from kfnb.resources.runs.view.task import artifact_of
from kfnb.ui.words import file_size

_logger = logger(__package__)

PIECE = 1 << 20
LIMIT = 100_000_000
"""Bytes of an artifact that a page may fetch: it goes through the kernel, and is kept in the page's memory."""

MOST_OPEN = 8
"""Downloads at once: each has a file open."""

_SUFFIX = re.compile(r"[a-z0-9]{1,8}")


class CannotDownload(KfnbError):
    """An artifact that is too large, or that cannot be read."""

    code: Code = "unreadable"


class Download:
    """An artifact's bytes: a file unchanged, a folder as a zip file. ``name`` is for the file, ``size`` in bytes.

    Raises ``CannotDownload``.
    """

    def __init__(self, artifact: entities.Artifact, task: str, label: str) -> None:
        self._label = label
        try:
            self.name, self._file = self._opened(
                artifact, re.sub(r"[^\w.-]+", "-", f"{task}-{label}").strip("-")
            )
            self.size = self._file.seek(0, 2)
            self._file.seek(0)
        except CannotDownload:
            raise
        except Exception as error:  # whatever a file system of fsspec's raises
            _logger.warning("Artifact %s cannot be downloaded.", label, exc_info=True)
            raise CannotDownload(f"{label} cannot be read: {error}") from None

    def piece(self) -> bytes:
        """The next bytes; none at the end."""
        return bytes(self._file.read(PIECE))

    def close(self) -> None:
        """Give up the file."""
        self._file.close()

    def _opened(self, artifact: entities.Artifact, name: str) -> tuple[str, IO[bytes]]:
        filesystem, path = artifact.filesystem()
        if not filesystem.isdir(path):
            self._check(filesystem.size(path) or 0)
            return name + _suffix(artifact, path), filesystem.open(path, "rb")
        found: dict[str, dict[str, Any]] = filesystem.find(path, detail=True)
        self._check(sum(info.get("size") or 0 for info in found.values()))
        return f"{name}.zip", _zipped(filesystem, path, found)

    def _check(self, size: int) -> None:
        if size > LIMIT:
            raise CannotDownload(
                f"{self._label} is {file_size(size)}, and a page can fetch {file_size(LIMIT)}:"
                " the artifact's download('PATH') copies it, as run.artifacts has it"
            )


def _zipped(filesystem: Any, folder: str, found: dict[str, Any]) -> IO[bytes]:
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by who reads it
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(found):
            with filesystem.open(path, "rb") as source, archive.open(_inside(path, folder), "w") as target:
                while block := source.read(PIECE):
                    target.write(block)
    return file


def _inside(path: str, folder: str) -> str:
    return PurePosixPath(path).relative_to(PurePosixPath(folder)).as_posix()


def _suffix(artifact: entities.Artifact, path: str) -> str:
    """What the file's name ends with: its own ending, else its format where that is known."""
    own = PurePosixPath(path).suffix
    form = artifact.metadata.get("format")
    return own or (f".{form}" if isinstance(form, str) and _SUFFIX.fullmatch(form) else "")


@dataclass(frozen=True)
class DownloadPiece:
    """A piece of a download: the file's name and size, and some of its bytes."""

    name: str
    size: int
    data: bytes


class Downloads:
    """The downloads of one page, each until its end; a few at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str, str], Download] = {}

    def next(self, run: entities.RunSnapshot, task_id: str, artifact: str, *, first: int) -> DownloadPiece:
        """The piece of an artifact that begins at byte ``first``; at 0, it begins anew.

        Raises ``CannotDownload``.
        """
        key = run.id, task_id, artifact
        with self._lock:
            if first == 0:
                self._begin(key, run)
            download = self._open.get(key)
            if download is None:
                raise CannotDownload("the download has ended: begin it again")
            data = download.piece()
            if first + len(data) >= download.size or not data:
                self._open.pop(key).close()
        return DownloadPiece(download.name, download.size, data)

    def _begin(self, key: tuple[str, str, str], run: entities.RunSnapshot) -> None:
        if key in self._open:
            self._open.pop(key).close()
        begun = _begin(run, *key[1:])
        while len(self._open) >= MOST_OPEN:  # those that a page began and left
            self._open.pop(next(iter(self._open))).close()
        self._open[key] = begun


def _begin(run: entities.RunSnapshot, task_id: str, artifact: str) -> Download:
    task = next((task for task in run.tasks if task.id == task_id), None)
    found = artifact_of(task, artifact) if task else None
    if task is None or found is None:
        raise CannotDownload("the task has no such artifact any more")
    return Download(found, task.name, artifact.partition("/")[2])
