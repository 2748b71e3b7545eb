"""A program that stands in for ``serve.py`` where a test is about what is around it: the standard library alone.

Its model adds up the numbers of a row, and adds ``offset`` of ``behaviour.json``. That may also have ``load`` (how
loading ends: ``fails``, ``hangs``), ``check`` (``fails``), ``seconds`` (for which a prediction takes), and
``deadly`` (a row of that number ends the process), and ``imports`` (a module that is not everywhere).
"""

# ruff: noqa: T201 - it speaks to who started it

import json
import os
import signal
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path


def option(name, default=""):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


FOLDER = Path(option("--folder", str(Path(__file__).parent)))
BEHAVIOUR = json.loads((FOLDER / "behaviour.json").read_text())
NAME, VERSION = option("--name"), option("--version")
BUSY = threading.Semaphore(0)
UNDER_WAY = []


def predict(row):
    time.sleep(BEHAVIOUR.get("seconds", 0))
    numbers = [
        one for one in (row.values() if isinstance(row, dict) else row) if isinstance(one, (int, float))
    ]
    if BEHAVIOUR.get("deadly") in numbers:
        os.kill(os.getpid(), signal.SIGKILL)
    return sum(numbers) + BEHAVIOUR.get("offset", 0)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        known = {
            "/v2/health/ready": {"ready": True},
            f"/v1/models/{NAME}": {"name": NAME, "ready": True},
            "/kfnb/stats": {"bad_inputs": BEHAVIOUR.get("bad_inputs", {}), "failures": []},
        }
        self.answer(200 if self.path in known else 404, known.get(self.path, {"error": "unknown path"}))

    def do_POST(self):
        UNDER_WAY.append(self)
        try:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if self.path == f"/v1/models/{NAME}:predict":
                self.answer(200, {"predictions": [predict(row) for row in body["instances"]]})
            else:
                self.answer(404, {"error": "unknown path", "code": "not-found"})
        except (ValueError, KeyError) as error:
            self.answer(400, {"error": str(error), "code": "bad-request"})
        finally:
            UNDER_WAY.remove(self)

    def answer(self, status, data):
        body = json.dumps(data).encode()
        head = [f"HTTP/1.1 {status} X", "content-type: application/json", f"content-length: {len(body)}"]
        head += [
            f"x-kfnb-version: {VERSION}",
            f"x-kfnb-request-id: {self.headers.get('x-kfnb-request-id', '')}",
        ]
        self.wfile.write("\r\n".join([*head, "", ""]).encode() + body)

    def log_message(self, *args):
        pass


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 1024


def finish(server):
    server.shutdown()
    while UNDER_WAY:
        time.sleep(0.01)
    os._exit(0)


def main():
    if "imports" in BEHAVIOUR:
        __import__(BEHAVIOUR["imports"])
    if BEHAVIOUR.get("load") == "fails":
        sys.exit("ValueError: the model is of another version of its library")
    if BEHAVIOUR.get("load") == "hangs":
        time.sleep(1000)
    time.sleep(BEHAVIOUR.get("load_seconds", 0))
    path = option("--socket")
    Path(path).unlink(missing_ok=True)
    server = Server(path, Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=finish, args=[server]).start())
    print(json.dumps({"listening": f"unix:{path}"}), flush=True)
    server.serve_forever()


def check():
    fails = BEHAVIOUR.get("check") == "fails"
    checks = [
        {"name": "row by row", "passed": not fails, "message": "column age: 3 instead of 4" if fails else ""}
    ]
    print(json.dumps({"passed": not fails, "checks": checks}))
    sys.exit(fails)


if "check" in sys.argv[1:2]:
    check()
main()
