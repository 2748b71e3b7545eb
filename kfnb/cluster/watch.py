"""What happens to a list of objects, as it happens, whatever becomes of the connection."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from kfnb import compat
from kfnb.cluster.refusal import Expired, refusal
from kfnb.cluster.streams import lines
from kfnb.errors import BackendError, BackendUnavailable, Hidden

if TYPE_CHECKING:
    from kfnb.cluster.kubernetes import Kubernetes

ANEW = "ANEW"
"""The word for the list as a whole: at first, and again where what happened meanwhile is not known any more."""

_LASTS = 300
"""Seconds after which the server is to end a stream; the watch goes on with another."""
_SILENT_FOR = 90.0
"""Seconds without a word after which a connection counts as dead: bookmarks come about once a minute."""
_AWAY_FOR = 120.0
"""Seconds for which a server may be away, as while it restarts."""
_UNSURE_FOR = 20.0
"""Seconds for which a server that refuses what it allowed before is asked again: one that starts knows no roles yet."""
_HARDLY = 1.0
"""A stream that ends before so many seconds is not asked for again at once."""


class Watch:
    """Iterates over ``(word, object)``: ``ADDED``, ``MODIFIED``, ``DELETED``, and ``ANEW``, which comes with a list
    object: its ``items`` are all there is now.

    Begins with ``ANEW`` unless ``version`` was given. It goes on where a stream ends or a connection drops; after
    ``version`` has expired it begins anew. ``close``, from any thread, ends the iteration. Raises ``BackendError``,
    and ``BackendUnavailable`` where the server stays away for two minutes; a watch of ``version`` may go on later.
    """

    def __init__(self, kubernetes: Kubernetes, path: str, query: Mapping[str, Any], version: str) -> None:
        self.version = version
        self._kubernetes, self._path, self._query = kubernetes, path, query
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._answer: Any = None
        self._opened = 0.0

    def __iter__(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        rounds, heard = 0, time.monotonic()
        while not self._closed.is_set():
            began = time.monotonic()
            try:
                if not self.version:
                    yield ANEW, self._anew()
                yield from self._stream()
            except Expired:
                self.version = ""
            except (BackendUnavailable, Hidden) as error:
                if self._opened < began:  # not even a stream that broke off
                    self._bear(error, time.monotonic() - heard)
            finally:
                self._end()
            if began < self._opened:
                heard = time.monotonic()
            if began < self._opened < heard - _HARDLY:
                rounds = 0
            else:  # nothing came, or hardly anything: who is asked less and less often may recover
                self._closed.wait(self._kubernetes.patience.before(rounds))
                rounds += 1

    def _bear(self, error: BackendError, seconds: float) -> None:
        """Raise an error that has lasted too long, or was there from the first; hanging up is no error."""
        lasts = _UNSURE_FOR if isinstance(error, Hidden) else _AWAY_FOR
        if not self._closed.is_set() and (not self._opened or seconds > lasts):
            raise error from None

    def close(self) -> None:
        """End the iteration, also one that waits in another thread."""
        self._closed.set()
        self._end()

    def _anew(self) -> Mapping[str, Any]:
        items, self.version = self._kubernetes.snapshot(self._path, self._query)
        return {"items": items, "metadata": {"resourceVersion": self.version}}

    def _stream(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        query = {
            **self._query,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self.version,
            "timeoutSeconds": _LASTS,
        }
        answer = self._kubernetes.open(self._path, query, silent_for=_SILENT_FOR)
        with self._lock:
            self._answer, self._opened = answer, time.monotonic()
        if self._closed.is_set():
            return
        for line in filter(None, lines(answer, f"the watch of {self._path}")):
            word, told = self._read(line)
            self.version = (told.get("metadata") or {}).get("resourceVersion") or self.version
            if word != "BOOKMARK":
                yield word, told

    def _read(self, line: str) -> tuple[str, Mapping[str, Any]]:
        try:
            event = json.loads(line)
            word, told = str(event["type"]), dict(event["object"])
        except (ValueError, KeyError, TypeError):
            raise BackendError(f"Kubernetes answered {self._path} with something that is no watch") from None
        if word == "ERROR":
            code = int(told.get("code") or 500)
            raise refusal(
                code, json.dumps(told), method="GET", path=self._path, host=self._kubernetes.host
            ) from None
        return word, told

    def _end(self) -> None:
        """Hang up. A thread that reads wakes up: nothing more comes."""
        with self._lock:
            answer, self._answer = self._answer, None
        if answer is not None:
            compat.hang_up(answer)
