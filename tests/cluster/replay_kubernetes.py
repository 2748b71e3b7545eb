"""Serves the traffic that was recorded from a real Kubernetes 1.36 API server with Kubeflow 26.03's resources in it.

The bearer token is the user's name: admin, editor, viewer, nobody; none is anonymous, another gets 401. Anything that
was not recorded gets 501, so that no test passes on an answer that nobody saw; a read that was not recorded for admin
or editor is answered as a user with fewer rights got it. A create, patch or delete moves the recording on: a read after
it answers what was recorded after it. Watches and followed logs stream with their recorded timing, ``speed`` times as
fast, without events up to the ``resourceVersion`` that was asked for. Two answers are derived from what was recorded:
discovery is the same for all who are known (as the rules of nobody say), and pods in one phase are picked from all.
"""

import contextlib
import gzip
import http.server
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

RECORDINGS = Path(__file__).parent / "recordings"
USERS = ("admin", "editor", "viewer", "nobody")
NAMESPACE = "team-a"
FAMILY = re.compile(r"^(?:/api/v1|/apis/[^/]+/[^/]+)(?:/namespaces/[^/]+)?/[^/]+")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
FIRST = ("cluster", "objects", "team", "access", "discovery", "crds")
"""Where a plain read looks before elsewhere."""
FLAGS = ("watch", "follow", "previous", "timestamps", "allowWatchBookmarks")
DISCOVERY = re.compile(r"/apis(/[^/]+(/[^/]+)?)?")
FREE = ("resourceVersion", "timeoutSeconds", "allowWatchBookmarks")
Row = dict[str, Any]


def query_of(path: str) -> dict[str, str]:
    words = {"True": "true", "False": "false", "1": "true"}
    asked = parse_qsl(urlsplit(path).query, keep_blank_values=True)
    return {name: words.get(value, value) if name in FLAGS else value for name, value in asked}


def without(query: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in query.items() if name not in names}


def keys_of(body: Any) -> tuple[str, Any, Any]:
    """The whole body but for its times; what it names; what it insists on."""
    told = body if isinstance(body, dict) else {}
    name = (told.get("metadata") or {}).get("name") if "kind" in told else None
    return TIME.sub("T", json.dumps(body, sort_keys=True)), name, told.get("preconditions")


@cache
def recorded() -> tuple[Row, ...]:
    """All exchanges, in the order in which they are looked through; who changes one, copies it first."""
    rows: list[Row] = []
    files = sorted(RECORDINGS.iterdir(), key=lambda file: (file.name.split(".")[0] not in FIRST, file.name))
    for file in files:
        for row in map(json.loads, gzip.decompress(file.read_bytes()).splitlines()):
            path = urlsplit(row["path"]).path
            changes = row["method"] != "GET" and 200 <= row["status"] < 300
            asks = path.startswith("/apis/auth") or path.endswith("/token")
            rows.append(
                row
                | {
                    "topic": file.name.split(".")[0],
                    "n": len(rows),
                    "query": query_of(row["path"]),
                    "family": (FAMILY.match(path) or [""])[0],
                    "keys": keys_of(row["request"]),
                    "changes": changes and not asks and "dryRun" not in query_of(row["path"]),
                }
            )
    return tuple(rows)


@cache
def places() -> dict[tuple[str, str, str], list[Row]]:
    found: dict[tuple[str, str, str], list[Row]] = {}
    for row in recorded():
        found.setdefault((row["user"], row["method"], urlsplit(row["path"]).path), []).append(row)
    return found


def exchange(user: str, method: str, path: str, status: int) -> Row:
    """The first exchange so recorded."""
    wanted = (user, method, path, status)
    return next(
        row for row in recorded() if (row["user"], row["method"], row["path"], row["status"]) == wanted
    )


def alike(user: str, path: str) -> tuple[str, ...]:
    """Whose answers a user may get: those of users with fewer and fewer rights."""
    if user == "nobody" and DISCOVERY.fullmatch(path):
        return (user, "viewer")
    return USERS[USERS.index(user) : 3] if user in USERS[:3] else (user,)


def selected(row: Row, selector: str) -> Row:
    """A recorded list of pods, with those that a field selector means."""
    if row["status"] != 200:
        return row
    items = [item for item in row["response"]["items"] if is_meant(item, selector)]
    return row | {"response": row["response"] | {"items": items}}


