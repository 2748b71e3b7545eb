"""A proxy before an API server that keeps what ``replay`` serves."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.kubernetes.controllers import Api
from tests.recordings.replay import SINCE, kind_of

NAMESPACE = "team-a"


class Recorder:
    """What was asked, but for objects of the kinds ``live``.

    ``namespace`` takes the place of team-a in the cluster, so that each test has its own.
    """

    def __init__(self, api: Api, namespace: str, live: set[str]) -> None:
        self._api, self._namespace, self._live = api, namespace, live
        self._exchanges: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def ask(self, method: str, path: str, body: bytes, kind: str) -> tuple[int, str, bytes]:
        """The API server's answer."""
        path = SINCE.sub("", path)
        there = path.replace(f"/namespaces/{NAMESPACE}", f"/namespaces/{self._namespace}")
        sent = body.replace(f'"{NAMESPACE}"'.encode(), f'"{self._namespace}"'.encode())
        sent = sent.replace(f".{NAMESPACE}.".encode(), f".{self._namespace}.".encode())
        status, content_type, content = self._api.send(method, there, sent or None, kind)
        content = content.replace(self._namespace.encode(), NAMESPACE.encode())
        if kind_of(path) not in self._live:
            response = _tidy(json.loads(content)) if "json" in content_type else content.decode()
            request = json.loads(body) if body else None
            exchange = {"method": method, "path": path, "request": request, "status": status}
            with self._lock:
                self._exchanges.append({**exchange, "response": response})
        return status, content_type, content

    @property
    def exchanges(self) -> list[dict[str, Any]]:
        """The exchanges, without the rounds of reads that say what the round before said."""
        kept, before = [], ""
        for one in _rounds(self._exchanges):
            said = json.dumps(
                [(each["path"], each["status"], each["response"]) for each in one], sort_keys=True
            )
            if said != before or one[0]["method"] != "GET":
                kept.extend(one)
            before = said if one[0]["method"] == "GET" else ""
        return kept

    @contextmanager
    def serving(self) -> Iterator[str]:
        """The proxy's address."""
        ask = self.ask

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                kind = self.headers.get("content-type") or "application/json"
                status, content_type, content = ask(self.command, self.path, body, kind)
                self.send_response(status)
                self.send_header("content-type", content_type)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server's names

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()


def _rounds(exchanges: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """A write alone, or reads until the first of their paths is read again."""
    current: list[dict[str, Any]] = []
    for one in exchanges:
        if current and (one["method"] != "GET" or one["path"] == current[0]["path"]):
            yield current
            current = []
        if one["method"] != "GET":
            yield [one]
        else:
            current.append(one)
    if current:
        yield current


def _tidy(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: _tidy(value) for name, value in found.items() if name != "managedFields"}
    return [_tidy(one) for one in found] if isinstance(found, list) else found
