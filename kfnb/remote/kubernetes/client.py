"""The only boundary to a Kubernetes API server: JSON goes out and comes in, and errors are distinguished.

The answers stay plain JSON: the client's own models refuse what a newer server or another project's CRD may send, and
know no custom resources.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from kfnb.diagnostics import logger, where
from kfnb.errors import BackendError, BackendUnavailable
from kfnb.remote.errors import NoAnswer, Untrusted
from kfnb.remote.http import Http, Request, Stream, Transport
from kfnb.remote.kubernetes.errors import LATER, Expired, refusal
from kfnb.remote.kubernetes.watch import ListWatch
from kfnb.remote.retry import RETRY, RetryPolicy

_logger = logger(__package__)

Query = Mapping[str, Any]

MANAGER = "kfnb"
"""The field manager: the owner of fields (server-side apply) and the recorded writer of an object."""

_JSON = "application/json"
_PAGE = 500
_TURNS = 3
"""How often a list that expired half-way is restarted before it is requested in one piece."""
_SILENT_FOR = 60.0
"""Seconds without data after which a followed stream ends, so that no reader waits for ever."""
_STRICT = {"fieldManager": MANAGER, "fieldValidation": "Strict"}


class Kubernetes:
    """A Kubernetes API server, used as one user. ``configure`` makes the ``kubernetes`` package's ``Configuration``.

    Paths are the server's own (``/apis/kubeflow.org/v1/namespaces/team-a/notebooks``). Reads are retried when a
    server is busy, restarts or drops the connection; writes only if they cannot have been done. Every error is a
    ``BackendError``: ``Hidden``, ``Absent``, ``Unauthenticated``, ``Conflict``, ``Refused``, ``Invalid``,
    ``BackendUnavailable``. It is safe for threads.
    """

    def __init__(self, configure: Callable[[], Any], *, retry: RetryPolicy = RETRY) -> None:
        self._login = _Login(configure)
        self._http = Http(self._login, self._login.transport, retry=retry, later=LATER)

    @property
    def retry(self) -> RetryPolicy:
        """The retry policy."""
        return self._http.retry

    @property
    def configuration(self) -> Any:
        """The ``Configuration`` itself, for what is not HTTP."""
        return self._login.configuration

    @property
    def host(self) -> str:
        """The server's address."""
        return str(self.configuration.host).rstrip("/")

    def credentials(self) -> Mapping[str, str]:
        """The headers with the credentials, for what is not HTTP."""
        return self._login.headers()

    def version(self) -> Mapping[str, Any]:
        """The server's version: ``gitVersion`` and more."""
        return self.get("/version/")

    def get(self, path: str, query: Query | None = None, *, accept: str = _JSON) -> Mapping[str, Any]:
        """Get a resource; ``accept`` names the accepted content types, the best first."""
        return self._json("GET", path, query, accept=accept)

    def list(self, path: str, query: Query | None = None) -> Iterator[Mapping[str, Any]]:
        """The items of a list, page by page. Concurrent changes may or may not be included."""
        token = ""
        while True:
            try:
                page = self.get(path, {"limit": _PAGE, **(query or {}), "continue": token})
            except Expired as expired:
                if not expired.token:
                    raise
                token = expired.token
                continue
            yield from page.get("items") or ()
            token = (page.get("metadata") or {}).get("continue", "")
            if not token:
                return

    def snapshot(self, path: str, query: Query | None = None) -> tuple[tuple[Mapping[str, Any], ...], str]:
        """A consistent list and its version, from which ``watch`` continues."""
        for turn in range(_TURNS + 1):
            try:
                return self._pages(path, query, size=_PAGE if turn < _TURNS else 0)
            except Expired:
                continue
        raise BackendUnavailable(f"Kubernetes: {path} changes faster than it can be listed")

    def watch(self, path: str, query: Query | None = None, version: str = "") -> ListWatch:
        """The changes of a list from ``version`` on, as long as it is iterated; see ``ListWatch``."""
        return ListWatch(self, path, query or {}, version)

    def create(self, path: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Mapping[str, Any]:
        """Create an object in a list; the server refuses unknown fields. Raises ``Conflict``."""
        return self._json("POST", path, _STRICT | _dry(dry_run), body)

    def replace(self, path: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Mapping[str, Any]:
        """Replace an object. Raises ``Conflict`` if it changed since it was read."""
        return self._json("PUT", path, _STRICT | _dry(dry_run), body)

    def patch(self, path: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Mapping[str, Any]:
        """Change fields of an object (a JSON merge patch): None removes one, a list is replaced as a whole."""
        return self._json("PATCH", path, _STRICT | _dry(dry_run), body, kind="application/merge-patch+json")

    def apply(
        self, path: str, body: Mapping[str, Any], *, force: bool = False, dry_run: bool = False
    ) -> Mapping[str, Any]:
        """Create or update an object (server-side apply). Raises ``Conflict`` if others own a field that differs,
        unless ``force``.
        """
        query = {"fieldManager": MANAGER} | ({"force": "true"} if force else {}) | _dry(dry_run)
        return self._json("PATCH", path, query, body, kind="application/apply-patch+yaml")

    def delete(self, path: str, *, order: str = "Background", dry_run: bool = False) -> Mapping[str, Any]:
        """Delete an object, and then what it owns; with the ``order`` ``Foreground``, it goes last."""
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": order}
        return self._json("DELETE", path, _dry(dry_run), options)

    def lines(self, path: str, query: Query | None = None, *, follow: bool = False) -> Iterator[str]:
        """The lines of a text, such as a log, as they arrive. Raises ``BackendError`` if it is interrupted."""
        stream = self.open(path, query, silent_for=_SILENT_FOR if follow else self.retry.read)
        try:
            yield from stream.lines(path)
        finally:
            stream.close()

    def open(self, path: str, query: Query | None = None, *, silent_for: float) -> Stream:
        """An answer that is read as it arrives. It ends after ``silent_for`` seconds without data."""
        request = self._request("GET", path, query, None, {"accept": _JSON})
        with self._in_words():
            stream = self._http.open(request, silent_for=silent_for)
            if stream.status < 300:  # noqa: PLR2004 - HTTP's own numbers
                return stream
            body = stream.answer().body
        raise refusal(stream.status, body, method="GET", path=path, host=self.host)

    def _pages(
        self, path: str, query: Query | None, *, size: int
    ) -> tuple[tuple[Mapping[str, Any], ...], str]:
        found: list[Mapping[str, Any]] = []
        token = ""
        while True:
            page = self.get(path, {"limit": size, **(query or {}), "continue": token})
            found += page.get("items") or ()
            about = page.get("metadata") or {}
            token = about.get("continue", "")
            if not token:
                return tuple(found), str(about.get("resourceVersion", ""))

    def _json(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: Mapping[str, Any] | None = None,
        *,
        kind: str = _JSON,
        accept: str = _JSON,
    ) -> Mapping[str, Any]:
        headers = {"accept": accept} | ({"content-type": kind} if body else {})
        with self._in_words():
            answer = self._http.send(self._request(method, path, query, body, headers))
        if not answer.fine:
            raise refusal(answer.status, answer.body, method=method, path=path, host=self.host)
        try:
            found = json.loads(answer.body)
        except ValueError:
            raise BackendError(
                f"{self.host} answered {path} with something that is not JSON: "
                "it may be the login page of a proxy"
            ) from None
        if not isinstance(found, dict):
            raise BackendError(f"{self.host} answered {path} with JSON that is not an object of Kubernetes")
        return found

    def _request(
        self, method: str, path: str, query: Query | None, body: Any, headers: Mapping[str, str]
    ) -> Request:
        given = urlencode(
            [(name, value) for name, value in (query or {}).items() if value not in ("", None, 0)]
        )
        content = None if body is None else json.dumps(body).encode()
        return Request(
            method, f"{self.host}{path}{f'?{given}' if given else ''}", content, {"accept": _JSON, **headers}
        )

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """Translate connection errors to those of Kubernetes."""
        try:
            yield
        except NoAnswer as error:
            raise BackendUnavailable(f"Kubernetes at {self.host} does not answer: {error.reason}") from None
        except Untrusted as error:
            raise BackendError(f"Kubernetes at {self.host} cannot be trusted: {error.reason}") from None


class _Login:
    """The credentials and the connection of a ``Configuration``; created again after a refusal."""

    def __init__(self, configure: Callable[[], Any]) -> None:
        self._configure = configure
        self._configuration: Any = None
        self._lock = threading.Lock()

    @property
    def configuration(self) -> Any:
        with self._lock:
            if self._configuration is None:
                self._configuration = self._configure()
            return self._configuration

    def headers(self) -> Mapping[str, str]:
        shown = self._shown(self.configuration)
        return {"authorization": shown} if shown else {}

    def renewed(self) -> bool:
        """Read the kubeconfig, the token's file or the plugin's output again; return whether it changed."""
        before, newer = self.configuration, self._configure()
        with self._lock:
            self._configuration = newer
        return hash(self._shown(before)) != hash(self._shown(newer)) or before.cert_file != newer.cert_file

    def transport(self) -> Transport:
        configuration = self.configuration
        return Transport(
            ca=configuration.ssl_ca_cert or "",
            verify=bool(configuration.verify_ssl),
            certificate=configuration.cert_file or "",
            key=configuration.key_file or "",
            server_name=getattr(configuration, "tls_server_name", None) or "",
            proxy=configuration.proxy or "",
            proxy_headers=configuration.proxy_headers or {},
        )

    @staticmethod
    def _shown(configuration: Any) -> str:
        try:
            return configuration.get_api_key_with_prefix("authorization") or ""
        except Exception as error:  # authentication may raise anything: an exec plugin, a missing file
            _logger.warning("Cannot authenticate to Kubernetes at %s.\n%s", configuration.host, where(error))
            raise BackendError(f"cannot authenticate to Kubernetes: {type(error).__name__}") from None


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}
