"""Real controllers on a real API server: programs that were built from their sources, with their webhooks."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kubernetes import api_server

Json = dict[str, Any]
_PLURAL = {"ClusterStorageContainer": "clusterstoragecontainers", "ConfigMap": "configmaps"}
_JSON, _MERGE, _APPLY = (f"application/{one}" for one in ("json", "merge-patch+json", "apply-patch+yaml"))


class Api:
    """The API server, asked by an administrator."""

    def __init__(self, server: api_server.ApiServer) -> None:
        self.url = server.url
        self.trusted = ssl.create_default_context(cafile=str(server.ca))
        [user] = json.loads(server.kubeconfig.read_text())["users"]
        self.headers = {"authorization": f"Bearer {user['user']['token']}", "accept": "application/json"}

    def send(self, method: str, path: str, body: bytes | None, kind: str) -> tuple[int, str, bytes]:
        """The status, the content type and the body of an answer."""
        request = urllib.request.Request(
            self.url + path, data=body, method=method, headers={**self.headers, "content-type": kind}
        )
        try:
            with urllib.request.urlopen(request, timeout=60, context=self.trusted) as found:
                return found.status, found.headers.get("content-type", ""), found.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers.get("content-type", ""), error.read()

    def ask(self, method: str, path: str, body: Json | None = None, kind: str = _JSON) -> Any:
        """The answer as JSON, whatever its status."""
        data = None if body is None else json.dumps(body).encode()
        content = self.send(method, path, data, kind)[2]
        with suppress(ValueError):
            return json.loads(content)
        return {}

    def must(self, method: str, path: str, body: Json | None = None, kind: str = _JSON) -> Json:
        """The answer, which has to be a success."""
        found: Json = self.ask(method, path, body, kind)
        assert found.get("status") != "Failure", (method, path, found)
        return found

    def apply(self, item: Json) -> None:
        """Make an object what it is to be."""
        version, kind = item["apiVersion"], item["kind"]
        base = "/api/v1" if version == "v1" else f"/apis/{version}"
        namespace = item["metadata"].get("namespace", "")
        base += f"/namespaces/{namespace}" if namespace else ""
        plural = _PLURAL.get(kind, f"{kind.lower()}s")
        self.must(
            "PATCH", f"{base}/{plural}/{item['metadata']['name']}?fieldManager=test&force=true", item, _APPLY
        )

    def tell(self, path: str, status: Json) -> None:
        """Write an object's status, where it is still there."""
        self.ask("PATCH", f"{path}/status", {"status": status}, _MERGE)

    def watch(self, path: str) -> Iterator[Json]:
        """The objects at ``path`` as they are and as they become."""
        there = self.must("GET", path)
        yield from there["items"]
        query = f"?watch=1&resourceVersion={there['metadata']['resourceVersion']}"
        request = urllib.request.Request(self.url + path + query, headers=self.headers)
        with urllib.request.urlopen(request, timeout=3600, context=self.trusted) as lines:
            for line in lines:
                event = json.loads(line)
                if event["type"] in ("ADDED", "MODIFIED"):
                    yield event["object"]


class Controllers:
    """An API server and the controllers that run beside it. Their files and logs are in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = api_server.ApiServer(folder)
        self.api = Api(self.server)
        self._processes: list[subprocess.Popen[bytes]] = []

    def close(self) -> None:
        for one in self._processes:
            one.terminate()
        for one in self._processes:
            with suppress(subprocess.TimeoutExpired):
                one.wait(20)
        self.server.close()

    def run_kubernetes(self, *names: str) -> None:
        """Run some of Kubernetes' own controllers."""
        words = {
            "kubeconfig": self.server.kubeconfig,
            "leader-elect": "false",
            "bind-address": "127.0.0.1",
            "secure-port": api_server.free_port(),
            "cert-dir": self.folder / "controllers",
            "controllers": ",".join(names),
        }
        self._run(api_server.assets() / "kube-controller-manager", words, "controllers", {})

    def run_manager(self, program: Path, words: Json, home: Path, probe: int, **variables: str) -> None:
        """Run a manager, whose files are in ``home``, until it answers at its port ``probe``."""
        certificates = home / "k8s-webhook-server/serving-certs"
        certificates.mkdir(parents=True)
        for mine, theirs in (("serving.crt", "tls.crt"), ("serving.key", "tls.key")):
            (certificates / theirs).write_bytes((self.folder / mine).read_bytes())
        words = {"kubeconfig": self.server.kubeconfig, **words}
        process = self._run(program, words, home.name, {"TMPDIR": str(home), **variables})

        def answers() -> bool:
            assert process.poll() is None, (self.folder / f"{home.name}.log").read_text()[-2000:]
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{probe}/readyz", timeout=2):
                return True
            return False

        wait_until(answers)

    def apply_webhooks(
        self, manifests: Path, port: int, prefix: str = "", wanted: Callable[[str], bool] = lambda _: True
    ) -> None:
        """Let the API server ask the webhooks of ``manifests`` at a port of this machine, as far as they are wanted."""
        bundle = base64.b64encode(self.server.ca.read_bytes()).decode()
        for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
            for item in objects_in([manifests], kind):
                item["webhooks"] = [
                    one for one in item["webhooks"] if wanted(one["clientConfig"]["service"]["path"])
                ]
                for hook in item["webhooks"]:
                    url = f"https://127.0.0.1:{port}{hook['clientConfig']['service']['path']}"
                    hook["clientConfig"] = {"url": url, "caBundle": bundle}
                item["metadata"] = {"name": f"{prefix}{item['metadata']['name']}"}
                self.api.apply(item)

    def _run(
        self, program: Path, words: Json, name: str, variables: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                ["nice", "-n", "19", program, *(f"--{word}={value}" for word, value in words.items())],
                stdout=log,
                stderr=log,
                env={**os.environ, "GOMAXPROCS": "2", **variables},
                cwd=self.folder,
            )
        self._processes.append(process)
        return process


def source(variable: str) -> Path:
    """The folder that a variable names, with a source and its built program; without it the tests are skipped."""
    folder = Path(os.environ.get(variable, ""))
    if not (folder / "manager").is_file():
        pytest.skip(f"{variable} names no folder with a source and its built manager")
    if not (api_server.assets() / "kube-controller-manager").is_file():
        pytest.skip(f"{api_server.ASSETS} has no kube-controller-manager")
    return folder


def objects_in(files: Iterable[Path], kind: str) -> Iterator[Json]:
    """The objects of a kind in files of YAML."""
    for file in sorted(files):
        for item in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader):
            if item and item.get("kind") == kind and ("spec" in item or "data" in item or "webhooks" in item):
                yield item


def wait_until(fits: Callable[[], bool], seconds: float = 90.0) -> None:
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while not fits():
        assert time.monotonic() < until
        time.sleep(0.3)
