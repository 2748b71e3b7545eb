"""Kubeflow Trainer itself on a real API server, with JobSet: both built from their sources.

``KFNB_TEST_TRAINER`` names a folder with Trainer's source (``manifests/base``) and its program (``go build -o manager
./cmd/trainer-controller-manager``), ``KFNB_TEST_JOBSET`` one with JobSet's (``go build -o manager .``).
``KUBEBUILDER_ASSETS`` has etcd, kube-apiserver and kube-controller-manager. There is no kubelet: a node of this
machine runs the containers as processes.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.kubernetes import api_server
from tests.services.kserve_cluster import Api
from tests.training.pod_processes import PodProcess, PodProcesses, account_at, now

Json = dict[str, Any]
NODE = "node-1"
_RUNTIMES = "/apis/trainer.kubeflow.org/v1alpha1/clustertrainingruntimes"


def source(variable: str) -> Path:
    """A source with its built program; without it the tests are skipped."""
    folder = Path(os.environ.get(variable, ""))
    if not (folder / "manager").is_file():
        pytest.skip(f"{variable} names no folder with a source and its built manager")
    if not (api_server.assets() / "kube-controller-manager").is_file():
        pytest.skip(f"{api_server.ASSETS} has no kube-controller-manager")
    return folder


class TrainerCluster:
    """A running Trainer and JobSet, with Trainer's own runtimes."""

    def __init__(self, folder: Path) -> None:
        self.trainer, self.jobset = source("KFNB_TEST_TRAINER"), source("KFNB_TEST_JOBSET")
        self.folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self.server = api_server.ApiServer(folder)
        self.api = Api(self.server)
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
        self.server.close()

    def _set_up(self) -> None:
        base = self.trainer / "manifests/base"
        for item in _objects([*(base / "crds").glob("*.yaml")], "CustomResourceDefinition"):
            self.api.apply(item)
        crds = self.jobset / "config/components/crd/bases"
        for item in _objects([*crds.glob("*.yaml")], "CustomResourceDefinition"):
            self.api.apply(item)
        self._run_controllers()
        _wait(lambda: "items" in self.api.ask("GET", _RUNTIMES))
        _wait(lambda: "items" in self.api.ask("GET", "/apis/jobset.x-k8s.io/v1alpha2/jobsets"))
        components = self.jobset / "config/components"
        self._run_manager(
            self.jobset,
            components / "manager/controller_manager_config.yaml",
            components / "webhook/manifests.yaml",
        )
        self._run_manager(
            self.trainer, base / "manager/controller_manager_config.yaml", base / "webhook/manifests.yaml"
        )
        for item in _objects([*(base / "runtimes").glob("*.yaml")], "ClusterTrainingRuntime"):
            self.api.apply(item)

    def _run_controllers(self) -> None:
        words = {
            "kubeconfig": self.server.kubeconfig,
            "leader-elect": "false",
            "bind-address": "127.0.0.1",
            "secure-port": api_server.free_port(),
            "cert-dir": self.folder / "controllers",
            "controllers": "job-controller,garbage-collector-controller",
        }
        self._run(api_server.assets() / "kube-controller-manager", words, "controllers")

    def _run_manager(self, source: Path, configuration: Path, webhooks: Path) -> None:
        """Run a manager, whose webhooks are at a port of this machine."""
        name = source.name
        home = self.folder / f"home-{name}"
        certificates = home / "k8s-webhook-server/serving-certs"
        certificates.mkdir(parents=True)
        for mine, theirs in (("serving.crt", "tls.crt"), ("serving.key", "tls.key")):
            (certificates / theirs).write_bytes((self.folder / mine).read_bytes())
        webhook, probe = api_server.free_port(), api_server.free_port()
        file = home / "configuration.yaml"
        settings = yaml.safe_load(configuration.read_text())
        for part, own in {
            "webhook": {"port": webhook},
            "metrics": {"bindAddress": "0"},
            "health": {"healthProbeBindAddress": f"127.0.0.1:{probe}"},
            "leaderElection": {"leaderElect": False},
            "certManagement" if source == self.trainer else "internalCertManagement": {"enable": False},
        }.items():
            settings[part] = {**settings.get(part, {}), **own}
        settings.pop("statusServer", None)
        file.write_text(json.dumps(settings))
        words = {"config": file, "kubeconfig": self.server.kubeconfig}
        program = self._run(source / "manager", words, name, TMPDIR=str(home), POD_NAMESPACE="default")

        def answers() -> bool:
            assert program.poll() is None, (self.folder / f"{name}.log").read_text()[-2000:]
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{probe}/readyz", timeout=2):
                return True
            return False

        _wait(answers)
        bundle = base64.b64encode(self.server.ca.read_bytes()).decode()
        for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
            for item in _objects([webhooks], kind):
                for hook in item["webhooks"]:
                    path = hook["clientConfig"]["service"]["path"]
                    url = f"https://127.0.0.1:{webhook}{path}"
                    hook["clientConfig"] = {"url": url, "caBundle": bundle}
                item["metadata"] = {"name": f"{name.replace('.', '-')}-{kind.lower()}"}
                self.api.apply(item)

    def _run(self, program: Path, words: Json, name: str, **variables: str) -> subprocess.Popen[bytes]:
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


