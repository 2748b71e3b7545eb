"""A small server that behaves like a Kubernetes API server: objects, versions, conflicts, label selectors, owners."""

from __future__ import annotations

import copy
import json
import re
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from kfnb.server.counters import Statistics

Json = dict[str, Any]
_PATH = re.compile(
    r"(?P<api>/api/v1|/apis/(?P<group>[^/]+)/[^/]+)/namespaces/(?P<namespace>[^/]+)/(?P<kind>[^/]+)"
    r"(/(?P<name>[^/:]+))?(?P<sub>/log|:8080/proxy/kfnb/stats)?"
)
_IN = re.compile(r"(?P<key>[^ ]+) in \((?P<values>[^)]*)\)")


EMPTY_STATS = Statistics().as_json()
"""What a pod that was not asked anything has counted."""


class Answered(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, reason: str, message: str, details: Json | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "reason": reason,
            "message": message,
            "details": details or {},
            "code": status,
        }


class ObjectServer:
    """Objects by kind and name. ``kinds`` are those that exist; ``refused`` are what a user may not do (``verb kind``).

    ``before`` is called with each request, as controllers act between requests. ``written`` are the bodies that came.
    ``webhook`` may raise ``Answered`` for an object that is written. ``stats`` are what pods have counted, by name.
    """

    def __init__(self, kinds: set[str]) -> None:
        self.kinds, self.refused = kinds, set[str]()
        self.objects: dict[tuple[str, str], Json] = {}
        self.logs: dict[tuple[str, str], list[str]] = {}
        self.stats: dict[str, Json] = {}
        self.written: list[Json] = []
        self.requests: list[str] = []
        self.before: Callable[[], None] = lambda: None
        self.webhook: Callable[[str, Json], None] = lambda kind, body: None
        self.lock = threading.RLock()
        self._version = 100

    # -- for controllers

    def of(self, kind: str) -> list[Json]:
        return [one for (known, _), one in sorted(self.objects.items()) if known == kind]

    def put(self, kind: str, item: Json) -> Json:
        """Write an object, with a new version."""
        self._version += 1
        name = item["metadata"]["name"]
        meta = item["metadata"]
        meta.setdefault("uid", str(uuid.uuid4()))
        meta.setdefault("creationTimestamp", datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
        meta["resourceVersion"] = str(self._version)
        self.objects[kind, name] = item
        return item

    def remove(self, kind: str, name: str) -> None:
        """Delete an object and what it owns."""
        gone = self.objects.pop((kind, name))
        uid = gone["metadata"]["uid"]
        for (other, owned), one in [*self.objects.items()]:
            if uid in [owner["uid"] for owner in one["metadata"].get("ownerReferences", ())]:
                self.remove(other, owned)

    # -- requests

    def answer(self, method: str, target: str, body: Json | None) -> tuple[int, Any]:
        with self.lock:
            self.requests.append(f"{method} {target}")
            self.before()
            url = urlsplit(target)
            found = _PATH.fullmatch(url.path)
            try:
                return self._asked(method, found, dict(parse_qsl(url.query)), body)
            except Answered as error:
                return error.status, error.body

    def _asked(
        self, method: str, found: re.Match[str] | None, query: Json, body: Json | None
    ) -> tuple[int, Any]:
        if found is None or found["kind"] not in self.kinds:
            raise Answered(404, "NotFound", "the server could not find the requested resource")
        kind, name = found["kind"], found["name"] or ""
        verb = {"GET": "get" if name else "list", "POST": "create", "PUT": "update"}.get(
            method, method.lower()
        )
        kind_asked = f"{kind}/proxy" if (found["sub"] or "").startswith(":") else kind
        if f"{verb} {kind_asked}" in self.refused:
            group = found["group"] or ""
            message = (
                f'{kind} is forbidden: User "eve" cannot {verb} resource "{kind_asked}" in API group "{group}" '
                f'in the namespace "{found["namespace"]}"'
            )
            raise Answered(403, "Forbidden", message)
        if method == "POST":
            assert body is not None
            return 201, self._create(kind, body)
        if not name:
            return 200, {"items": [copy.deepcopy(one) for one in self.of(kind) if _fits(one, query)]}
        if (kind, name) not in self.objects:
            plural = f"{kind}.{found['group']}" if found["group"] else kind
            message = f'{plural} "{name}" not found'
            raise Answered(404, "NotFound", message, {"name": name, "kind": kind})
        if kind_asked != kind:
            return 200, self.stats.get(name, EMPTY_STATS)
        if found["sub"]:
            return 200, "".join(f"{line}\n" for line in self._log(name, query))
        return 200, self._changed(method, kind, name, body)

    def _log(self, pod: str, query: Json) -> list[str]:
        lines = self.logs.get((pod, query["container"]), [])
        lines = lines[-int(query["tailLines"]) :] if "tailLines" in query else lines
        if query.get("timestamps"):
            stamped = [f"2026-11-30T10:00:{number:02}.000000000Z {line}" for number, line in enumerate(lines)]
            return [line for line in stamped if line[:19] >= query.get("sinceTime", "")[:19]]
        return lines

    def _create(self, kind: str, body: Json) -> Json:
        name = body["metadata"]["name"]
        if (kind, name) in self.objects:
            raise Answered(409, "AlreadyExists", f'{kind} "{name}" already exists', {"name": name})
        self.webhook(kind, body)
        self.written.append(copy.deepcopy(body))
        made = copy.deepcopy(body)
        made["metadata"] |= {"namespace": "team-a", "generation": 1}
        return copy.deepcopy(self.put(kind, made))

    def _changed(self, method: str, kind: str, name: str, body: Json | None) -> Json:
        there = self.objects[kind, name]
        if method == "GET":
            return copy.deepcopy(there)
        if method == "DELETE":
            self.remove(kind, name)
            return {"kind": "Status", "status": "Success"}
        assert body is not None
        wanted = _merged(there, body) if method == "PATCH" else copy.deepcopy(body)
        version = body.get("metadata", {}).get("resourceVersion")
        if version and version != there["metadata"]["resourceVersion"]:
            message = f'Operation cannot be fulfilled on {kind} "{name}": the object has been modified'
            raise Answered(409, "Conflict", message, {"name": name})
        self.webhook(kind, wanted)
        self.written.append(copy.deepcopy(wanted))
        if "status" in there:
            wanted["status"] = there["status"]
        meta = {**there["metadata"], **wanted["metadata"]}
        if wanted.get("spec") != there.get("spec"):
            meta["generation"] = there["metadata"].get("generation", 1) + 1
        return copy.deepcopy(self.put(kind, {**wanted, "metadata": meta}))


def _merged(there: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    found = dict(there) if isinstance(there, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = _merged(found.get(name), value)
    return found


def _fits(item: Json, query: Json) -> bool:
    labels = item["metadata"].get("labels") or {}
    selector = query.get("labelSelector", "")
    among = _IN.fullmatch(selector)
    if among is not None:
        return labels.get(among["key"]) in among["values"].split(",")
    key, equals, value = selector.partition("=")
    if selector and not (labels.get(key) == value if equals else key in labels):
        return False
    _, _, about = query.get("fieldSelector", "").partition("involvedObject.name=")
    return not about or item.get("involvedObject", {}).get("name") == about


@contextmanager
def serving(objects: ObjectServer, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address of a server of these objects."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            status, found = objects.answer(self.command, self.path, body)
            content = found.encode() if isinstance(found, str) else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):  # every verb is answered alike
                return self.do_GET
            raise AttributeError(name)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
