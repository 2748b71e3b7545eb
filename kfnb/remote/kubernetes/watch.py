"""Watches of lists of objects that survive lost connections."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from kfnb.errors import BackendError, BackendUnavailable, Hidden
from kfnb.remote.kubernetes.errors import Expired, refusal

if TYPE_CHECKING:
    from kfnb.remote.kubernetes.client import Kubernetes

ANEW = "ANEW"
"""The word for the complete list: at first, and again if intermediate changes were lost."""

_LASTS = 300
"""Seconds after which the server ends a stream; the watch continues with another stream."""
_SILENT_FOR = 90.0
"""Seconds without data after which a connection counts as dead: bookmarks arrive about once a minute."""
_AWAY_FOR = 120.0
"""Seconds for which a server may be unreachable, as while it restarts."""
_UNSURE_FOR = 20.0
"""Seconds of retries when a server refuses what it allowed before: a starting server has not loaded its roles yet."""
_HARDLY = 1.0
"""Seconds that a stream has to last to be reopened at once."""
BOOKMARK = "BOOKMARK"
"""The word for an event that only has a version."""


def watching(query: Mapping[str, Any], version: str, seconds: int) -> dict[str, Any]:
    """The query for changes after a ``version``, for a number of ``seconds``."""
    return {
        **query,
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": version,
        "timeoutSeconds": seconds,
    }


def events(lines: Iterable[str], path: str, host: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The word and the object of each line of a watch. Raises ``BackendError``, ``Expired`` for an old version."""
    for line in filter(None, lines):
        try:
            event = json.loads(line)
            word, body = str(event["type"]), dict(event["object"])
        except (ValueError, KeyError, TypeError):
            raise BackendError(f"Kubernetes answered {path} with something that is not a watch") from None
        if word == "ERROR":
            code = int(body.get("code") or 500)
            raise refusal(code, json.dumps(body), method="GET", path=path, host=host)
        yield word, body


class ListWatch:
    """Iterates over ``(word, object)``: ``ADDED``, ``MODIFIED``, ``DELETED``, and ``ANEW``, which comes with a list
    object: its ``items`` are the current items.

    Begins with ``ANEW`` unless ``version`` was given. It continues when a stream ends or a connection drops, and
    restarts when ``version`` has expired. ``close``, from any thread, ends the iteration. Raises ``BackendError``, and
    ``BackendUnavailable`` if the server is unreachable for two minutes; a watch of ``version`` may continue later.
    """

    def __init__(self, kubernetes: Kubernetes, path: str, query: Mapping[str, Any], version: str) -> None:
        self.version = version
        self._kubernetes, self._path, self._query = kubernetes, path, query
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._answer: Any = None
        self._opened = 0.0

    def __iter__(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        rounds, last = 0, time.monotonic()
        while not self._closed.is_set():
            began = time.monotonic()
            try:
                if not self.version:
                    yield ANEW, self._anew()
                yield from self._stream()
            except Expired:
                self.version = ""
            except (BackendUnavailable, Hidden) as error:
                if self._opened < began:  # no stream was opened
                    self._bear(error, time.monotonic() - last)
            finally:
                self._end()
            if began < self._opened:
                last = time.monotonic()
            if began < self._opened < last - _HARDLY:
                rounds = 0
            else:  # hardly any data arrived: back off, so that the server may recover
                self._closed.wait(self._kubernetes.retry.before(rounds))
                rounds += 1

    def _bear(self, error: BackendError, seconds: float) -> None:
        """Raise an error that has lasted too long, or occurred at once; a closed connection is not an error."""
        lasts = _UNSURE_FOR if isinstance(error, Hidden) else _AWAY_FOR
        if not self._closed.is_set() and (not self._opened or seconds > lasts):
            raise error from None

    def close(self) -> None:
        """End the iteration, even while another thread waits in it."""
        self._closed.set()
        self._end()

    def _anew(self) -> Mapping[str, Any]:
        items, self.version = self._kubernetes.snapshot(self._path, self._query)
        return {"items": items, "metadata": {"resourceVersion": self.version}}

    def _stream(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        query = watching(self._query, self.version, _LASTS)
        answer = self._kubernetes.open(self._path, query, silent_for=_SILENT_FOR)
        with self._lock:
            self._answer, self._opened = answer, time.monotonic()
        if self._closed.is_set():
            return
        lines = answer.lines(f"the watch of {self._path}")
        for word, body in events(lines, self._path, self._kubernetes.host):
            self.version = (body.get("metadata") or {}).get("resourceVersion") or self.version
            if word != BOOKMARK:
                yield word, body

    def _end(self) -> None:
        """Close the stream. This wakes a thread that reads."""
        with self._lock:
            answer, self._answer = self._answer, None
        if answer is not None:
            answer.hang_up()
