"""A server with a certificate that nobody trusts."""

import http.server
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class _Nothing(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: object) -> None:
        pass


class _Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, *args: object) -> None:
        """A client that does not trust it hangs up."""


@contextmanager
def serve_tls(folder: Path) -> Iterator[tuple[str, Path]]:
    """The server's address, and the file of the certificate that signed its own (itself)."""
    if shutil.which("openssl") is None:
        pytest.skip("makes a certificate by openssl")
    key, authority = folder / "key.pem", folder / "ca.pem"
    words = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {key} -out {authority} -subj /CN=127.0.0.1"
    subprocess.run(
        [*words.split(), "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True
    )
    server = _Quiet(("127.0.0.1", 0), _Nothing)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}", authority
    finally:
        server.shutdown()
        server.server_close()
