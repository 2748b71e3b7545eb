"""A small Kubernetes with Katib in it: custom resources, pods and logs over HTTP, and what Katib's controller would do.

It keeps objects and versions, lists them by label, streams what happens to them, and counts what it is asked.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

NAMESPACE = "team-a"
_KATIB = f"/apis/kubeflow.org/v1beta1/namespaces/{NAMESPACE}"
EXPERIMENTS, TRIALS = f"{_KATIB}/experiments", f"{_KATIB}/trials"
_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"

Item = dict[str, Any]


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def condition(kind: str, reason: str = "", message: str = "", status: str = "True") -> Item:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastUpdateTime": now()}


class KatibServer:
    """``asked`` holds the method, path and query of every request; whoever changes an object holds ``lock``."""

    def __init__(self) -> None:
        self.objects: dict[str, Item] = {}
        self.logs: dict[tuple[str, str], str] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.installed = True
        self.forgotten = 0
        self._version, self._events = 0, []
        self.lock = threading.Condition()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"server_of": self}))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    # -- what Katib does --------------------------------------------------------------------------------------

    def experiment(self, name: str) -> Item:
        return self.objects[f"{_KATIB}/experiments/{name}"]

    def condition(self, name: str, kind: str, reason: str = "", message: str = "") -> None:
        """The Experiment gets a condition, and none that was true before but Created stays so."""
        item = deepcopy(self.experiment(name))
        status = item.setdefault("status", {"startTime": now(), "conditions": []})
        for one in status["conditions"]:
            one["status"] = "True" if one["type"] == "Created" else "False"
        status["conditions"].append(condition(kind, reason, message))
        if kind in ("Succeeded", "Failed"):
            status["completionTime"] = now()
        self.put(f"{_KATIB}/experiments", item)

    def trial(self, experiment: str, name: str, **assigned: str) -> None:
        """A trial begins."""
        spec = deepcopy(self.experiment(experiment)["spec"])
        item = {
            "apiVersion": "kubeflow.org/v1beta1",
            "kind": "Trial",
            "metadata": {"name": name, "labels": {"katib.kubeflow.org/experiment": experiment}},
            "spec": {
                "objective": spec["objective"],
                "parameterAssignments": [{"name": key, "value": value} for key, value in assigned.items()],
                "primaryContainerName": "trial",
                "runSpec": spec.get("trialTemplate", {}).get("trialSpec", {}),
            },
            "status": {"startTime": now(), "conditions": [condition("Created"), condition("Running")]},
        }
        self.put(f"{_KATIB}/trials", item)
        count = deepcopy(self.experiment(experiment))
        status = count.setdefault("status", {"startTime": now(), "conditions": []})
        status["trials"] = status.get("trials", 0) + 1
        self.put(f"{_KATIB}/experiments", count)

    def ends(self, name: str, kind: str, message: str = "", **metrics: tuple[str, str, str]) -> None:
        """A trial ends in a condition; ``metrics`` are the least, the greatest and the last value of each."""
        item = deepcopy(self.objects[f"{_KATIB}/trials/{name}"])
        status = item["status"]
        status["conditions"][-1]["status"] = "False"
        status["conditions"].append(condition(kind, f"Trial{kind}", message))
        status["completionTime"] = now()
        names = ("min", "max", "latest")
        status["observation"] = {
            "metrics": [
                {"name": metric, **dict(zip(names, values, strict=True))}
                for metric, values in metrics.items()
            ]
        }
        self.put(f"{_KATIB}/trials", item)

    def pod(self, trial: str, status: Mapping[str, Any] | None = None, /, **logs: str) -> None:
        """A pod of a trial, with a log for each of its containers (``_`` for ``-`` in their names)."""
        named = {name.replace("_", "-"): text for name, text in logs.items()}
        self.logs.update({(f"{trial}-pod", name): text for name, text in named.items()})
        self.put(
            _PODS,
            {
                "metadata": {"name": f"{trial}-pod", "labels": {"katib.kubeflow.org/trial": trial}},
                "spec": {"containers": [{"name": name} for name in named]},
                "status": dict(status or {}),
            },
        )

    # -- what Kubernetes does ---------------------------------------------------------------------------------

    def put(self, collection: str, item: Item) -> Item:
        with self.lock:
            self._version += 1
            path = f"{collection}/{item['metadata']['name']}"
            new = path not in self.objects
            item["metadata"].setdefault("creationTimestamp", now())
            item["metadata"]["resourceVersion"] = str(self._version)
            self.objects[path] = item
            self._happened("ADDED" if new else "MODIFIED", collection, item)
        return item

    def remove(self, path: str) -> Item | None:
        """An object goes, and what it owns with it."""
        with self.lock:
            item = self.objects.pop(path, None)
            if item is not None:
                self._version += 1
                item["metadata"]["resourceVersion"] = str(self._version)
                self._happened("DELETED", path.rpartition("/")[0], item)
                for owned in self._owned(path):
                    self.remove(owned)
        return item

    def _owned(self, path: str) -> list[str]:
        collection, _, name = path.rpartition("/")
        within, kind = {EXPERIMENTS: (TRIALS, "experiment"), TRIALS: (_PODS, "trial")}.get(
            collection, ("", "")
        )
        items = self.listed(within, f"katib.kubeflow.org/{kind}={name}")["items"]
        return [f"{within}/{item['metadata']['name']}" for item in items]

    def forget(self) -> None:
        """No version before now is known any more."""
        with self.lock:
            self.forgotten = self._version
            self._version += 1

    def listed(self, collection: str, selector: str) -> Item:
        with self.lock:
            items = [
                item
                for path, item in self.objects.items()
                if path.rpartition("/")[0] == collection and _fits(item, selector)
            ]
            return {"kind": "List", "items": items, "metadata": {"resourceVersion": str(self._version)}}

    def watched(self, collection: str, query: Mapping[str, str]) -> Iterator[Item]:
        since = int(query["resourceVersion"])
        if since < self.forgotten:
            yield {"type": "ERROR", "object": {"code": 410, "message": "too old resource version"}}
            return
        assert int(query["timeoutSeconds"]) >= 1
        until = time.monotonic() + 0.1  # a server may end a watch when it likes
        while (left := until - time.monotonic()) > 0:
            with self.lock:
                found = [one for one in self._events if one[0] > since]
                if not found:
                    self.lock.wait(left)
                    continue
            for version, where, word, item in found:
                since = version
                if where == collection and _fits(item, query.get("labelSelector", "")):
                    yield {"type": word, "object": item}
        yield {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(since)}}}

    def _happened(self, word: str, collection: str, item: Item) -> None:
        self._events.append((self._version, collection, word, deepcopy(item)))
        self.lock.notify_all()


def _fits(item: Item, selector: str) -> bool:
    name, _, value = selector.partition("=")
    return not selector or (item["metadata"].get("labels") or {}).get(name) == value


def merged(item: Any, patch: Any) -> Any:
    """A JSON merge patch."""
    if not isinstance(patch, dict):
        return patch
    found = dict(item) if isinstance(item, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), value)
    return found


def refusal(spec: Item) -> str:
    """What Katib's webhook has against the limits of an Experiment."""
    most = spec.get("maxTrialCount")
    limits = ("parallelTrialCount", "maxFailedTrialCount")
    over = [limit for limit in limits if most is not None and spec.get(limit, 0) > most]
    return f"spec.{over[0]}: should be less than or equal to spec.maxTrialCount" if over else ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: KatibServer

    def do_GET(self) -> None:
        path, query = self._asked()
        if self._missing(path):
            return
        if path.endswith("/log"):
            self._text(self.server_of.logs.get((path.split("/")[-2], query.get("container", "")), ""))
        elif path in self.server_of.objects:
            self._json(200, self.server_of.objects[path])
        elif query.get("watch"):
            self._stream(self.server_of.watched(path, query))
        elif path.endswith(("/experiments", "/trials", "/suggestions", "/pods")):
            self._json(200, self.server_of.listed(path, query.get("labelSelector", "")))
        else:
            self._absent(path)

    def do_POST(self) -> None:
        path, query = self._asked()
        body = self._body()
        if self._missing(path):
            return
        name = body["metadata"]["name"]
        if f"{path}/{name}" in self.server_of.objects:
            told = {"message": f'experiments "{name}" already exists', "reason": "AlreadyExists"}
            self._json(409, told)
        else:
            self._json(201, body if query.get("dryRun") else self.server_of.put(path, body))

    def do_PATCH(self) -> None:
        path, _ = self._asked()
        body = self._body()
        if path not in self.server_of.objects:
            self._absent(path)
            return
        with self.server_of.lock:
            changed = merged(deepcopy(self.server_of.objects[path]), body)
            if not (said := refusal(changed["spec"])):
                changed = deepcopy(self.server_of.put(path.rpartition("/")[0], changed))
        if said:
            self._json(
                403, {"message": f"admission webhook denied the request: {said}", "reason": "Forbidden"}
            )
            return
        self._json(200, changed)

    def do_DELETE(self) -> None:
        path, _ = self._asked()
        self._body()
        gone = self.server_of.remove(path)
        if gone is None:
            self._absent(path)
        else:
            self._json(200, gone)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""

    def _asked(self) -> tuple[str, dict[str, str]]:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        self.server_of.asked.append((self.command, parts.path, query))
        return parts.path, query

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")

    def _missing(self, path: str) -> bool:
        if self.server_of.installed or not path.startswith("/apis/kubeflow.org"):
            return False
        self._text("404 page not found\n", 404)
        return True

    def _absent(self, path: str) -> None:
        kind, name = path.split("/")[-2:]
        message = f'{kind}.kubeflow.org "{name}" not found'
        self._json(404, {"message": message, "reason": "NotFound", "details": {"name": name, "kind": kind}})

    def _json(self, status: int, body: Any) -> None:
        self._text(json.dumps(body), status)

    def _text(self, text: str, status: int = 200) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, events: Iterator[Item]) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in events:
            data = json.dumps(event).encode() + b"\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")


@contextmanager
def katib_server() -> Iterator[KatibServer]:
    server = KatibServer()
    yield server
    server.close()
