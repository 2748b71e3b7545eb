"""An S3 store, as a file system of fsspec's: for reading, and for uploading whole files.

KFP keeps artifacts in S3, mostly in a store of the cluster's own (SeaweedFS, MinIO), so this is what every run needs;
s3fs would do it, and bring versions of botocore along that do not fit beside those of many notebooks.
"""

from __future__ import annotations

import re
import time
from datetime import datetime, timezone
from html import unescape
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

from kfnb.backends.kubeflow.signing import EMPTY, Keys, encoded, signed
from kfnb.errors import Unreadable
from kfnb.model import digest_of

_NOT_FOUND, _FORBIDDEN, _FAILED = 404, (401, 403), 400
_MOST_AT_ONCE = 5 * 1024**3
_SILENT_FOR = 30.0
"""Seconds for which a store that does not answer is not asked: a task may have many artifacts to look at."""
_ENTRY = re.compile(r"<(?:Contents|CommonPrefixes)>.*?</(?:Contents|CommonPrefixes)>", re.DOTALL)


class S3Files(AbstractFileSystem):  # type: ignore[misc]
    """The store at ``endpoint`` (``https://host:port``); paths are ``bucket/key``. A public one needs no ``keys``."""

    protocol = ("minio", "s3")
    cachable = False
    root_marker = ""

    def __init__(self, endpoint: str, keys: Keys | None, region: str = "us-east-1") -> None:
        super().__init__()
        import urllib3

        self._endpoint, self._keys, self._region = endpoint.rstrip("/"), keys, region
        self._http = urllib3.PoolManager(
            maxsize=8, timeout=urllib3.Timeout(connect=5, read=60), retries=urllib3.Retry(2, connect=0)
        )
        self._silent: tuple[float, str] = 0.0, ""

    def __reduce__(self) -> Any:
        raise TypeError("a store that knows its keys is not pickled")

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """The size of an object; or that there are objects below the path."""
        path = self._strip_protocol(path)
        try:
            answer = self._ask("HEAD", path) if "/" in path else None
        except FileNotFoundError:
            answer = None
        if answer is not None:
            return {"name": path, "size": int(answer.headers.get("content-length", 0)), "type": "file"}
        if not self._list(path, most=1):
            raise FileNotFoundError(path)
        return {"name": path, "size": 0, "type": "directory"}

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:  # noqa: FBT002 - fsspec's signature
        """What lies directly below the path."""
        path = self._strip_protocol(path)
        found = self._list(path) or [self.info(path)]
        return found if detail else [entry["name"] for entry in found]

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:
        """An object's bytes, all of them or those of a range."""
        path = self._strip_protocol(path)
        if start is None and end is None:
            return bytes(self._ask("GET", path).data)
        size = self.info(path)["size"] if (start or 0) < 0 or (end or 0) < 0 else 0
        first = (start or 0) + (size if (start or 0) < 0 else 0)
        last = "" if end is None else end + (size if end < 0 else 0) - 1
        if last != "" and int(last) < first:
            return b""
        return bytes(self._ask("GET", path, headers={"range": f"bytes={first}-{last}"}).data)

    def put_file(self, lpath: str, rpath: str, callback: Any = None, **_: Any) -> None:
        """Make an object of a file here: all of it, or none. ``callback`` is one of fsspec's."""
        source = Path(lpath)
        size = source.stat().st_size
        if size > _MOST_AT_ONCE:
            raise Unreadable(f"{lpath} has more than 5 GB, which S3 does not take in one request")
        headers = {"content-length": str(size), "content-type": "application/octet-stream"}
        with source.open("rb") as file:
            body = _Told(file, callback) if callback is not None else file
            path, sent = self._strip_protocol(rpath), digest_of(source)
            self._ask("PUT", path, headers=headers, body=body, digest=sent)

    def _open(self, path: str, mode: str = "rb", block_size: int | None = None, **options: Any) -> _S3File:
        options = {name: options[name] for name in ("cache_type", "cache_options", "size") if name in options}
        return _S3File(self, path, mode, block_size or "default", **options)

    def _list(self, path: str, most: int = 0) -> list[dict[str, Any]]:
        bucket, _, key = path.partition("/")
        prefix = f"{key.rstrip('/')}/" if key else ""
        query = {"list-type": "2", "prefix": prefix, "delimiter": "/"} | (
            {"max-keys": str(most)} if most else {}
        )
        found: list[dict[str, Any]] = []
        while True:
            text = self._ask("GET", bucket, query).data.decode()
            found += [_entry(bucket, part) for part in _ENTRY.findall(text)]
            token = _tag(text, "NextContinuationToken")
            if most or not token:
                return [entry for entry in found if entry["name"] != f"{bucket}/{prefix}".rstrip("/")]
            query["continuation-token"] = token

    def _ask(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        body: Any = None,
        digest: str = EMPTY,
    ) -> Any:
        import urllib3

        quoted, asked = quote(f"/{path}", safe="/-_.~"), encoded(query or {})
        host = self._endpoint.partition("://")[2]
        own = (
            signed(self._keys, self._region, method, host, quoted, asked, datetime.now(timezone.utc), digest)
            if self._keys
            else {}
        )
        until, why = self._silent
        if time.monotonic() < until:
            raise Unreadable(why)
        url = f"{self._endpoint}{quoted}" + (f"?{asked}" if asked else "")
        try:
            answer = self._http.request(method, url, headers=own | (headers or {}), body=body)
        except urllib3.exceptions.HTTPError as error:
            why = f"the object store at {host} does not answer: {_reason(error)}"
            self._silent = time.monotonic() + _SILENT_FOR, why
            raise Unreadable(why) from None
        if answer.status == _NOT_FOUND:
            raise FileNotFoundError(path)
        if answer.status in _FORBIDDEN:
            verb = "take" if method == "PUT" else "give"
            raise Unreadable(f"the object store at {host} refuses to {verb} {path}: {_said(answer)}")
        if answer.status >= _FAILED:
            raise Unreadable(
                f"the object store at {host} answered {answer.status} for {path}: {_said(answer)}"
            )
        return answer


class _Told:
    """A file that tells a callback of fsspec's how much of it was read."""

    def __init__(self, file: IO[bytes], callback: Any) -> None:
        self._file, self._callback = file, callback

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self._callback.relative_update(len(block))
        return block

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, place: int) -> int:  # to where it began, where a request is sent again
        self._callback.absolute_update(place)
        return self._file.seek(place)


class _S3File(AbstractBufferedFile):  # type: ignore[misc]
    def _fetch_range(self, start: int, end: int) -> bytes:
        return bytes(self.fs.cat_file(self.path, start, end))


def _entry(bucket: str, part: str) -> dict[str, Any]:
    key = _tag(part, "Key")
    if not key:
        return {"name": f"{bucket}/{_tag(part, 'Prefix').rstrip('/')}", "size": 0, "type": "directory"}
    return {"name": f"{bucket}/{key}".rstrip("/"), "size": int(_tag(part, "Size") or 0), "type": "file"}


def _tag(text: str, name: str) -> str:
    """The text of the first element called so: what a store lists is flat, and no parser for hostile XML is at hand."""
    found = re.search(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
    return unescape(found[1]) if found else ""


def _said(answer: Any) -> str:
    text = answer.data.decode("utf-8", "replace")
    return _tag(text, "Message") or _tag(text, "Code") or answer.reason or ""


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error).partition(": ")[2] or str(error)
