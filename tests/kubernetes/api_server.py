"""A real Kubernetes API server and etcd on loopback, started from ``KUBEBUILDER_ASSETS`` (envtest's convention)."""

import json
import os
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

ASSETS, CLUSTER = "KUBEBUILDER_ASSETS", "KFNB_TEST_KUBECONFIG"
"""The variables that say where the programs are, and which cluster to use instead."""

_TOKEN = "admin-of-this-test"
_PROGRAMS = ("etcd", "kube-apiserver")
_STARTS_WITHIN = 90.0


def assets() -> Path:
    """The folder with both programs; without it the tests are skipped."""
    folder = Path(os.environ.get(ASSETS, ""))
    missing = [name for name in _PROGRAMS if not (folder / name).is_file()]
    if missing:
        pytest.skip(f"{ASSETS} names no folder with {' and '.join(missing)}, and {CLUSTER} no kubeconfig")
    if shutil.which("openssl") is None:
        pytest.skip("makes its certificates by openssl")
    return folder


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def certify(folder: Path) -> None:
    """Write the certificate of a server of this machine, which is its own authority, and its key into a folder."""
    serving = (
        f"req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {folder}/serving.key -out {folder}/serving.crt"
    )
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    subprocess.run(["openssl", *serving.split(), *names], check=True, capture_output=True)


class ApiServer:
    """One API server with its etcd. ``kubeconfig`` is that of an administrator."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._assets = folder, assets()
        self.port, self._etcd_port = free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self._certify()
        self.kubeconfig = folder / "admin.yaml"
        self.kubeconfig.write_text(kubeconfig(self.url, self.ca, "admin", _TOKEN))
        self._etcd = self._start_etcd()
        try:
            self._server = self._start_server()
        except BaseException:
            _end(self._etcd)
            raise

    @property
    def ca(self) -> Path:
        return self.folder / "serving.crt"

    def stop(self) -> None:
        """End the API server alone; what it knows stays in etcd."""
        _end(self._server)

    def start(self) -> None:
        """Start it again, where it was."""
        self._server = self._start_server()

    def close(self) -> None:
        _end(self._server)
        _end(self._etcd)

    def _certify(self) -> None:
        certify(self.folder)
        words = f"genrsa -out {self.folder}/accounts.key 2048".split()
        subprocess.run(["openssl", *words], check=True, capture_output=True)
        (self.folder / "tokens.csv").write_text(f'{_TOKEN},admin,admin,"system:masters"\n')

    def _start_etcd(self) -> subprocess.Popen[bytes]:
        client, peer = f"http://127.0.0.1:{self._etcd_port}", f"http://127.0.0.1:{free_port()}"
        words = {
            "data-dir": self.folder / "etcd",
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"default={peer}",
            "unsafe-no-fsync": "true",
        }
        return self._run("etcd", words)

    def _start_server(self) -> subprocess.Popen[bytes]:
        words = {
            "etcd-servers": f"http://127.0.0.1:{self._etcd_port}",
            "bind-address": "127.0.0.1",
            "advertise-address": "127.0.0.1",
            "secure-port": self.port,
            "cert-dir": self.folder,
            "tls-cert-file": self.ca,
            "tls-private-key-file": self.folder / "serving.key",
            "token-auth-file": self.folder / "tokens.csv",
            "authorization-mode": "RBAC",
            "service-cluster-ip-range": "10.0.0.0/24",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": self.folder / "accounts.key",
            "service-account-signing-key-file": self.folder / "accounts.key",
            "disable-admission-plugins": "ServiceAccount",  # nothing here makes default accounts
        }
        process = self._run("kube-apiserver", words | self._for_an_old_etcd())
        try:
            self._wait(process)
        except BaseException:
            _end(process)
            raise
        return process

    def _for_an_old_etcd(self) -> dict[str, str]:
        """Before 3.5, etcd cannot tell how far a watch has come: lists within watches would never end."""
        told = subprocess.run(
            [self._assets / "etcd", "--version"], check=True, capture_output=True, text=True
        )
        old = told.stdout.split()[2].startswith(("3.3", "3.4"))
        return {"feature-gates": "WatchList=false"} if old else {}

    def _run(self, program: str, words: dict[str, object]) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{program}.log").open("ab")
        arguments = [f"--{name}={value}" for name, value in words.items()]
        # GOGC: a test's server may take more memory, and little of two cores
        environment = {**os.environ, "GOGC": "200"}
        try:
            return subprocess.Popen(
                [self._assets / program, *arguments], stdout=log, stderr=log, env=environment, cwd=self.folder
            )
        finally:
            log.close()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        import ssl
        import urllib.request

        trusted = ssl.create_default_context(cafile=str(self.ca))
        asked = urllib.request.Request(f"{self.url}/readyz", headers={"authorization": f"Bearer {_TOKEN}"})
        until = time.monotonic() + _STARTS_WITHIN
        while time.monotonic() < until:
            assert process.poll() is None, (self.folder / "kube-apiserver.log").read_text()[-2000:]
            with suppress(OSError), urllib.request.urlopen(asked, timeout=2, context=trusted):
                return
            time.sleep(0.3)
        raise AssertionError((self.folder / "kube-apiserver.log").read_text()[-2000:])


def kubeconfig(url: str, ca: Path, user: str, token: str, namespace: str = "") -> str:
    """A kubeconfig whose only context is the user's."""
    context = {"cluster": "test", "user": user} | ({"namespace": namespace} if namespace else {})
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": {"server": url, "certificate-authority": str(ca)}}],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [{"name": user, "context": context}],
            "current-context": user,
        }
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
