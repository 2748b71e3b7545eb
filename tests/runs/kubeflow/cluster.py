"""What stands beside a KFP API server, as real servers: ML Metadata, an object store and Kubernetes, as recorded."""

import base64
import hashlib
import http.server
import json
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from replay import text_of

ACCESS, SECRET = "store-access-key", "store-secret-canary"


class Metadata:
    """ML Metadata that answers recorded requests, byte for byte, with what was recorded; others are unimplemented.

    ``folder`` is that of the recordings: ``stock/``, or empty for the older ones.
    """

    def __init__(self, folder: str = "") -> None:
        import grpc

        self.rows = [json.loads(line) for line in text_of(f"{folder}mlmd.jsonl").splitlines()]
        self.answers = {(row["method"], row["request_bytes"]): row["response_bytes"] for row in self.rows}
        self.asked: list[str] = []
        self.status: Any = None

        def answer(method: str, request: bytes, context: Any) -> bytes:
            self.asked.append(method)
            found = self.answers.get((method, base64.b64encode(request).decode()))
            if self.status is not None or found is None:
                context.abort(self.status or grpc.StatusCode.UNIMPLEMENTED, "not recorded")
            return base64.b64decode(found)

        class Handler(grpc.GenericRpcHandler):
            def service(self, details: Any) -> Any:
                method = details.method.removeprefix("/ml_metadata.MetadataStoreService/")
                return grpc.unary_unary_rpc_method_handler(
                    lambda sent, context: answer(method, sent, context)
                )

        self._server = grpc.server(futures.ThreadPoolExecutor(2))
        self._server.add_generic_rpc_handlers((Handler(),))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def close(self) -> None:
        self._server.stop(None).wait()