class Node:
    """The node of a cluster: it runs the containers of pods as processes, and has their logs."""

    def __init__(self, cluster: TrainerCluster, folder: Path) -> None:
        self._api, self._pods = cluster.api, PodProcesses(folder)
        self.processes: dict[str, PodProcess] = {}
        self._ending: set[str] = set()
        self._server = self._serve(cluster.folder)
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self._server.server_port}},
            "conditions": [{"type": "Ready", "status": "True"}],
        }
        self._api.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
        self._api.tell(f"/api/v1/nodes/{NODE}", status)
        threading.Thread(target=self._follow, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        for one in self.processes.values():
            one.kill()

    def _follow(self) -> None:
        with suppress(OSError):  # the API server has ended
            for pod in self._api.watch("/api/v1/pods"):
                uid = pod["metadata"]["uid"]
                if pod["metadata"].get("deletionTimestamp"):
                    if uid not in self._ending:
                        self._ending.add(uid)
                        threading.Thread(target=self._end, args=[pod], daemon=True).start()
                elif uid not in self.processes:
                    self._start(pod)

    def _start(self, pod: Json) -> None:
        [container] = pod["spec"]["containers"]
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
        target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target}
        if self._api.ask("POST", f"{_path(pod)}/binding", binding).get("status") == "Failure":
            return  # it was deleted meanwhile
        environment = {one["name"]: self._value(pod, one) for one in container.get("env", ())}
        words = [one.replace("$$", "$") for one in (*container["command"], *container["args"])]
        place = f"{pod['metadata']['namespace']}/{name}"
        self.processes[uid] = self.processes[place] = self._pods.start(uid, words, environment)
        began = now()
        self._tell(pod, "Running", {"running": {"startedAt": began[:19] + "Z"}})
        threading.Thread(target=self._await, args=[pod, began], daemon=True).start()

    def _value(self, pod: Json, variable: Json) -> str:
        found = variable.get("valueFrom", {})
        if "fieldRef" in found:
            key = found["fieldRef"]["fieldPath"].partition("['")[2].rstrip("']")
            return str({**pod["metadata"]["labels"], **pod["metadata"]["annotations"]}[key])
        if "secretKeyRef" in found:
            one = found["secretKeyRef"]
            place = f"/api/v1/namespaces/{pod['metadata']['namespace']}/secrets/{one['name']}"
            return base64.b64decode(self._api.must("GET", place)["data"][one["key"]]).decode()
        return str(variable.get("value", "")).replace("$$", "$")

    def _await(self, pod: Json, began: str) -> None:
        process = self.processes[pod["metadata"]["uid"]]
        while process.code is None:
            time.sleep(0.05)
        ended = process.ended()
        moments = {"startedAt": began[:19] + "Z", "finishedAt": ended["finishedAt"][:19] + "Z"}
        self._tell(pod, "Failed" if process.code else "Succeeded", {"terminated": {**ended, **moments}})

    def _end(self, pod: Json) -> None:
        process = self.processes.get(pod["metadata"]["uid"])
        if process is not None:
            process.terminate()
            until = time.monotonic() + 20
            while process.code is None and time.monotonic() < until:
                time.sleep(0.05)
            time.sleep(0.2)  # its end is told first
        self._api.ask("DELETE", f"{_path(pod)}?gracePeriodSeconds=0")

    def _tell(self, pod: Json, phase: str, state: Json) -> None:
        image = pod["spec"]["containers"][0]["image"]
        container = {
            "name": "node",
            "image": image,
            "imageID": "",
            "ready": "running" in state,
            "state": state,
        }
        conditions = [
            {"type": one, "status": str("running" in state)} for one in ("Ready", "ContainersReady")
        ]
        status = {"phase": phase, "conditions": [{"type": "PodScheduled", "status": "True"}, *conditions]}
        self._api.tell(_path(pod), {**status, "containerStatuses": [{**container, "restartCount": 0}]})

    def _serve(self, certificates: Path) -> ThreadingHTTPServer:
        """The logs of containers, as the API server asks a kubelet for them."""
        processes = self.processes

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                _, _, namespace, pod, _ = urlsplit(self.path).path.split("/")
                place = f"{namespace}/{pod}"
                lines = processes[place].lines if place in processes else []
                text = "".join(f"{at} {line}\n" for at, line in [*lines]).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "serving.crt", certificates / "serving.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


