"""How the pod of a step asks the API server."""

from __future__ import annotations

import http.server
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from kfnb.resources.training.trainer import pod_cluster
from kfnb.resources.training.trainer.pod_cluster import Cluster

LINES = b"2026-01-01T00:00:00Z step 1\n"


class CutsOffOnce(http.server.BaseHTTPRequestHandler):
    """Ends its first answer in the middle, as a server that is restarted does."""

    protocol_version = "HTTP/1.1"
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.close_connection = True
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        end = b"" if self.asked == 1 else b"\r\n0\r\n\r\n"
        self.wfile.write(f"{len(LINES) if end else 1000:x}\r\n".encode() + LINES + end)

    def log_message(self, *words: object) -> None:
        """Write nothing."""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    (tmp_path / "token").write_text("secret")
    monkeypatch.setattr(pod_cluster, "_ACCOUNT", tmp_path)
    with http.server.HTTPServer(("127.0.0.1", 0), CutsOffOnce) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made = Cluster.__new__(Cluster)  # without the certificates of a pod
        made.namespace = "default"
        made._url = f"http://127.0.0.1:{server.server_port}"
        made._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        yield made
        server.shutdown()


def test_an_answer_that_was_cut_off_is_asked_for_again(cluster: Cluster) -> None:
    assert cluster.log("node-0", "") == ["2026-01-01T00:00:00Z step 1"]
    assert CutsOffOnce.asked == 2
