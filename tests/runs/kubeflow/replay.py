"""Serves the HTTP traffic that was recorded from a real Kubeflow Pipelines 2.17.0 API server.

What was recorded is answered as it was recorded, a run's ``GET /runs/ID`` along the recorded timeline from the moment
its ``POST /runs`` was replayed. Anything else gets 501, so that no test passes on an answer that nobody saw; what a
test has to make up (5,000 runs, states of a newer server), it puts in ``Replay.invented``.
"""

import base64
import gzip
import http.server
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from kfnb.remote.retry import RetryPolicy

RECORDINGS = Path(__file__).parent / "recordings"
NAMES = ("success", "failure", "cancel", "catalog", "errors")
STOCK = tuple(f"stock/{name}" for name in ("loops", "cached", "failures", "stopped", "big", "paging"))
"""Recordings of a KFP whose Argo has the configuration that KFP ships: every node is a Retry node there."""
RUNS = "/apis/v2beta1/runs"
HASTE = RetryPolicy(tries=3, pause=0.01, longest=0.05, connect=10.0, read=30.0)
RUN_PATH = re.compile(rf"^{RUNS}/([0-9a-f-]{{36}})$")
GOOD, CACHED, OTHER = (
    "6ede6767-1e3f-44e6-807b-b809e140cb06",
    "0191e9a9-5121-418c-a37f-b9101a014845",
    "845311c3-5174-40bf-842d-e2999656b493",
)
BAD, STOPPED = "75fe474b-1d06-4ac1-81e6-da47ac13f51d", "91130bb3-b9ca-448c-a7b4-b27777ca3f8c"


def text_of(name: str) -> str:
    """A recorded file's text."""
    file = RECORDINGS / name
    return file.read_text() if file.exists() else gzip.decompress(Path(f"{file}.gz").read_bytes()).decode()


@cache
def exchanges(name: str) -> tuple[dict[str, Any], ...]:
    """The recorded exchanges of ``NAME.http.jsonl``; who changes one, copies it first."""
    return tuple(json.loads(line) for line in text_of(f"{name}.http.jsonl").splitlines())


def looks(run_id: str) -> list[dict[str, Any]]:
    """A run as it was seen, one answer after the other."""
    return [
        row["response"]
        for name in (*NAMES, *STOCK)
        for row in exchanges(name)
        if row["method"] == "GET" and row["path"] == f"{RUNS}/{run_id}"
    ]


@dataclass
class Fault:
    """So many of the next answers to paths with ``match`` in them go wrong."""

    times: int = 1
    status: int = 503
    body: Any = None
    delay: float = 0.0
    match: str = ""
    drop: bool = False
    cut: bool = False
    headers: dict[str, str] = field(default_factory=dict)


class Recording:
    """Exchanges by request; a queue for each, whose last answer repeats."""

    def __init__(self, names: tuple[str, ...], speed: float) -> None:
        self.speed, self.started = speed, time.monotonic()
        self.answers: dict[Any, list[Any]] = {}
        self.timelines: dict[str, list[Any]] = {}
        self.creates: list[Any] = []
        self.clocks: dict[str, float] = {}
        self.gates: dict[str, float] = {}  # when a run was retried: it stays as it was until somebody does
        for name in names:
            self._read(exchanges(name))

    def _read(self, rows: tuple[Any, ...]) -> None:
        created: dict[str, float] = {}
        for row in rows:
            path = urlsplit(row["path"]).path
            run = RUN_PATH.match(path)
            if row["method"] == "POST" and path == RUNS:
                self.creates.append(row)
                created[row["response"].get("run_id", "")] = row["t"]
            elif row["method"] == "GET" and run:
                self.timelines.setdefault(run[1], []).append((row["t"] - created.get(run[1], row["t"]), row))
            else:
                if path.endswith(":retry"):
                    retried = path.rpartition("/")[2].removesuffix(":retry")
                    self.gates[retried] = row["t"] - created.get(retried, row["t"])
                self.answers.setdefault(_key(row["method"], row["path"]), []).append(row)

    def find(self, method: str, path: str, body: Any) -> Any:
        """The row that answers a request; None if nobody ever saw one."""
        url = urlsplit(path)
        run = RUN_PATH.match(url.path)
        if method == "POST" and url.path == RUNS:
            return self._create(body)
        if method == "GET" and run and run[1] in self.timelines:
            elapsed = (time.monotonic() - self.clocks.get(run[1], self.started)) * self.speed
            elapsed = min(elapsed, self.gates.get(run[1], elapsed))
            seen = [row for at, row in self.timelines[run[1]] if at <= elapsed]
            return seen[-1] if seen else self.timelines[run[1]][0][1]
        if method == "POST" and url.path.endswith(":retry"):
            retried = url.path.rpartition("/")[2].removesuffix(":retry")
            if retried in self.gates:
                self.clocks[retried] = time.monotonic() - self.gates.pop(retried) / (self.speed or 1)
        queue = self.answers.get(_key(method, path))
        return None if not queue else queue.pop(0) if len(queue) > 1 else queue[0]

    def _create(self, body: Any) -> Any:
        same = [row for row in self.creates if _pipeline(row["request"]) == _pipeline(body)]
        exact = [row for row in same if _parameters(row["request"]) == _parameters(body)]
        pick = next(iter(exact or same), None)
        if pick:
            self.creates.remove(pick)
            self.clocks[pick["response"].get("run_id", "")] = time.monotonic()
        return pick


