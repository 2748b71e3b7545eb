"""Files of the notebook's folder that are too large for a pipeline: uploaded to the cluster's artifact store.

They are stored by the hash of their content, so that each is uploaded once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kfnb.entities import Carried, carried, digest_of, importers, stored
from kfnb.errors import BackendError

Json = Mapping[str, Any]
Notify = Callable[[str], None]

_FOLDER = "kfnb-files"
_MB = 1_000_000
_AT_ONCE = 8
"""Number of simultaneous uploads: small files mostly wait."""
_EVERY = 5.0
"""Seconds between two progress messages of an upload."""


@dataclass(frozen=True)
class Cargo:
    """A pipeline as it is sent to a cluster, and what to upload before: folders of the store, by their URIs."""

    spec: Json
    folder: Path = Path()
    files: Mapping[str, Carried] = field(default_factory=dict)
    filesystem: Any = None

    def send(self, notify: Notify) -> None:
        """Upload what the store does not have yet. Raises ``BackendError``."""
        for uri, files in self.files.items():
            try:
                self._send(uri.partition("://")[2], files, notify)
            except OSError as error:
                raise BackendError(_cannot(self.folder, files, str(error))) from None

    def _send(self, target: str, files: Carried, notify: Notify) -> None:
        there = _sizes(self.filesystem, target)
        missing = [
            path for path in files.paths if there.get(f"{target}/{stored(path)}") != _size(self.folder, path)
        ]
        if not missing:
            return
        if carried({path: digest_of(self.folder / path) for path in files.paths}) != files:
            raise BackendError(f"{files.title} changed since the pipeline was compiled: compile it again")
        progress = _Progress(files.title, sum(_size(self.folder, path) for path in missing), notify)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            sent = [pool.submit(self._put, path, target, progress) for path in missing]
            try:
                for one in sent:
                    one.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        progress.over()

    def _put(self, path: str, target: str, progress: _Progress) -> None:
        from fsspec.callbacks import Callback

        called = Callback(hooks={"progress": lambda _, sent, **__: progress.sent(path, sent)})
        self.filesystem.put_file(str(self.folder / path), f"{target}/{stored(path)}", callback=called)


class Uploads:
    """Uploads files of the notebook's folder to a root: up to ``limit`` MB for a pipeline.

    ``root`` returns its URI and its file system, or raises ``BackendError``.
    """

    def __init__(self, root: Callable[[], tuple[str, Any]], limit: int) -> None:
        self._root, self._limit = root, limit

    def cargo(self, spec: Json, folder: str) -> Cargo:
        """The pipeline with the URIs of its files. Raises ``BackendError`` if they cannot be uploaded."""
        found = {one.uri: one for _, one in importers(spec)}
        if not found:
            return Cargo(spec)
        here = Path(folder)
        _check(here, list(found.values()), self._limit)
        try:
            root, filesystem = self._root()
        except (BackendError, OSError) as error:
            raise BackendError(_cannot(here, next(iter(found.values())), str(error))) from None
        named = {uri: f"{root}/{_FOLDER}/{one.digest}" for uri, one in found.items()}
        files = {named[uri]: one for uri, one in found.items()}
        named |= {text: short for one in found.values() for text, short in one.shortened.items()}
        return Cargo(_renamed(spec, named), here, files, filesystem)


def _nowhere() -> tuple[str, Any]:
    raise BackendError("the artifact store of runs is unknown")


NOWHERE = Uploads(_nowhere, 0)
"""Uploads nothing."""


def _check(folder: Path, found: Sequence[Carried], limit: int) -> None:
    """Refuse missing files, and more than the upload limit."""
    for one in found:
        absent = [path for path in one.paths if not (folder / path).is_file()]
        if absent:
            raise BackendError(
                f"the pipeline reads {absent[0]}, which is not in {folder}: submit it from the notebook's folder"
            )
    sizes = {path: _size(folder, path) for one in found for path in one.paths}
    if sum(sizes.values()) > limit * _MB:
        largest = max(sizes, key=lambda path: sizes[path])
        others = f", with others {_megabytes(sum(sizes.values()))}" if len(sizes) > 1 else ""
        raise BackendError(
            f"{largest} ({_megabytes(sizes[largest])}{others}) exceeds the upload limit of {limit} MB per run: set"
            f" %kf_config upload_limit=MB, or {_ELSEWHERE}"
        )


_ELSEWHERE = "read it from a URL or a volume (--pvc NAME:/PATH)"


def _cannot(folder: Path, files: Carried, why: str) -> str:
    size = _megabytes(sum(_size(folder, path) for path in files.paths))
    return (
        f"cannot upload {files.title} ({size}) to the cluster's object store: {why.rstrip('.')}."
        f" Get access to the store, or {_ELSEWHERE}"
    )


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """JSON data with the texts ``names`` replaced: the compiler writes an importer's address twice."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return (
        {key: _renamed(item, names) for key, item in value.items()} if isinstance(value, Mapping) else value
    )


def _sizes(filesystem: Any, target: str) -> dict[str, int]:
    """The files below a folder of the store, by their paths there."""
    filesystem.invalidate_cache()
    try:
        return {path: int(details["size"]) for path, details in filesystem.find(target, detail=True).items()}
    except FileNotFoundError:
        return {}


def _size(folder: Path, path: str) -> int:
    return (folder / path).stat().st_size


def _megabytes(size: int) -> str:
    return f"{size / _MB:.0f} MB" if size >= 10 * _MB else f"{size / _MB:.1f} MB"


class _Progress:
    """Reports the progress of the upload of files."""

    def __init__(self, title: str, size: int, notify: Notify) -> None:
        self._title, self._size, self._notify = title, size, notify
        self._sent: dict[str, int] = {}
        self._began = self._reported = time.monotonic()
        notify(f"uploading {title} ({_megabytes(size)})")

    def sent(self, path: str, count: int) -> None:
        """Report that a number of bytes of a file were sent."""
        self._sent[path] = count
        now = time.monotonic()
        if now - self._reported >= _EVERY:
            self._reported = now
            percent = 100 * sum(list(self._sent.values())) // max(self._size, 1)
            self._notify(f"uploading {self._title}: {min(percent, 99)}% of {_megabytes(self._size)}")

    def over(self) -> None:
        """Report that the files are uploaded."""
        if self._reported != self._began:
            self._notify(f"uploaded {self._title} in {time.monotonic() - self._began:.0f} s")