def is_meant(pod: Row, selector: str) -> bool:
    fields = {"status.phase": pod["status"]["phase"], "spec.nodeName": pod["spec"].get("nodeName", "")}
    terms = [re.fullmatch(r"([\w.]+)(!?=)(.*)", term) for term in selector.split(",")]
    return all((fields[term[1]] == term[3]) is (term[2] == "=") for term in terms if term)


def reads(rows: list[Row], query: dict[str, str], accept: str | None) -> list[Row]:
    rows = [row for row in rows if row.get("accept") == accept] or [
        row for row in rows if "accept" not in row
    ]
    exact = [row for row in rows if row["query"] == query]
    if not exact and query.get("watch") == "true":
        alike = [
            row
            for row in rows
            if without(row["query"], *FREE) == without(query, *FREE)
            and "stream" in row
            and not any('"type":"ERROR"' in line for _, line in row["stream"])
        ]
        return sorted(alike, key=lambda row: -row["lasted"])[:1]
    asked = without(query, "limit", "resourceVersion", "resourceVersionMatch", "timeoutSeconds", "timeout")
    size = int(query["limit"]) if query.get("limit", "").isdigit() else 10**9
    return exact or [
        row
        for row in rows
        if row["query"] == asked
        and (not isinstance(row.get("response"), dict) or len(row["response"].get("items") or []) <= size)
    ]


def writes(rows: list[Row], method: str, query: dict[str, str], body: Any, kind: str | None) -> list[Row]:
    rows = [row for row in rows if row["request_type"] == kind] or ([] if method == "PATCH" else rows)
    whole, name, insists = keys_of(body)
    same = [row for row in rows if row["keys"][0] == whole]
    if method == "DELETE":  # however it shall propagate
        same = [row for row in rows if row in same or (row["keys"][2] == insists and row["status"] != 422)]
    same = same or [
        row
        for row in rows
        if row["status"] == 403
        or (name and row["keys"][1] == name and (row["status"] < 300 or row["status"] == 409))
    ]
    exact = any(row["query"] == query and row["status"] < 300 for row in same)
    free = () if exact else ("fieldManager", "fieldValidation")
    return [row for row in same if without(row["query"], *free) == without(query, *free)]


@dataclass
class Fault:
    """So many of the next answers to paths with ``match`` in them go wrong; ``drop`` hangs up instead."""

    times: int = 1
    status: int = 503
    delay: float = 0.0
    match: str = ""
    drop: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    message: str = "injected fault"


@dataclass
class Asked:
    user: str
    method: str
    path: str
    body: Any


