"""Model folders in the object store of a cluster, addressed by the digest of their content."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from kfnb.errors import BackendError
from kfnb.jobs import private
from kfnb.resources.models.digest import VERSION_FILE, folder_digest
from kfnb.resources.models.engine import CHANGED, MISSING

_FOLDER = "kfnb-models/sha256"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_AT_ONCE = 8
"""Number of simultaneous transfers: small files mostly wait."""


class StoredFolders:
    """Model folders below a root of the store, and copies of them below ``kept`` on this machine.

    ``root`` returns the URI of the folder for artifacts and its file system; ``opened`` the file system of a URI and
    the path in it. Both raise ``BackendError`` where no store is known or allowed.
    """

    def __init__(
        self, root: Callable[[], tuple[str, Any]], opened: Callable[[str], tuple[Any, str]], kept: Path
    ) -> None:
        self._root, self._opened, self._kept = root, opened, kept

    def upload(self, folder: Path, digest: str) -> str:
        """Store a folder, and return its URI. What is there already is not sent again. Raises ``BackendError``."""
        if folder_digest(folder) != digest:
            raise BackendError(
                f"the model folder {folder} changed while it was registered: register it again"
            )
        try:
            root, files = self._root()
        except BackendError as error:
            raise BackendError(
                f"cannot keep the model on the cluster: {error};",
                code=error.code,
                hint="set a folder that you can write to with %kf_config pipeline_root=s3://BUCKET/FOLDER",
                ref="pipeline_root",
            ) from None
        uri = f"{root.partition('?')[0].rstrip('/')}/{_FOLDER}/{digest[:2]}/{digest[2:]}"
        target = uri.partition("://")[2]
        try:
            missing = _missing(folder, files, target)
            _each(missing, lambda path: files.put_file(str(folder / path), f"{target}/{path}"))
        except (OSError, BackendError) as error:
            raise BackendError(
                f"cannot write the model to {uri}: {error};",
                hint="set another folder with %kf_config pipeline_root=s3://BUCKET/FOLDER",
                ref="pipeline_root",
            ) from None
        return uri

    def download(self, uri: str, digest: str) -> Path:
        """The folder at a URI, complete and read-only; fetched once if its ``digest`` is known.

        Raises ``BackendError`` if it is missing, or its content is not that of the digest.
        """
        there = self._place(uri, digest)
        if there.exists():
            return there
        with _fetching(uri):
            files, source = self._opened(uri)
        private.make(there.parent)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=there.parent))
        try:
            with _fetching(uri):
                _fetch(files, source, draft, uri)
            _check(draft, digest, uri)
            _lock(draft)
            return _put(draft, there)
        except BaseException:
            _discard(draft)
            raise

    def problem(self, uri: str, digest: str) -> str:
        """What is wrong with the folder at a URI, of which every byte is read: see ``ModelRegistry.problem``."""
        with _fetching(uri), tempfile.TemporaryDirectory(prefix="kfnb-model-") as draft:
            files, source = self._opened(uri)
            try:
                _fetch(files, source, Path(draft), uri)
            except BackendError as error:
                if error.code == "not-found":
                    return MISSING
                raise
            return "" if folder_digest(Path(draft)) == digest else CHANGED

    def _place(self, uri: str, digest: str) -> Path:
        if digest and not _DIGEST.fullmatch(digest):
            raise BackendError(
                f"the registry names the invalid digest {digest[:80]!r} for the model at {uri}"
            )
        if digest:
            return self._kept / "sha256" / digest[:2] / digest[2:]
        import hashlib

        return self._kept / "uri" / hashlib.sha256(uri.encode()).hexdigest()


@contextmanager
def _fetching(uri: str) -> Iterator[None]:
    """Name the model whose address is not allowed, or which cannot be read."""
    try:
        yield
    except (OSError, BackendError) as error:
        code = error.code if isinstance(error, BackendError) else "backend"
        raise BackendError(f"cannot fetch the model at {uri}: {error}", code=code, ref=uri) from None


def _fetch(files: Any, source: str, draft: Path, uri: str) -> None:
    found = [str(one) for one in files.find(source)]
    if not found:
        raise BackendError("it does not exist", code="not-found", ref=uri)
    within = {one: _inside(one, source) for one in found}
    _each(found, lambda one: _get(files, one, draft / within[one]))


def _missing(folder: Path, files: Any, target: str) -> list[str]:
    """The files to send. An object is there completely or absent, and a version file stays as it was sent first."""
    here = {
        one.relative_to(folder).as_posix(): one.stat().st_size for one in folder.rglob("*") if one.is_file()
    }
    there = _sizes(files, target)
    if f"{target}/{VERSION_FILE}" in there:
        here.pop(VERSION_FILE, None)
    return [path for path, size in here.items() if there.get(f"{target}/{path}") != size]


def _sizes(files: Any, target: str) -> Mapping[str, int]:
    try:
        found: Mapping[str, Mapping[str, Any]] = files.find(target, detail=True)
    except FileNotFoundError:
        return {}
    return {path: int(one["size"]) for path, one in found.items()}


def _inside(path: str, source: str) -> str:
    """The path of an object within the folder; refuses one that would be written elsewhere."""
    within = path.removeprefix(source.rstrip("/")).lstrip("/") or PurePosixPath(path).name
    parts = PurePosixPath(within).parts
    if not parts or ".." in parts or PurePosixPath(within).is_absolute():
        raise BackendError(f"its file {path!r} is outside of its folder")
    return within


def _get(files: Any, path: str, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.get_file(path, str(target))


def _each(paths: list[str], act: Callable[[str], object]) -> None:
    """Do something for each path, several at once; the first error ends it."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        started = [pool.submit(act, path) for path in paths]
        try:
            for one in started:
                one.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _check(folder: Path, digest: str, uri: str) -> None:
    if digest and folder_digest(folder) != digest:
        raise BackendError(f"the model at {uri} is damaged: its content is not what was registered", ref=uri)


def _walk(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.rglob("*")


def _lock(folder: Path) -> None:
    for one in _walk(folder):
        if one != folder:  # a folder that is read-only itself cannot be renamed on every system
            one.chmod(0o500 if one.is_dir() else 0o400)


def _put(draft: Path, there: Path) -> Path:
    try:
        draft.rename(there)
    except OSError:
        if not there.exists():  # else another process was faster, with the same content
            raise
        _discard(draft)
    return there


def _discard(draft: Path) -> None:
    for one in _walk(draft):
        if one.is_dir():
            os.chmod(one, 0o700)  # noqa: PTH101 - so that what is in it can be removed
    shutil.rmtree(draft, ignore_errors=True)