def _key(method: str, path: str) -> Any:
    url = urlsplit(path)
    return method, url.path, tuple(sorted(parse_qsl(url.query)))


def _pipeline(body: Any) -> Any:
    spec = (body or {}).get("pipeline_spec") or {}
    spec = spec.get("pipeline_spec", spec)
    return (spec.get("pipelineInfo") or {}).get("name") if isinstance(spec, dict) else None


def _parameters(body: Any) -> Any:
    return ((body or {}).get("runtime_config") or {}).get("parameters") or {}


class Replay:
    """A server of recordings. ``asked`` are the requests it got, ``faults`` what goes wrong next.

    ``tokens``, if not None, are those that it takes; ``invented(method, path, body)`` may give (status, answer).
    """

    def __init__(self, names: tuple[str, ...] = NAMES, speed: float = 20.0) -> None:
        self.recording = Recording(names, speed)
        self.asked: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self.tokens: set[str] | None = None
        self.invented: Callable[[str, str, Any], tuple[int, Any] | None] = lambda *_: None
        self.lock = threading.Lock()
        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), type("_", (Handler,), {"replay": self})
        )
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def fail(self, **fault: Any) -> None:
        self.faults.append(Fault(**fault))

    def paths(self, method: str = "GET") -> list[str]:
        """The paths that were asked for."""
        return [urlsplit(one["path"]).path for one in self.asked if one["method"] == method]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, headers: Any, body: Any) -> tuple[int, Any, str]:
        """What a request gets: status, answer, type."""
        with self.lock:
            self.asked.append({"method": method, "path": path, "body": body, "headers": dict(headers)})
            if self.tokens is not None and headers.get("authorization", "")[7:] not in self.tokens:
                return 401, {"error": "Unauthenticated", "code": 16}, "application/json"
            invented = self.invented(method, path, body)
            if invented is not None:
                return (*invented, "application/json")
            row = self.recording.find(method, path, body)
        if row is None:
            return 501, {"code": 12, "message": f"not recorded: {method} {path}"}, "application/json"
        return row["status"], row["response"], row["type"] or "application/json"

    def fault(self, path: str) -> Fault | None:
        with self.lock:
            found = next((one for one in self.faults if one.times > 0 and one.match in path), None)
            if found:
                found.times -= 1
        return found


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer's head and body are two writes
    replay: Replay

    def log_message(self, *args: Any) -> None:
        pass

    def handle_any(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = None
        fault = self.replay.fault(self.path)
        if fault is None:
            self.reply(*self.replay.answer(self.command, self.path, self.headers, body))
            return
        with self.replay.lock:
            self.replay.asked += (
                []
                if fault.cut
                else [
                    {"method": self.command, "path": self.path, "body": body, "headers": dict(self.headers)}
                ]
            )
        time.sleep(fault.delay)
        if fault.drop:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault.cut:
            self.replay.answer(self.command, self.path, self.headers, body)  # it was done all the same
            self.reply(200, b'{"run_id": "', "application/json", length=1000)
            self.close_connection = True
        else:
            told = fault.body or {"error": "injected", "code": 14, "message": "injected fault"}
            self.reply(fault.status, told, "application/json", headers=fault.headers)

    def reply(
        self, status: int, answer: Any, kind: str, *, length: int = 0, headers: dict[str, str] | None = None
    ) -> None:
        if isinstance(answer, dict) and set(answer) == {"base64"}:
            data = base64.b64decode(answer["base64"])
        elif isinstance(answer, bytes):
            data = answer
        else:
            data = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        try:
            self.send_response(status)
            for name, value in {**(headers or {}), "content-type": kind}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(length or len(data)))
            self.end_headers()
            self.wfile.write(data)
        except ConnectionError:
            pass  # who asked has gone

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the library's names


@contextmanager
def serving(names: tuple[str, ...] = NAMES, speed: float = 20.0) -> Iterator[Replay]:
    """A server for as long as it is needed."""
    replay = Replay(names, speed)
    try:
        yield replay
    finally:
        replay.close()
