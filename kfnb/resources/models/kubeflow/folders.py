"""Model folders in the object store of a cluster, addressed by the digest of their content."""

from __future__ import annotations

import hashlib
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
from kfnb.resources.models.digest import folder_digest
from kfnb.resources.models.engine import CHANGED, MISSING

_FOLDER = "kfnb-models/sha256"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MD5 = re.compile(r"[0-9a-f]{32}")
"""The entity tag of an object that was sent at once, in most stores. One that was sent in parts has another form."""
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
        """Store a folder, and return its URI. Files that are stored already are not sent again.

        Raises ``BackendError``.
        """
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
        _send(folder, digest, files, uri)
        return uri

    def repair(self, folder: Path, digest: str, uri: str) -> None:
        """Send the files of a folder that is stored at a URI, if they are missing or damaged. Raises ``BackendError``.

        Damage is found by the size and, where the store has it, by the MD5 of an object.
        """
        with _fetching(uri):
            files, _ = self._opened(uri)
        _send(folder, digest, files, uri)

    def download(self, uri: str, digest: str) -> Path:
        """The folder at a URI, complete and read-only; fetched once, and again if its copy here was changed.

        Raises ``BackendError`` if it is missing, or its content is not that of the ``digest``.
        """
        there = self._place(uri, digest)
        if there.exists():
            if not digest or folder_digest(there) == digest:
                return there
            _discard(there)
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


def _send(folder: Path, digest: str, files: Any, uri: str) -> None:
    """Store the files of a folder that are not at a URI yet. Raises ``BackendError``."""
    if folder_digest(folder) != digest:
        raise BackendError(f"the model folder {folder} changed while it was registered: register it again")
    target = uri.partition("?")[0].partition("://")[2]
    try:
        missing = _missing(folder, files, target)
        _each(missing, lambda path: files.put_file(str(folder / path), f"{target}/{path}"))
    except (OSError, BackendError) as error:
        raise BackendError(
            f"cannot write the model to {uri}: {error};",
            hint="set another folder with %kf_config pipeline_root=s3://BUCKET/FOLDER",
            ref="pipeline_root",
        ) from None


def _missing(folder: Path, files: Any, target: str) -> list[str]:
    """The files that the store does not have, or of which it has other bytes."""
    try:
        there: Mapping[str, Mapping[str, Any]] = files.find(target, detail=True)
    except FileNotFoundError:
        there = {}
    here = {one.relative_to(folder).as_posix(): one for one in folder.rglob("*") if one.is_file()}
    return [path for path, file in here.items() if not _is_stored(file, there.get(f"{target}/{path}"))]


def _is_stored(file: Path, found: Mapping[str, Any] | None) -> bool:
    """Whether an object has the bytes of a file, as far as a listing tells."""
    if found is None or int(found["size"]) != file.stat().st_size:
        return False
    tag = str(found.get("tag") or "").strip('"')
    return not _MD5.fullmatch(tag) or tag == _md5(file)


def _md5(file: Path) -> str:
    found = hashlib.md5(usedforsecurity=False)
    with file.open("rb") as content:
        while block := content.read(1 << 20):
            found.update(block)
    return found.hexdigest()


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
