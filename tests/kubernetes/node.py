"""A node of a real API server, without a kubelet: it serves the logs of containers that are asked of one."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.kubernetes.controllers import Api

NODE = "node-1"


def add_node(api: Api, certificates: Path, logs: Callable[[str], str]) -> ThreadingHTTPServer:
    """Add the node, and serve what ``logs`` returns for the path and query of a request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = logs(self.path).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "serving.crt", certificates / "serving.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    status = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": server.server_port}},
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    api.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
    api.tell(f"/api/v1/nodes/{NODE}", status)
    return server
