"""An object store: read, list and write. Paths are ``bucket/key``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kfnb.extras import require
from kfnb.remote.objects.access import StoreAccess
from kfnb.remote.objects.errors import StoreUnreachable, translated

_SILENT_FOR = 30.0
"""Seconds without requests to a store that did not answer: a task may have many artifacts to show."""
_MOST_BUCKETS = 16
_PART = 5 * 1024**2
"""The minimum part size of S3: on a slow connection, a part must arrive before its request times out."""
_PARTS_AT_ONCE = 2
_MOST_PARTS = 9_000
"""Parts of an upload. S3 allows 10,000; some are left for a file that grows."""
_READ_AT_ONCE = 4 * 1024**2


@dataclass(frozen=True)
class ObjectInfo:
    """An object by its ``path``, written at ``changed``; or, if ``folder``, a path with objects below it.

    ``tag`` is the entity tag, where a listing has it.
    """

    path: str
    size: int = 0
    folder: bool = False
    changed: float = field(default=0.0, compare=False)
    tag: str = field(default="", compare=False)


@dataclass(frozen=True)
class ObjectFacts:
    """An object's size in bytes, its entity tag and version as the store has them, and when it was written."""

    size: int
    tag: str = ""
    version: str = ""
    changed: float = 0.0


class ObjectStore:
    """The buckets that ``access`` reaches. All methods raise ``Unreadable``: see ``errors``."""

    def __init__(self, access: StoreAccess) -> None:
        self._access = access
        self._short: dict[str, Any] = {}
        self._moving: dict[str, Any] = {}
        self._silent: tuple[float, str] = 0.0, ""
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"ObjectStore({self._access.host})"

    def size(self, path: str) -> int:
        """An object's size in bytes."""
        with self._requesting("reading", path) as (bucket, key):
            return int(self._for_short_requests(bucket).head(key)["size"])

    def read(self, path: str, start: int = 0, end: int | None = None) -> bytes:
        """An object's bytes from ``start`` up to ``end``; by default all."""
        with self._requesting("reading", path) as (bucket, key):
            if end is None and not start:
                return bytes(self._for_moving(bucket).get(key).bytes().to_bytes())
            if end is None:
                found = self._for_short_requests(bucket).get(key, options={"range": {"offset": start}})
                return bytes(found.bytes().to_bytes())
            if end <= start:
                return b""
            return bytes(self._for_short_requests(bucket).get_range(key, start=start, end=end).to_bytes())

    def stream(self, path: str, *, version: str = "") -> Iterator[bytes]:
        """An object's bytes, piece by piece; those of a ``version`` where the bucket keeps versions."""
        options: Any = {"version": version} if version else {}
        with self._requesting("reading", path) as (bucket, key):
            found = self._for_moving(bucket).get(key, options=options)
            for piece in found.stream(min_chunk_size=_READ_AT_ONCE):
                yield bytes(piece)

    def list_folder(self, path: str) -> list[ObjectInfo]:
        """The objects and folders directly in a folder; empty if it does not exist."""
        with self._requesting("listing", path) as (bucket, key):
            found = self._for_short_requests(bucket).list_with_delimiter(key or None)
        folders = [ObjectInfo(f"{bucket}/{name}", folder=True) for name in found["common_prefixes"]]
        objects = [ObjectInfo(f"{bucket}/{one['path']}", one["size"]) for one in found["objects"]]
        named = {path.rstrip("/"), *(one.path for one in folders)}
        return folders + [one for one in objects if not _marks(one, named)]

    def list_all(self, path: str) -> list[ObjectInfo]:
        """All objects below a folder, at any depth."""
        with self._requesting("listing", path) as (bucket, key):
            found = [
                ObjectInfo(
                    f"{bucket}/{one['path']}",
                    one["size"],
                    changed=one["last_modified"].timestamp(),
                    tag=one.get("e_tag") or "",
                )
                for some in self._for_short_requests(bucket).list(key or None)
                for one in some
            ]
        folders = {folder for one in found for folder in _above(one.path)} | {path.rstrip("/")}
        return [one for one in found if not _marks(one, folders)]

    def write(self, path: str, data: bytes) -> None:
        """Write bytes as an object; replaces an existing object."""
        with self._requesting("writing", path) as (bucket, key):
            self._for_moving(bucket).put(key, data, use_multipart=False)

    def create(self, path: str, data: bytes) -> bool:
        """Write bytes as a new object; False, and nothing is written, where the object exists."""
        require("obstore", "opening objects")
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        with self._requesting("writing", path) as (bucket, key):
            try:
                self._for_short_requests(bucket).put(key, data, mode="create", use_multipart=False)
            except (AlreadyExistsError, PreconditionError):
                return False
        return True

    def facts(self, path: str) -> ObjectFacts:
        """What the store says of an object without sending it."""
        with self._requesting("reading", path) as (bucket, key):
            found = self._for_short_requests(bucket).head(key)
        changed = found["last_modified"].timestamp()
        return ObjectFacts(int(found["size"]), found.get("e_tag") or "", found.get("version") or "", changed)

    def copy(self, path: str, to: str) -> None:
        """Copy an object within its bucket; the store does it."""
        with self._requesting("writing", to) as (bucket, key):
            self._for_moving(bucket).copy(path.partition("/")[2], key)

    def delete(self, path: str) -> None:
        """Delete an object; harmless where there is none."""
        with self._requesting("deleting", path) as (bucket, key), suppress(FileNotFoundError):
            self._for_short_requests(bucket).delete(key)

    def write_file(self, path: str, file: Path, progress: Callable[[int], None] = lambda _: None) -> None:
        """Upload a file as an object, atomically. ``progress`` is called with the number of bytes of each part."""
        size = file.stat().st_size
        with file.open("rb") as source:
            self.write_parts(path, iter(lambda: source.read(_PART), b""), progress, size=size)

    def write_parts(
        self,
        path: str,
        parts: Iterator[bytes],
        progress: Callable[[int], None] = lambda _: None,
        *,
        size: int = 0,
    ) -> None:
        """Upload bytes as an object, atomically: where ``parts`` raises an exception, nothing is written.

        ``size`` is that of all parts as far as it is known: large objects are uploaded in larger parts.
        """
        first = b""
        for part in parts:
            first += part
            if len(first) >= _PART:
                break
        else:
            self.write(path, first)
            progress(len(first))
            return
        with self._requesting("writing", path) as (bucket, key):
            self._for_moving(bucket).put(
                key,
                _followed(first, parts, progress),
                chunk_size=_part_size(size),
                max_concurrency=_PARTS_AT_ONCE,
            )

    def _for_short_requests(self, bucket: str) -> Any:
        return self._cached(self._short, bucket, self._access.for_short_requests)

    def _for_moving(self, bucket: str) -> Any:
        return self._cached(self._moving, bucket, self._access.moving)

    def _cached(self, stores: dict[str, Any], bucket: str, make: Callable[[str], Any]) -> Any:
        with self._lock:
            if bucket not in stores:
                while len(stores) >= _MOST_BUCKETS:
                    del stores[next(iter(stores))]
                stores[bucket] = make(bucket)
            return stores[bucket]

    @contextmanager
    def _requesting(self, verb: str, path: str) -> Iterator[tuple[str, str]]:
        """The bucket and the key of a path, for a request whose errors are translated."""
        require("obstore", "opening objects")
        from obstore.exceptions import BaseError

        until, why = self._silent
        if time.monotonic() < until:
            raise StoreUnreachable(why)
        bucket, _, key = path.partition("/")
        try:
            yield bucket, key
        except (BaseError, FileNotFoundError, ValueError) as error:
            ours = translated(error, verb, path, self._access.host)
            if isinstance(ours, StoreUnreachable):
                self._silent = time.monotonic() + _SILENT_FOR, str(ours)
            raise ours from None


def _part_size(size: int) -> int:
    """The size of the parts of an object, of which there may be 10,000."""
    return max(_PART, -(-size // _MOST_PARTS))


def _followed(first: bytes, rest: Iterator[bytes], progress: Callable[[int], None]) -> Iterator[bytes]:
    """The parts of a file; reports each part when the next is taken."""
    yield first
    progress(len(first))
    for part in rest:
        yield part
        progress(len(part))


def _marks(one: ObjectInfo, folders: set[str]) -> bool:
    """Whether an object only marks a folder: the consoles of stores create such objects."""
    return one.size == 0 and one.path in folders


def _above(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
