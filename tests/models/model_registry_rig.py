"""A model registry of Kubeflow's to test with: the recorded traffic of a real one, or a real one.

``recordings/new.jsonl.gz`` is the traffic of a server that was built from the main branch of Kubeflow Hub of April
2026, and ``recordings/old.jsonl.gz`` that of release 0.3.8; both speak v1alpha3 alone. ``v1`` is made up: the new
server with v1 in the paths, as the public client of v1 has them, which is also what reads it in a test.

Where ``KFNB_TEST_MODEL_REGISTRY`` names real servers (``new=http://127.0.0.1:8181,old=http://127.0.0.1:8182``), the
tests call these, and what they answer is recorded anew; for ``v1``, another new server can be named, which is recorded
for the tests of the public client. The names of models are a test's own, so the databases should be empty.
"""

from __future__ import annotations

import gzip
import http.client
import http.server
import json
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

RECORDINGS = Path(__file__).parent / "recordings"
SERVERS = ("v1", "new", "old")
_RECORDED_VERSION = "v1alpha3"


def _named(variable: str) -> dict[str, str]:
    return dict(one.partition("=")[::2] for one in filter(None, os.environ.get(variable, "").split(",")))


REAL = _named("KFNB_TEST_MODEL_REGISTRY")
"""The addresses of real servers."""
CLIENTS = _named("KFNB_TEST_MODEL_REGISTRY_CLIENT")
"""For each real server, the Python that has a public client for it (``v1=/venv/bin/python,old=...``)."""

_CHANGING = re.compile(r'(?<="string_value": ")(?:[0-9a-f]{32}|1[0-9]{9}\.[0-9]+)(?=")')
"""What differs each time that a test runs: the token of a move, and when it was made."""

Row = dict[str, Any]


@dataclass
class Fault:
    """The next ``times`` requests of a ``method`` to a path with ``match`` (a regular expression) in it go wrong.

    ``drop`` closes the connection without an answer, before the request was done or, with ``done``, afterwards.
    """

    times: int = 1
    status: int = 503
    body: bytes = b""
    kind: str = "text/plain"
    location: str = ""
    delay: float = 0.0
    match: str = ""
    method: str = ""
    drop: bool = False
    done: bool = False


@dataclass
class Recorded:
    """Answers as they were recorded: writes in their order, and reads as they were answered after as many writes.

    A request that was not recorded gets 501, so that no test passes by an answer that no server has given.
    """

    rows: list[Row]
    writes: int = 0
    now: dict[str, str] = field(default_factory=dict)
    """The changing texts of the recording, and what they are this time."""

    def answer(self, method: str, path: str, body: str) -> tuple[int, str, bytes]:
        """Status, type and body."""
        row = self._read(path) if method == "GET" else self._write(method, path, body)
        if row is None:
            return (
                501,
                "application/json",
                json.dumps({"message": f"not recorded: {method} {path} {body}"}).encode(),
            )
        return row["status"], row["type"], self._changed(row["answer"]).encode()

    def client(self, words: str) -> str:
        """What the public client printed; what it wrote is there from now on."""
        writes = [row for row in self.rows if row["method"] != "GET"]
        at = next(at for at, row in enumerate(writes) if (row["method"], row["path"]) == ("CLIENT", words))
        self.writes = at + 1
        return self._changed(str(writes[at]["answer"]))

    def _changed(self, text: str) -> str:
        for before, now in self.now.items():
            text = text.replace(before, now)
        return text

    def _read(self, path: str) -> Row | None:
        found, done = None, 0
        for row in self.rows:
            if row["method"] != "GET":
                done += 1
            elif row["path"] == path and (found is None or done <= self.writes):
                found = row
        return found

    def _write(self, method: str, path: str, body: str) -> Row | None:
        following = [row for row in self.rows if row["method"] != "GET"][self.writes :]
        if not following:
            return None
        row = following[0]
        if (row["method"], row["path"]) != (method, path) or _still(row["body"]) != _still(body):
            return None
        self.writes += 1
        self.now |= dict(zip(_CHANGING.findall(row["body"]), _CHANGING.findall(body), strict=True))
        return row


def _still(body: str) -> str:
    return _CHANGING.sub("", body)


@dataclass
class Real:
    """A real server, whose answers are recorded in ``rows``."""

    url: str
    rows: list[Row] = field(default_factory=list)

    def answer(self, method: str, path: str, body: str) -> tuple[int, str, bytes]:
        """Status, type and body."""
        line = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        try:
            line.request(method, path, body or None, {"content-type": "application/json"})
            answer = line.getresponse()
            told = answer.status, answer.headers.get("content-type", ""), answer.read()
        finally:
            line.close()
        self.rows.append(
            {
                "method": method,
                "path": path,
                "body": body,
                "status": told[0],
                "type": told[1],
                "answer": told[2].decode(),
            }
        )
        return told