class RealTrainer:
    """A namespace of a real cluster: see ``simulated_trainer.ClusterUnderTest``."""

    def __init__(self, cluster: TrainerCluster, node: Node, namespace: str = "default") -> None:
        self._cluster, self._node, self._namespace = cluster, node, namespace
        self.store = ""

    @property
    def api(self) -> Api:
        """The API server, asked by an administrator."""
        return self._cluster.api

    def in_namespace(self, name: str) -> RealTrainer:
        self._cluster.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        return RealTrainer(self._cluster, self._node, name)

    def put(self, body: Json) -> None:
        self._cluster.api.apply({**body, "metadata": {**body["metadata"], "namespace": self._namespace}})

    def configuration(self) -> Any:
        found = pytest.importorskip("kubernetes.client").Configuration()
        found.host, found.ssl_ca_cert = self._cluster.server.url, str(self._cluster.server.ca)
        found.api_key["authorization"] = self._cluster.api.headers["authorization"]
        return found

    def trainjobs(self) -> list[Json]:
        found: list[Json] = self._cluster.api.must("GET", self.path("").rstrip("/"))["items"]
        return found

    def path(self, trainjob: str) -> str:
        return f"/apis/trainer.kubeflow.org/v1alpha1/namespaces/{self._namespace}/trainjobs/{trainjob}"

    def containers(self) -> list[PodProcess]:
        return [
            one
            for name, one in self._node.processes.items()
            if name.startswith(f"{self._namespace}/") and "-node-0-" in name
        ]

    def node(self, number: int) -> str:
        return NODE

    def account(self, folder: Path) -> dict[str, str]:
        core = f"/api/v1/namespaces/{self._namespace}"
        name = {"name": folder.name}
        self.api.must("POST", f"{core}/serviceaccounts", {"metadata": name})
        token = self.api.must("POST", f"{core}/serviceaccounts/{folder.name}/token", {"spec": {}})
        asleep = {"name": "main", "image": "none", "command": ["sleep"], "args": ["600"]}
        pod = self.api.must("POST", f"{core}/pods", {"metadata": name, "spec": {"containers": [asleep]}})
        server = self._cluster.server
        found = account_at(
            folder, server.url, server.ca.read_text(), token["status"]["token"], self._namespace
        )
        return {**found, "KFP_POD_NAME": folder.name, "KFP_POD_UID": pod["metadata"]["uid"]}

    def allow(self) -> None:
        """As the commands do that the refused step names."""
        rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{self._namespace}"
        name, verbs = {"name": "kfnb-trainings"}, ["get", "list", "create", "delete"]
        rules = [
            {"apiGroups": ["trainer.kubeflow.org"], "resources": ["trainjobs"], "verbs": verbs},
            {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": verbs},
        ]
        self.api.must("POST", f"{rbac}/roles", {"metadata": name, "rules": rules})
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", **name}
        account = {"kind": "ServiceAccount", "name": "runner", "namespace": self._namespace}
        binding = {"metadata": name, "roleRef": role, "subjects": [account]}
        self.api.must("POST", f"{rbac}/rolebindings", binding)


def _path(pod: Json) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"


def _objects(files: list[Path], kind: str) -> Iterator[Json]:
    for file in sorted(files):
        for item in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader):
            if item and item.get("kind") == kind and ("spec" in item or "webhooks" in item):
                yield item


def _wait(fits: Callable[[], bool], seconds: float = 90.0) -> None:
    until = time.monotonic() + seconds
    while not fits():
        assert time.monotonic() < until
        time.sleep(0.3)
