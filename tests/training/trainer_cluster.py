"""Kubeflow Trainer itself on a real API server, with JobSet: both built from their sources.

``KFNB_TEST_TRAINER`` names a folder with Trainer's source (``manifests/base``) and its program (``go build -o manager
./cmd/trainer-controller-manager``), ``KFNB_TEST_JOBSET`` one with JobSet's (``go build -o manager .``).
``KUBEBUILDER_ASSETS`` has etcd, kube-apiserver and kube-controller-manager. There is no kubelet: a node of this
machine runs the containers as processes.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.kubernetes import api_server
from tests.kubernetes.controllers import Api, Controllers, Json, objects_in, source, wait_until
from tests.kubernetes.node import NODE, add_node
from tests.training.pod_processes import PodProcess, PodProcesses, account_at, now

_RUNTIMES = "/apis/trainer.kubeflow.org/v1alpha1/clustertrainingruntimes"


class TrainerCluster(Controllers):
    """A running Trainer and JobSet, with Trainer's own runtimes."""

    def __init__(self, folder: Path) -> None:
        self.trainer, self.jobset = source("KFNB_TEST_TRAINER"), source("KFNB_TEST_JOBSET")
        super().__init__(folder)
        try:
            self._set_up()
        except BaseException:
            self.close()
            raise

    def _set_up(self) -> None:
        base = self.trainer / "manifests/base"
        for item in objects_in([*(base / "crds").glob("*.yaml")], "CustomResourceDefinition"):
            self.api.apply(item)
        crds = self.jobset / "config/components/crd/bases"
        for item in objects_in([*crds.glob("*.yaml")], "CustomResourceDefinition"):
            self.api.apply(item)
        self.run_kubernetes("job-controller", "garbage-collector-controller")
        wait_until(lambda: "items" in self.api.ask("GET", _RUNTIMES))
        wait_until(lambda: "items" in self.api.ask("GET", "/apis/jobset.x-k8s.io/v1alpha2/jobsets"))
        components = self.jobset / "config/components"
        self._run_manager(
            self.jobset,
            components / "manager/controller_manager_config.yaml",
            components / "webhook/manifests.yaml",
        )
        self._run_manager(
            self.trainer, base / "manager/controller_manager_config.yaml", base / "webhook/manifests.yaml"
        )
        for item in objects_in([*(base / "runtimes").glob("*.yaml")], "ClusterTrainingRuntime"):
            self.api.apply(item)

    def _run_manager(self, source: Path, configuration: Path, webhooks: Path) -> None:
        """Run a manager, whose webhooks are at a port of this machine."""
        home = self.folder / source.name
        home.mkdir()
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
        self.run_manager(source / "manager", {"config": file}, home, probe, POD_NAMESPACE="default")
        self.apply_webhooks(webhooks, webhook, prefix=f"{source.name.replace('.', '-')}-")


class Node:
    """The node of a cluster: it runs the containers of pods as processes, and has their logs."""

    def __init__(self, cluster: TrainerCluster, folder: Path) -> None:
        self._api, self._pods = cluster.api, PodProcesses(folder)
        self.processes: dict[str, PodProcess] = {}
        self._ending: set[str] = set()
        self._server = add_node(self._api, cluster.folder, self._lines)
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

    def _lines(self, path: str) -> str:
        """The log of a container, as the API server asks a kubelet for it."""
        _, _, namespace, pod, _ = urlsplit(path).path.split("/")
        place = f"{namespace}/{pod}"
        lines = self.processes[place].lines if place in self.processes else []
        return "".join(f"{at} {line}\n" for at, line in [*lines])


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
