"""An object store as an fsspec file system, through which artifacts are opened. Paths are ``bucket/key``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

from kfnb.remote.objects.address import SERVICES
from kfnb.remote.objects.errors import ObjectMissing
from kfnb.remote.objects.store import ObjectInfo, ObjectStore


class ObjectFiles(AbstractFileSystem):  # type: ignore[misc]
    """The objects of a store: read completely or in part, listed, and written completely."""

    protocol = tuple(SERVICES)
    cachable = False
    root_marker = ""

    def __init__(self, store: ObjectStore) -> None:
        super().__init__()
        self.store = store
        """The store itself."""

    def __reduce__(self) -> Any:
        raise TypeError("a store with its keys cannot be pickled")

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """The size of an object; or a directory if there are objects below the path."""
        path = self._strip_protocol(path)
        if "/" in path:
            try:
                return _entry(ObjectInfo(path, self.store.size(path)))
            except ObjectMissing:
                pass
        if not self.store.list_folder(path):
            raise ObjectMissing(f"no such object: {path}")
        return _entry(ObjectInfo(path, folder=True))

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:  # noqa: FBT002 - fsspec's signature
        """The objects and folders directly below the path."""
        path = self._strip_protocol(path)
        found = [_entry(one) for one in self.store.list_folder(path)] or [self.info(path)]
        return found if detail else [entry["name"] for entry in found]

    def find(
        self,
        path: str,
        maxdepth: int | None = None,
        withdirs: bool = False,  # noqa: FBT002 - fsspec's signature
        detail: bool = False,  # noqa: FBT002 - likewise
        **options: Any,
    ) -> Any:
        """All objects below the path, from one listing."""
        if maxdepth is not None:
            return super().find(path, maxdepth, withdirs, detail, **options)
        path = self._strip_protocol(path)
        found = self.store.list_all(path)
        if not found:
            try:
                found = [ObjectInfo(path, self.store.size(path))] if "/" in path else []
            except ObjectMissing:
                found = []
        elif withdirs:
            folders = {path} | {one.path.rpartition("/")[0] for one in found}
            folders |= {above for folder in folders for above in _between(folder, path)}
            found += [ObjectInfo(folder, folder=True) for folder in folders]
        names = {one.path: _entry(one) for one in sorted(found, key=lambda one: one.path)}
        return names if detail else list(names)

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:
        """An object's bytes: all, or a range."""
        path = self._strip_protocol(path)
        size = self.store.size(path) if (start or 0) < 0 or (end or 0) < 0 else 0
        first = max((start or 0) + (size if (start or 0) < 0 else 0), 0)
        return self.store.read(path, first, None if end is None else end + (size if end < 0 else 0))

    def get_file(self, rpath: str, lpath: str, callback: Any = None, **_: Any) -> None:
        """Download an object to a local file, atomically. Create a folder if the path is a folder."""
        path, target = self._strip_protocol(rpath), Path(lpath)
        if "/" not in path or self._is_folder(path):
            target.mkdir(parents=True, exist_ok=True)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.part")
        try:
            with part.open("wb") as file:
                for piece in self.store.stream(path):
                    file.write(piece)
                    if callback is not None:
                        callback.relative_update(len(piece))
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    def put_file(self, lpath: str, rpath: str, callback: Any = None, **_: Any) -> None:
        """Upload a local file as an object, atomically. ``callback`` is one of fsspec's."""
        progress = callback.relative_update if callback is not None else lambda _: None
        self.store.write_file(self._strip_protocol(rpath), Path(lpath), progress)

    def pipe_file(self, path: str, value: bytes, **_: Any) -> None:
        """Write bytes as an object."""
        self.store.write(self._strip_protocol(path), value)

    def _open(
        self, path: str, mode: str = "rb", block_size: int | None = None, **options: Any
    ) -> _ObjectFile:
        if mode != "rb":
            raise NotImplementedError(
                "objects can only be opened for reading; use pipe_file or put_file to write"
            )
        options = {name: options[name] for name in ("cache_type", "cache_options", "size") if name in options}
        return _ObjectFile(self, path, mode, block_size or "default", **options)

    def _is_folder(self, path: str) -> bool:
        try:
            self.store.size(path)
        except ObjectMissing:
            return bool(self.store.list_folder(path))
        return False


class _ObjectFile(AbstractBufferedFile):  # type: ignore[misc]
    def _fetch_range(self, start: int, end: int) -> bytes:
        return bytes(self.fs.cat_file(self.path, start, end))


def _entry(one: ObjectInfo) -> dict[str, Any]:
    kind = "directory" if one.folder else "file"
    return {"name": one.path, "size": one.size, "type": kind, "tag": one.tag}


def _between(folder: str, root: str) -> list[str]:
    """The folders from ``root`` down to one below it."""
    parts = folder[len(root) :].strip("/").split("/")
    return [f"{root}/{'/'.join(parts[: count + 1])}" for count in range(len(parts) - 1)]
