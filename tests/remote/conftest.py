"""What tests of kfnb.remote share: servers over real sockets."""

import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from http_server import Server, serving


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that answers ``{}`` unless a test says otherwise."""
    with serving() as one:
        yield one


@dataclass(frozen=True)
class Certificate:
    """A certificate that signs itself, for 127.0.0.1."""

    file: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """What a server needs to show it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        return context


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """One that no system trusts."""
    if shutil.which("openssl") is None:
        pytest.skip("makes a certificate by openssl")
    folder = tmp_path_factory.mktemp("tls")
    made = Certificate(folder / "ca.pem", folder / "key.pem")
    words = (
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {made.key} -out {made.file} -subj /CN=x"
    )
    subprocess.run(
        [*words.split(), "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True
    )
    return made


@pytest.fixture
def secure(certificate: Certificate) -> Iterator[Server]:
    """A server by TLS."""
    with serving(context=certificate.context()) as one:
        yield one
