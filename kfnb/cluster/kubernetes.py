"""The one boundary to a Kubernetes API server: JSON goes out and comes in, and what fails is told apart in words.

The answers stay plain JSON: the client's own models refuse what a newer server or another project's CRD may send, and
know no custom resources.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from kfnb.cluster.patience import PATIENCE, Patience
from kfnb.cluster.refusal import Expired, refusal
from kfnb.cluster.streams import lines
from kfnb.cluster.watch import Watch
from kfnb.diagnostics import logger, where
from kfnb.errors import BackendError, BackendUnavailable

_logger = logger(__package__)

T = TypeVar("T")
Query = Mapping[str, Any]

MANAGER = "kfnb"
"""As whom fields are owned (server-side apply), and who is said to have written an object."""

_JSON = "application/json"
_PAGE = 500
_TURNS = 3
"""How often a list that expired half-way is begun anew before it is asked for as a whole."""
_SILENT_FOR = 60.0
"""Seconds after which a followed stream that says nothing breaks off, so that nothing waits for ever."""
_STRICT = {"fieldManager": MANAGER, "fieldValidation": "Strict"}


class Kubernetes:
    """A Kubernetes API server, asked as one user. ``client`` makes the ``kubernetes`` package's ``ApiClient``.

    Paths are the server's own (``/apis/kubeflow.org/v1/namespaces/team-a/notebooks``). Reads are asked again where a
    server is busy, restarts or drops the connection; a write only where it cannot have been done. Every error is a
    ``BackendError``: ``Hidden``, ``Absent``, ``Unauthenticated``, ``Conflict``, ``Refused``, ``Invalid``,
    ``BackendUnavailable``. May be used by several threads.
    """

    def __init__(self, client: Callable[[], Any], *, patience: Patience = PATIENCE) -> None:
        self.patience = patience
        self._make, self._made = client, None
        self._lock = threading.Lock()

    @property
    def client(self) -> Any:
        """The ``ApiClient`` itself, for what is not JSON over HTTP."""
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    @property
    def host(self) -> str:
        """The server's address."""
        return str(self.client.configuration.host)

    def version(self) -> Mapping[str, Any]:
        """What the server is: ``gitVersion`` and more."""
        return self.get("/version/")

    def get(self, path: str, query: Query | None = None, *, accept: str = _JSON) -> Mapping[str, Any]:
        """What is there; ``accept`` names the forms in which it may come, the best first."""
        return self._json("GET", path, query, accept=accept)

    def list(self, path: str, query: Query | None = None) -> Iterator[Mapping[str, Any]]:
        """The items of a list, page by page. What changes meanwhile may or may not be among them."""
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
        """A list as it was at one moment, and the version of that moment, from which ``watch`` goes on."""
        for turn in range(_TURNS + 1):
            try:
                return self._pages(path, query, size=_PAGE if turn < _TURNS else 0)
            except Expired:
                continue
        raise BackendUnavailable(f"Kubernetes: {path} changes faster than it can be listed")

    def watch(self, path: str, query: Query | None = None, version: str = "") -> Watch:
        """What happens to a list from ``version`` on, for as long as it is iterated; see ``Watch``."""
        return Watch(self, path, query or {}, version)

    def create(self, path: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Mapping[str, Any]:
        """Make an object in a list; the server refuses fields that it does not know. Raises ``Conflict``."""
        return self._json("POST", path, _STRICT | _dry(dry_run), body)

    def replace(self, path: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Mapping[str, Any]:
        """Put a whole object in the place of what is there. Raises ``Conflict`` if it changed since it was read."""
        return self._json("PUT", path, _STRICT | _dry(dry_run), body)

    def patch(self, path: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Mapping[str, Any]:
        """Change fields of an object (a JSON merge patch): None removes one, a list is replaced as a whole."""
        return self._json("PATCH", path, _STRICT | _dry(dry_run), body, kind="application/merge-patch+json")

    def apply(
        self, path: str, body: Mapping[str, Any], *, force: bool = False, dry_run: bool = False
    ) -> Mapping[str, Any]:
        """Make an object be so, new or not (server-side apply). Raises ``Conflict`` where others own a field that
        differs, unless ``force``.
        """
        query = {"fieldManager": MANAGER} | ({"force": "true"} if force else {}) | _dry(dry_run)
        return self._json("PATCH", path, query, body, kind="application/apply-patch+yaml")

    def delete(self, path: str, *, dry_run: bool = False) -> Mapping[str, Any]:
        """Delete an object, and afterwards what it owns."""
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        return self._json("DELETE", path, _dry(dry_run), options)

    def lines(self, path: str, query: Query | None = None, *, follow: bool = False) -> Iterator[str]:
        """The lines of a text, such as a log, as they come. Raises ``BackendError`` where it breaks off."""
        limit = _SILENT_FOR if follow else self.patience.read
        answer = self.open(path, query, silent_for=limit)
        try:
            yield from lines(answer, path)
        finally:
            answer.close()

    def open(self, path: str, query: Query | None = None, *, silent_for: float) -> Any:
        """An answer that is read as it comes: ``urllib3``'s own. Ends after so many seconds of silence."""
        return self._patiently(lambda: self._ask("GET", path, query, None, {"Accept": _JSON}, silent_for))

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
        headers = {"Accept": accept} | ({"Content-Type": kind} if body else {})

        def ask() -> Mapping[str, Any]:
            answer = self._ask(method, path, query, body, headers, self.patience.read)
            return self._read(answer, path, method == "GET")

        return self._patiently(ask)

    def _read(self, answer: Any, path: str, again: bool) -> Mapping[str, Any]:
        try:
            found = json.loads(answer.data)
        except ValueError:
            raise BackendError(
                f"{self.host} answered {path} with something that is no JSON: is there a proxy that asks you to log in?"
            ) from None
        except (
            Exception
        ) as error:  # a connection that breaks as it is read: urllib3 has a dozen ways to say so
            _logger.debug("The connection to Kubernetes at %s was dropped.", self.host, exc_info=True)
            why = f"the connection was dropped ({type(error).__name__})"
            raise _Failed(self._silent(why), again=again) from None
        if not isinstance(found, dict):
            raise BackendError(f"{self.host} answered {path} with JSON that is none of Kubernetes'")
        return found

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Ask until there is an answer, or patience is at its end."""
        for tries_left in reversed(range(self.patience.tries)):
            number = self.patience.tries - tries_left - 1
            try:
                return ask()
            except _Failed as failed:
                if not tries_left or not failed.again:
                    raise failed.error from None
                time.sleep(self.patience.before(number, failed.asked))
        raise AssertionError  # the last try returns or raises

    def _ask(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: Any,
        headers: Mapping[str, str],
        silent_for: float,
    ) -> Any:
        from kubernetes.client.exceptions import ApiException
        from urllib3 import exceptions as wrong

        given = [(name, value) for name, value in (query or {}).items() if value not in ("", None, 0)]
        client = self.client
        try:
            return client.call_api(
                path,
                method,
                query_params=given,
                header_params=dict(headers),
                body=body,
                auth_settings=["BearerToken"],
                _preload_content=False,
                _request_timeout=(self.patience.connect, silent_for),
                _return_http_data_only=True,
            )
        except ApiException as error:
            if not error.status:
                raise self._untrusted(error) from None
            refused = refusal(error.status, error.body or "", method=method, path=path, host=self.host)
            again = isinstance(refused, BackendUnavailable) and (method == "GET" or error.status == 429)  # noqa: PLR2004
            raise _Failed(refused, again=again, asked=(error.headers or {}).get("Retry-After", "")) from None
        except (wrong.NewConnectionError, wrong.ConnectTimeoutError):
            raise _Failed(self._silent("nothing answers"), again=True) from None
        except wrong.ReadTimeoutError:
            raise _Failed(self._silent(f"no answer within {silent_for:g} s"), again=False) from None
        except wrong.HTTPError as error:
            why = f"the connection was dropped ({type(error).__name__})"
            raise _Failed(self._silent(why), again=method == "GET") from None
        except BackendError:
            raise
        except Exception as error:  # what signing in raises: an exec plugin, a file that is not there
            _logger.warning("Kubernetes at %s cannot be asked.\n%s", self.host, where(error))
            raise BackendError(f"Kubernetes cannot be asked: {type(error).__name__}") from None

    def _silent(self, why: str) -> BackendUnavailable:
        return BackendUnavailable(f"Kubernetes at {self.host} does not answer: {why}")

    def _untrusted(self, error: Any) -> BackendError:
        reason = str(error.reason).rpartition("] ")[2].partition(" (_ssl")[0].strip()
        return BackendError(
            f"Kubernetes at {self.host} cannot be trusted: {reason or 'its certificate is not'}"
        )


class _Failed(Exception):
    """A try that failed; ``again`` whether another makes sense, ``asked`` the seconds that the server wants before."""

    def __init__(self, error: BackendError, *, again: bool, asked: str = "") -> None:
        super().__init__(str(error))
        self.error, self.again, self.asked = error, again, asked


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}
