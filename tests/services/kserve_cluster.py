"""KServe itself on a real API server: its manager, built from its source, with its CRDs, configuration and webhooks.

``KFNB_TEST_KSERVE`` names a folder with KServe's source (``config/``) and its program (``go build -o manager
./cmd/manager``); ``KUBEBUILDER_ASSETS`` has etcd, kube-apiserver and kube-controller-manager. For the Gateway API,
``KFNB_TEST_GATEWAY_API`` is a folder with its CRDs. There is no Knative, and no kubelet: see ``pretended_kubelet``.
"""

from __future__ import annotations

import base64
import json
import os
import re
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kubernetes import api_server

Json = dict[str, Any]
_SERVING = "/apis/serving.kserve.io"
_NEEDED = {
    "inferenceservices",
    "inferencegraphs",
    "trainedmodels",
    "servingruntimes",
    "clusterservingruntimes",
}
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


def source() -> Path:
    """KServe's source with its program; without it the tests are skipped."""
    folder = Path(os.environ.get("KFNB_TEST_KSERVE", ""))
    if not (folder / "manager").is_file():
        pytest.skip("KFNB_TEST_KSERVE names no folder with KServe's source and its built manager")
    if not (api_server.assets() / "kube-controller-manager").is_file():
        pytest.skip(f"{api_server.ASSETS} has no kube-controller-manager")
    return folder


class KServeCluster:
    """A running KServe in Standard mode. ``version`` is the tag that its images have."""

    def __init__(self, folder: Path, version: str, mode: str) -> None:
        self.source, self.folder, self._version, self._mode = source(), folder, version, mode
        gateway = os.environ.get("KFNB_TEST_GATEWAY_API", "")
        self.gateway_crds = Path(gateway) if gateway else None
        self._processes: list[subprocess.Popen[bytes]] = []
        self._server = api_server.ApiServer(folder)
        self.api = Api(self._server)
        try:
            self._set_up()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        for one in self._processes:
            one.terminate()
        for one in self._processes:
            with suppress(subprocess.TimeoutExpired):
                one.wait(20)
        self._server.close()

    def _set_up(self) -> None:
        crds = [*(self.source / "config/crd/full").rglob("*.yaml")]
        crds += self.gateway_crds.glob("*.yaml") if self.gateway_crds else []
        for item in _objects(crds, "CustomResourceDefinition"):
            if "group" in item["spec"]:  # else it is a patch of kustomize's
                item["spec"].pop("conversion", None)
                self.api.apply(item)
        for name in ("kserve", "kubeflow"):
            self.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        self._configure()
        self._run_controllers()
        _wait(self._is_discovered)
        self._run_kserve()
        self._add_webhooks()
        for item in _objects([*(self.source / "config/runtimes").glob("*.yaml")], "ClusterServingRuntime"):
            self.api.apply(item)

    def _configure(self) -> None:
        [item] = _objects([self.source / "config/configmap/inferenceservice.yaml"], "ConfigMap")
        tag = f":{self._version}"
        data = {
            name: text.replace(":latest", tag) for name, text in item["data"].items() if name != "_example"
        }
        ingress = {**json.loads(data["ingress"]), "enableGatewayApi": self.gateway_crds is not None}
        data |= {"ingress": json.dumps(ingress), "deploy": json.dumps({"defaultDeploymentMode": self._mode})}
        metadata = {"name": item["metadata"]["name"], "namespace": "kserve"}
        self.api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
        for one in _objects(
            [*(self.source / "config/storagecontainers").glob("*.yaml")], "ClusterStorageContainer"
        ):
            one["spec"]["container"]["image"] = f"kserve/storage-initializer{tag}"
            self.api.apply(one)

    def _run_controllers(self) -> None:
        words = {
            "kubeconfig": self._server.kubeconfig,
            "leader-elect": "false",
            "bind-address": "127.0.0.1",
            "secure-port": api_server.free_port(),
            "cert-dir": self.folder / "controllers",
            "controllers": "deployment-controller,replicaset-controller,garbage-collector-controller",
        }
        self._run(api_server.assets() / "kube-controller-manager", words)

    def _is_discovered(self) -> bool:
        lists = [self.api.ask("GET", f"{_SERVING}/{version}") for version in ("v1beta1", "v1alpha1")]
        names = {one["name"] for found in lists for one in found.get("resources", ())}
        groups = {one["name"] for one in self.api.must("GET", "/apis")["groups"]}
        return names >= _NEEDED and "serving.kserve.io" in groups

    def _run_kserve(self) -> None:
        certificates = self.folder / "tmp/k8s-webhook-server/serving-certs"
        certificates.mkdir(parents=True)
        for name, theirs in (("serving.crt", "tls.crt"), ("serving.key", "tls.key")):
            (certificates / theirs).write_bytes((self.folder / name).read_bytes())
        self._webhook, probe = api_server.free_port(), api_server.free_port()
        words = {
            "kubeconfig": self._server.kubeconfig,
            "webhook-port": self._webhook,
            "metrics-addr": "0",
            "health-probe-addr": f"127.0.0.1:{probe}",
        }
        program = self._run(
            self.source / "manager", words, POD_NAMESPACE="kserve", TMPDIR=str(self.folder / "tmp")
        )

        def answers() -> bool:
            assert program.poll() is None, (self.folder / "manager.log").read_text()[-2000:]
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{probe}/readyz", timeout=2):
                return True
            return False

        _wait(answers)

    def _add_webhooks(self) -> None:
        bundle = base64.b64encode(self._server.ca.read_bytes()).decode()
        manifests = [self.source / "config/webhook/manifests.yaml"]
        for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
            for item in _objects(manifests, kind):
                for hook in item["webhooks"]:
                    path = hook["clientConfig"]["service"]["path"]
                    hook["clientConfig"] = {
                        "url": f"https://127.0.0.1:{self._webhook}{path}",
                        "caBundle": bundle,
                    }
                item["webhooks"] = [
                    one
                    for one in item["webhooks"]
                    if not re.search("localmodel|llminference", one["clientConfig"]["url"])
                ]
                item["metadata"].pop("creationTimestamp", None)
                self.api.apply(item)

    def _run(self, program: Path, words: Json, **variables: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{program.name}.log").open("ab") as log:
            process = subprocess.Popen(
                [program, *(f"--{name}={value}" for name, value in words.items())],
                stdout=log,
                stderr=log,
                env={**os.environ, "GOMAXPROCS": "2", **variables},
                cwd=self.folder,
            )
        self._processes.append(process)
        return process


def _objects(files: list[Path], kind: str) -> Iterator[Json]:
    for file in sorted(files):
        for item in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader):
            if item and item.get("kind") == kind and ("spec" in item or "data" in item or "webhooks" in item):
                yield item


def _wait(fits: Callable[[], bool], seconds: float = 90.0) -> None:
    until = time.monotonic() + seconds
    while not fits():
        assert time.monotonic() < until
        time.sleep(0.3)