class _Server:
    """An HTTP server of one kind; ``asked`` are the paths that it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        handler = type("_", (_Handler,), {"owner": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def answer(self, handler: Any, path: str, query: dict[str, str]) -> None:
        raise NotImplementedError

    def take(self, handler: Any, path: str, sent: bytes) -> None:
        handler.reply(405)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: _Server

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.owner.asked.append(self.path)
        self.owner.answer(self, unquote(url.path), dict(parse_qsl(url.query, keep_blank_values=True)))

    do_HEAD = do_GET  # noqa: N815 - the library's names

    def do_PUT(self) -> None:
        self.owner.asked.append(f"PUT {self.path}")
        sent = self.rfile.read(int(self.headers["content-length"]))
        self.owner.take(self, unquote(urlsplit(self.path).path), sent)

    def do_POST(self) -> None:
        self.owner.asked.append(f"POST {self.path}")
        sent = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.owner.take(self, unquote(urlsplit(self.path).path), sent)

    def do_DELETE(self) -> None:
        self.owner.asked.append(f"DELETE {self.path}")
        self.owner.take(self, unquote(urlsplit(self.path).path), b"")

    def reply(self, status: int, data: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"content-length": str(len(data))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def stream(self, chunks: Iterator[bytes]) -> None:
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        try:
            for chunk in chunks:
                self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        except ConnectionError:
            pass  # who listened has gone


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


class Objects(_Server):
    """An S3 store with the recorded objects in its one bucket: GET, HEAD, ListObjectsV2, PUT, and uploads in parts.

    ``refuses`` are the methods for which its keys are not good enough.
    """

    bucket = "mlpipeline"

    def __init__(self, folder: str = "") -> None:
        held = json.loads(text_of(f"{folder}objects.json"))
        self.held = {key: text.encode() for key, text in held.items()}
        self.page = 1000
        self.refuses: set[str] = set()
        self.parts: dict[int, bytes] = {}
        super().__init__()

    def answer(self, handler: Any, path: str, query: dict[str, str]) -> None:
        bucket, _, key = path[1:].partition("/")
        allowed = f"Credential={ACCESS}/" in handler.headers.get("authorization", "")
        if not allowed:
            handler.reply(
                403, b"<Error><Code>InvalidAccessKeyId</Code><Message>No such key.</Message></Error>"
            )
        elif bucket == self.bucket and "list-type" in query:
            handler.reply(200, self._listed(query).encode())
        elif bucket == self.bucket and key in self.held:
            self._object(handler, self.held[key])
        else:
            handler.reply(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def take(self, handler: Any, path: str, sent: bytes) -> None:
        bucket, _, key = path[1:].partition("/")
        digest = hashlib.sha256(sent).hexdigest()
        if "PUT" in self.refuses or f"Credential={ACCESS}/" not in handler.headers.get("authorization", ""):
            handler.reply(403, b"<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>")
        elif bucket != self.bucket:
            handler.reply(404, b"<Error><Code>NoSuchBucket</Code></Error>")
        elif handler.headers["x-amz-content-sha256"] != digest:
            handler.reply(400, b"<Error><Code>XAmzContentSHA256Mismatch</Code></Error>")
        else:
            query = dict(parse_qsl(urlsplit(handler.path).query, keep_blank_values=True))
            handler.reply(200, self._take(handler.command, key, query, sent), etag='"0"')

    def _take(self, method: str, key: str, query: dict[str, str], sent: bytes) -> bytes:
        if "uploads" in query:
            return b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
        if "partNumber" in query:
            self.parts[int(query["partNumber"])] = sent
            return b""
        if "uploadId" in query and method == "DELETE":
            self.parts.clear()
            return b""
        if "uploadId" in query:
            self.held[key] = b"".join(self.parts.pop(number) for number in sorted(self.parts))
            return b"<CompleteMultipartUploadResult><ETag>0</ETag></CompleteMultipartUploadResult>"
        self.held[key] = sent
        return b""

    def _object(self, handler: Any, data: bytes) -> None:
        told = {"last-modified": "Mon, 23 Nov 2026 14:40:00 GMT", "etag": '"0"'}
        wanted = handler.headers.get("range", "")
        if not wanted:
            handler.reply(200, data, **told)
            return
        first, last = wanted.removeprefix("bytes=").split("-")
        part = data[int(first) : int(last) + 1 if last else None]
        if not part:
            handler.reply(416, b"<Error><Code>InvalidRange</Code></Error>")
            return
        told["content-range"] = f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}"
        handler.reply(206, part, **told)

    def _listed(self, query: dict[str, str]) -> str:
        prefix, size = query.get("prefix", ""), min(self.page, int(query.get("max-keys", 1000)))
        below = [key for key in sorted(self.held) if key.startswith(prefix)]
        found = list(dict.fromkeys(prefix + key[len(prefix) :].partition("/")[0] for key in below))
        if "delimiter" not in query:
            found = below
        start = int(query.get("continuation-token", 0))
        shown, more = found[start : start + size], found[start + size :]
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.held[key])}</Size>"
            f"<LastModified>2026-11-23T14:40:00.000Z</LastModified><ETag>{_md5(self.held[key])}</ETag></Contents>"
            if key in self.held
            else f"<CommonPrefixes><Prefix>{escape(key)}/</Prefix></CommonPrefixes>"
            for key in shown
        )
        token = f"<NextContinuationToken>{start + size}</NextContinuationToken>" if more else ""
        told = f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated>"
        return f"<ListBucketResult>{told}{token}{rows}</ListBucketResult>"

    def store(self, api: Any) -> Any:
        """What opens artifacts in it, with the keys and the configuration that a Kubernetes has for its namespace."""
        from kfnb.resources.runs.kubeflow.objects import Store
        from kfnb.resources.runs.kubeflow.storage import Storage

        return Store(Storage("kubeflow", api), lambda _: self.address)


@dataclass
class Live:
    """The log of a pod that runs: what ``say`` gives it, until ``end``."""

    lines: "queue.Queue[str | None]" = field(default_factory=queue.Queue)
    said: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        line = f"2026-11-25T00:00:{len(self.said):02d}.000000000Z {text}\n"
        self.said.append(line)
        self.lines.put(line)

    def end(self) -> None:
        self.lines.put(None)

    def stream(self) -> Iterator[bytes]:
        while (line := self.lines.get()) is not None:
            yield line.encode()


def asking(address: str) -> Any:
    """The boundary to a Kubernetes API server at an address, without much patience."""
    from kubernetes.client import Configuration

    from kfnb.remote.kubernetes.client import Kubernetes as Asked
    from kfnb.remote.retry import RetryPolicy

    configuration = Configuration()
    configuration.host = f"http://{address}"
    return Asked(lambda: configuration, retry=RetryPolicy(tries=2, pause=0.01, connect=2.0))


class Kubernetes(_Server):
    """An API server with recorded pods, logs, events, and the secret of the object store; others may be refused."""

    def __init__(self) -> None:
        self.pods: list[Any] = []
        self.logs: dict[str, str] = {}
        self.live: dict[str, Live] = {}
        self.events: list[Any] = []
        self.workflows: list[Any] = []
        self.config_maps: dict[str, dict[str, str]] = {}
        self.refuses: Callable[[str], tuple[int, Any] | None] = lambda path: None
        super().__init__()

    def load(self, name: str) -> None:
        """What Kubernetes held for the recorded runs ``success``, ``failure``, ``stock/loops``, ...."""
        self.pods += json.loads(text_of(f"{name}.pods.json"))["items"]
        for pod, containers in json.loads(text_of(f"{name}.logs.json")).items():
            self.wrote(pod, containers["main"].splitlines())

    def wrote(self, pod: str, lines: list[str], container: str = "main") -> None:
        """Give a container of a pod its log."""
        stamped = (f"2026-11-23T14:40:00.{at:09d}Z {line}\n" for at, line in enumerate(lines, start=1))
        self.logs[pod if container == "main" else f"{pod}/{container}"] = "".join(stamped)

    def api(self) -> Any:
        """What asks it."""
        return asking(self.address)

    def answer(self, handler: Any, path: str, query: dict[str, str]) -> None:
        refused = self.refuses(path)
        if refused is not None:
            handler.reply(refused[0], json.dumps(refused[1]).encode() if refused[1] else b"")
        elif path.endswith("/log"):
            self._log(handler, path.split("/")[-2], query)
        elif path.endswith("/secrets/mlpipeline-minio-artifact"):
            data = {"accesskey": ACCESS, "secretkey": SECRET}
            encoded = {name: base64.b64encode(value.encode()).decode() for name, value in data.items()}
            handler.reply(200, json.dumps({"data": encoded}).encode(), content_type="application/json")
        elif "/configmaps/" in path:
            found = self.config_maps.get(path.rpartition("/")[2])
            told = {"kind": "Status", "reason": "NotFound", "details": {"kind": "configmaps", "name": "x"}}
            body = told if found is None else {"data": found}
            handler.reply(404 if found is None else 200, json.dumps(body).encode())
        elif "/services/" in path:
            handler.reply(200, json.dumps({"metadata": {"name": path.rpartition("/")[2]}}).encode())
        else:
            handler.reply(200, json.dumps({"items": self._items(path, query)}).encode())

    def _items(self, path: str, query: dict[str, str]) -> list[Any]:
        label, _, value = query.get("labelSelector", "").partition("=")
        wanted = dict(part.split("=") for part in query.get("fieldSelector", "").split(",") if part)
        without = wanted.get("status.phase!")
        items = {"pods": self.pods, "events": self.events, "workflows": self.workflows}[
            path.rpartition("/")[2]
        ]
        return [
            item
            for item in items
            if (not label or (item["metadata"].get("labels") or {}).get(label) == value)
            and (without is None or item["status"]["phase"] != without)
            and wanted.get("involvedObject.name") in (None, item.get("involvedObject", {}).get("name"))
        ]

    def _log(self, handler: Any, pod: str, query: dict[str, str]) -> None:
        assert query["timestamps"] == "true"
        if query["container"] != "main":
            pod = f"{pod}/{query['container']}"
        if pod in self.live and query.get("follow") == "true":
            handler.stream(self.live[pod].stream())
        elif pod in self.live:
            handler.reply(200, "".join(self.live[pod].said).encode())
        elif pod in self.logs:
            handler.reply(200, self.logs[pod].encode())
        else:
            handler.reply(404, json.dumps({"message": f'pods "{pod}" not found'}).encode())


@contextmanager
def running(server: Any) -> Iterator[Any]:
    """A server for as long as it is needed."""
    try:
        yield server
    finally:
        server.close()


def watched(start: str) -> list[Any]:
    """The launchers' pods of the recorded workflow whose name begins so, as they changed."""
    rows = [json.loads(line) for line in text_of("stock/pods.watch.jsonl").splitlines()]
    objects = [row.get("object", row) for row in rows]
    return [item for item in objects if item["metadata"]["name"].startswith(start)]


def recorded_kubernetes() -> list[Any]:
    """Exchanges recorded from a Kubernetes 1.36 with Kubeflow's resources in it: what waits, and what is refused."""
    return [json.loads(line) for line in text_of("kubernetes.http.jsonl").splitlines()]