class Replay:
    """The server. ``asked`` is what it was asked, ``faults`` what is to go wrong."""

    def __init__(self, speed: float = 20.0) -> None:
        self.speed = speed
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.lock = threading.Lock()
        self._cursor: dict[str, tuple[str, int]] = {}
        self._turns: dict[str, dict[int, int]] = {}
        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), type("_", (_Handler,), {"replay": self})
        )
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fault(self, path: str) -> Fault | None:
        with self.lock:
            found = next((one for one in self.faults if one.times > 0 and one.match in path), None)
            if found:
                found.times -= 1
            return found

    def find(
        self, user: str, method: str, path: str, body: Any, accept: str | None, kind: str | None
    ) -> Row | None:
        with self.lock:
            self.asked.append(Asked(user, method, path, body))
            if user not in (*USERS, "", "default-editor-token"):
                return next(row for row in recorded() if row["status"] == 401)
            rows = self._rows(user, method, path, body, accept, kind)
            return self._in_time(rows, get=method == "GET") if rows else None

    def _rows(
        self, user: str, method: str, path: str, body: Any, accept: str | None, kind: str | None
    ) -> list[Row]:
        get = method == "GET"
        query, place = query_of(path), urlsplit(path).path
        for who in alike(user, place) if get else (user,):
            found = places().get((who, method, place), [])
            found = found if who == user else [row for row in found if row["status"] == 200]
            rows = reads(found, query, accept) if get else writes(found, method, query, body, kind)
            if rows:
                return rows
        if place.endswith("/pods") and "fieldSelector" in query:
            everything = path.replace(urlsplit(path).query, "limit=500")
            rows = self._rows(user, method, everything, body, accept, kind)
            return [selected(row, query["fieldSelector"]) for row in rows]
        return []

    def _in_time(self, rows: list[Row], *, get: bool) -> Row:
        """What was recorded after the last change that was replayed, and before the next one."""
        family = rows[0]["family"]
        topic, at = self._cursor.get(family, ("", -1))
        if not any(row["topic"] == topic for row in rows):
            topic, at = rows[0]["topic"], -1
        if get or at >= 0:
            rows = [row for row in rows if row["topic"] == topic]
            changes = (
                row["n"]
                for row in recorded()[at + 1 :]
                if row["changes"] and (row["family"], row["topic"]) == (family, topic)
            )
            end = next(changes, len(recorded()))
            later = [row for row in rows if row["n"] > at]
            between = [row for row in later if row["n"] < end]
            rows = (get and between) or later[:1] or (rows[-1:] if get else rows)
        turns, first = self._turns.setdefault(family, {}), rows[0]["n"]
        turns[first] = turns.get(first, -1) + 1
        row = rows[min(turns[first], len(rows) - 1)] if get else rows[0]
        if row["changes"]:
            self._cursor[family], self._turns[family] = (row["topic"], row["n"]), {}
        return row


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    replay: Replay

    def log_message(self, *args: Any) -> None:
        pass

    def handle_any(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = raw.decode(errors="replace")
        fault = self.replay.fault(self.path)
        if fault is not None:
            self._fail(fault)
            return
        user = re.sub("(?i)^bearer ", "", self.headers.get("authorization") or "")
        user = "default-editor-token" if user.count(".") == 2 and len(user) > 200 else user
        accept = self.headers.get("accept")
        accept = None if accept in ("*/*", "application/json") else accept
        row = self.replay.find(user, self.command, self.path, body, accept, self.headers.get("content-type"))
        if row is None:
            told = f"not recorded: {user or 'anonymous'} {self.command} {self.path}"
            self._reply(501, status_of(501, told, "NotRecorded"))
            return
        with contextlib.suppress(ConnectionError):
            if "stream" in row:
                self._stream(row)
            else:
                self._reply(row["status"], row["response"], row["type"], row.get("warning", ""))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the library's names

    def _fail(self, fault: Fault) -> None:
        time.sleep(fault.delay)
        if fault.drop:
            self.close_connection = True
            self.connection.close()
        else:
            self._reply(
                fault.status, status_of(fault.status, fault.message, "Injected"), headers=fault.headers
            )

    def _reply(
        self,
        status: int,
        body: Any,
        kind: str | None = "application/json",
        warning: str = "",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        data = json.dumps(body).encode() if isinstance(body, dict | list) else (body or "").encode()
        self.send_response(status)
        self.send_header("content-type", kind or "text/plain")
        self.send_header("content-length", str(len(data)))
        for name, value in [*headers, *([("warning", warning)] if warning else [])]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, row: Row) -> None:
        start, query = time.monotonic(), query_of(self.path)
        self.send_response(200)
        self.send_header("content-type", row["type"])
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        since = query.get("resourceVersion", "") if query != row["query"] else ""
        after = int(since) if since.isdigit() else 0
        for at, line in [*row["stream"], (row["lasted"], "")]:
            if line and after and int(json.loads(line)["object"]["metadata"]["resourceVersion"]) <= after:
                continue
            time.sleep(max(0, start + at / self.replay.speed - time.monotonic()))
            data = line.encode() + b"\n" if line else b""
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()


def status_of(code: int, message: str, reason: str) -> Row:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }


def written_kubeconfig(folder: Path, url: str, user: str, namespace: str = NAMESPACE) -> Path:
    """A kubeconfig whose only context is the user's."""
    file = folder / f"{user}.yaml"
    context = {"cluster": "replay", "user": user, "namespace": namespace}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "replay", "cluster": {"server": url}}],
        "users": [{"name": user, "user": {"token": user}}],
        "contexts": [{"name": user, "context": context}],
        "current-context": user,
    }
    file.write_text(json.dumps(content))
    return file


@contextlib.contextmanager
def replaying(speed: float = 20.0) -> Iterator[Replay]:
    """A server for as long as it is needed."""
    replay = Replay(speed)
    try:
        yield replay
    finally:
        replay.close()
