"""Servers whose speed is compared: each is a process, and what it costs is read of it and of those that it starts."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_TIMEOUT = 180.0


@dataclass
class Server:
    """A server at a port of this machine, and how it is asked. ``started`` are the CPU seconds to its first answer."""

    process: subprocess.Popen[bytes]
    port: int
    path: str
    started: float = 0.0

    def cpu(self) -> float:
        """Seconds that the processes of the server have computed."""
        return sum(map(_cpu_of, _tree(self.process.pid)))

    def memory(self) -> float:
        """Bytes that the processes of the server hold."""
        return sum(map(_memory_of, _tree(self.process.pid)))


@dataclass(frozen=True)
class Answered:
    """What requests cost: the server's CPU seconds for each, the median and the 99th percentile of their seconds."""

    cpu: float
    median: float
    slowest: float
    per_second: float


@contextmanager
def running(command: Sequence[str], path: str, body: bytes, port: int, **options: object) -> Iterator[Server]:
    """A server that answers at a port once it has started."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)  # type: ignore[call-overload]
    server = Server(process, port, path)
    try:
        _wait(server, body)
        server.started = server.cpu()
        yield server
    finally:
        for one in reversed(_tree(process.pid)):
            try:
                os.kill(one, 15)
            except ProcessLookupError:
                continue
        process.wait(30)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def ask(server: Server, body: bytes, count: int, *, lines: int = 1, per_second: float = 0.0) -> Answered:
    """Ask over so many kept connections, each as fast as it is answered, or all together so often a second."""
    seconds: list[float] = []
    began = time.perf_counter()

    def work(first: int) -> None:
        with socket.create_connection(("127.0.0.1", server.port)) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for number in range(first, count, lines):
                if per_second:
                    time.sleep(max(0.0, began + number / per_second - time.perf_counter()))
                start = time.perf_counter()
                _exchange(line, server, body)
                seconds.append(time.perf_counter() - start)

    before = server.cpu()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(lines)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ordered = sorted(seconds)
    return Answered(
        (server.cpu() - before) / count,
        ordered[len(ordered) // 2],
        ordered[int(len(ordered) * 0.99)],
        count / (time.perf_counter() - began),
    )


def _wait(server: Server, body: bytes) -> None:
    until = time.monotonic() + _TIMEOUT
    while time.monotonic() < until:
        if server.process.poll() is not None:
            raise RuntimeError(f"{server.path}: the server has ended")
        try:
            with socket.create_connection(("127.0.0.1", server.port)) as line:
                _exchange(line, server, body)
                return
        except (OSError, ValueError):
            time.sleep(0.05)
    raise RuntimeError(f"{server.path}: no answer in {_TIMEOUT:g} s")


def _exchange(line: socket.socket, server: Server, body: bytes) -> None:
    head = (
        f"POST {server.path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: application/json\r\n"
    )
    line.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _some(line)
    top, _, rest = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", top)
    while len(rest) < int(length[1]) if length else not rest.endswith(b"0\r\n\r\n"):
        rest += _some(line)
    if b" 200 " not in top.partition(b"\r\n")[0]:
        raise ValueError(f"{server.path}: {top.decode()}\n{rest[:300].decode()}")


def _some(line: socket.socket) -> bytes:
    found = line.recv(1 << 16)
    if not found:
        raise ConnectionError("the server closed the connection")
    return found


def _tree(pid: int) -> list[int]:
    """A process and all that it has started."""
    found = [pid]
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [one for child in file.read_text().split() for one in _tree(int(child))]
        except OSError:
            continue
    return found


def _cpu_of(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _memory_of(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0.0


STDLIB = """
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import pandas, skops.io
path, port = sys.argv[1:]
model = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
class Handler(BaseHTTPRequestHandler):
    protocol_version, wbufsize = "HTTP/1.1", -1
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        found = json.dumps({"predictions": model.predict(pandas.DataFrame(body["instances"])).tolist()}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(found)))
        self.end_headers()
        self.wfile.write(found)
        self.wfile.flush()
    def log_message(self, *args):
        pass
ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
"""

BENTO = """
import os
import bentoml, pandas, skops.io
path = os.environ["MODEL"]
@bentoml.service(workers=1)
class Model:
    def __init__(self):
        self.model = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    @bentoml.api
    def predict(self, instances: list[dict]) -> list[int]:
        return self.model.predict(pandas.DataFrame(instances)).tolist()
"""


def stdlib(model: Path, port: int) -> tuple[list[str], str]:
    """The standard library's server: its command, and the path that predicts."""
    return [sys.executable, "-W", "ignore", "-c", STDLIB, str(model / "model.skops"), str(port)], "/predict"


def mlflow(python: Path, folder: Path, port: int) -> tuple[list[str], str]:
    """MLflow's server of a model that it has saved."""
    return [
        *(
            str(python),
            "-m",
            "mlflow",
            "models",
            "serve",
            "--model-uri",
            str(folder),
            "--env-manager",
            "local",
        ),
        *("--port", str(port)),
    ], "/invocations"


def bentoml(python: Path, folder: Path, port: int) -> tuple[list[str], str]:
    """BentoML's server of a service in a folder."""
    return [
        *(str(python), "-m", "bentoml", "serve", "service:Model", "--working-dir", str(folder)),
        *("--port", str(port), "--host", "127.0.0.1"),
    ], "/predict"


def save_for_mlflow(python: Path, model: Path, folder: Path) -> None:
    """Have MLflow save a model of skops."""
    program = (
        "import sys, mlflow.sklearn, skops.io; path, folder = sys.argv[1:];"
        "model = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path));"
        "mlflow.sklearn.save_model(model, folder, pip_requirements=[])"
    )
    command = [str(python), "-W", "ignore", "-c", program, str(model / "model.skops"), str(folder)]
    subprocess.run(command, check=True, capture_output=True)


def kfnb(folder: Path, port: int) -> tuple[list[str], str]:
    """The program of a deployment folder."""
    return [sys.executable, str(folder / "serve.py"), "--port", str(port)], "/v1/models/model:predict"


def instances(rows: object) -> bytes:
    """Rows as V1 has them."""
    return json.dumps({"instances": rows}).encode()