@dataclass
class RegistryRig:
    """A server on this machine before a recorded or a real one. ``asked`` are the requests that it got."""

    source: Recorded | Real
    version: str = _RECORDED_VERSION
    """The version of the API that it speaks."""
    prefix: str = ""
    """What is before the registry's own paths: those of a proxy."""
    python: str = ""
    """The Python that has the public client."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    before: Callable[[str, str], None] = lambda method, path: None
    """What happens just before a request is done."""

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        handler = type("_", (_Handler,), {"rig": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def recorded(self) -> bool:
        """Whether its answers are recorded ones."""
        return isinstance(self.source, Recorded)

    def fail(self, **fault: Any) -> None:
        """Let following requests go wrong."""
        self.faults.append(Fault(**fault))

    def client(self, *words: str) -> Any:
        """What the public client returned for the words of ``public_client.py``."""
        if isinstance(self.source, Recorded):
            return json.loads(self.source.client(" ".join(words)))
        script = Path(__file__).parent / "public_client.py"
        done = subprocess.run(
            [self.python, "-I", "-W", "ignore", str(script), self.url, *words],
            check=True,
            text=True,
            stdout=subprocess.PIPE,
        )
        self.source.rows.append({"method": "CLIENT", "path": " ".join(words), "answer": done.stdout})
        return json.loads(done.stdout)

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()

    def fault(self, method: str, path: str) -> Fault | None:
        """What goes wrong with a request."""
        for one in self.faults:
            if one.times > 0 and re.search(one.match, path) and one.method in ("", method):
                one.times -= 1
                return one
        return None


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rig: RegistryRig

    def log_message(self, *args: Any) -> None:
        pass

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        rig = self.rig
        with rig.lock:
            rig.asked.append((self.command, self.path))
            rig.headers.append({name.lower(): value for name, value in self.headers.items()})
            fault = rig.fault(self.command, self.path)
        rig.before(self.command, self.path)
        if fault is None or fault.done:
            answer = self._answer(body)
        if fault is None:
            self._reply(*answer)
            return
        time.sleep(fault.delay)
        if fault.drop:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self._reply(fault.status, fault.kind, fault.body, fault.location)

    def _answer(self, body: str) -> tuple[int, str, bytes]:
        own = self.path.removeprefix(self.rig.prefix)
        if not own.startswith(f"/api/model_registry/{self.rig.version}/"):
            return 404, "text/plain; charset=utf-8", b"404 page not found\n"
        path = own.replace(f"/{self.rig.version}/", f"/{_RECORDED_VERSION}/", 1)
        if isinstance(self.rig.source, Real):
            return self.rig.source.answer(self.command, path, body)
        with self.rig.lock:
            return self.rig.source.answer(self.command, path, body)

    def _reply(self, status: int, kind: str, body: bytes, location: str = "") -> None:
        with suppress(ConnectionError):
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            if location:
                self.send_header("location", location)
            self.end_headers()
            self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the library's names


@cache
def recorded(server: str) -> dict[str, list[Row]]:
    """The recorded traffic of a server, by test."""
    file = RECORDINGS / f"{server}.jsonl.gz"
    if not file.exists():
        return {}
    return {
        row["test"]: row["rows"] for row in map(json.loads, gzip.decompress(file.read_bytes()).splitlines())
    }


def record(server: str, test: str, rows: list[Row]) -> None:
    """Keep the traffic of a test, instead of what was recorded of it before."""
    kept = recorded(server)
    kept[test] = rows
    lines = "".join(json.dumps({"test": name, "rows": kept[name]}) + "\n" for name in sorted(kept))
    RECORDINGS.mkdir(exist_ok=True)
    (RECORDINGS / f"{server}.jsonl.gz").write_bytes(gzip.compress(lines.encode(), mtime=0))


def _rows(server: str, test: str) -> list[Row]:
    """The recording of a test; most of v1's are the new server's."""
    return recorded(server).get(test) or (recorded("new").get(test, []) if server == "v1" else [])


@contextmanager
def serving(server: str, test: str) -> Iterator[RegistryRig]:
    """The ``server`` as it was recorded for a ``test``, or a real one, which is recorded."""
    source = Real(REAL[server]) if server in REAL else Recorded(_rows(server, test))
    rig = RegistryRig(source, "v1" if server == "v1" else _RECORDED_VERSION, python=CLIENTS.get(server, ""))
    try:
        yield rig
        if isinstance(source, Real):
            record(server, test, source.rows)
    finally:
        rig.close()
