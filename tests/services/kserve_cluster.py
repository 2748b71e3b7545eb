"""KServe itself on a real API server: its manager, built from its source, with its CRDs, configuration and webhooks.

``KFNB_TEST_KSERVE`` names a folder with KServe's source (``config/``) and its program (``go build -o manager
./cmd/manager``); ``KUBEBUILDER_ASSETS`` has etcd, kube-apiserver and kube-controller-manager. For the Gateway API,
``KFNB_TEST_GATEWAY_API`` is a folder with its CRDs. There is no Knative, and no kubelet: see ``pretended_kubelet``.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from tests.kubernetes import api_server
from tests.kubernetes.controllers import Controllers, objects_in, source, wait_until

_SERVING = "/apis/serving.kserve.io"
_NEEDED = {
    "inferenceservices",
    "inferencegraphs",
    "trainedmodels",
    "servingruntimes",
    "clusterservingruntimes",
}


class KServeCluster(Controllers):
    """A running KServe in Standard mode. ``version`` is the tag that its images have."""

    def __init__(self, folder: Path, version: str, mode: str) -> None:
        self.source, self._version, self._mode = source("KFNB_TEST_KSERVE"), version, mode
        gateway = os.environ.get("KFNB_TEST_GATEWAY_API", "")
        self.gateway_crds = Path(gateway) if gateway else None
        super().__init__(folder)
        try:
            self._set_up()
        except BaseException:
            self.close()
            raise

    def _set_up(self) -> None:
        crds = [*(self.source / "config/crd/full").rglob("*.yaml")]
        crds += self.gateway_crds.glob("*.yaml") if self.gateway_crds else []
        for item in objects_in(crds, "CustomResourceDefinition"):
            if "group" in item["spec"]:  # else it is a patch of kustomize's
                item["spec"].pop("conversion", None)
                self.api.apply(item)
        for name in ("kserve", "kubeflow"):
            self.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        self._configure()
        self.run_kubernetes("deployment-controller", "replicaset-controller", "garbage-collector-controller")
        wait_until(self._is_discovered)
        self._run_kserve()
        for item in objects_in([*(self.source / "config/runtimes").glob("*.yaml")], "ClusterServingRuntime"):
            self.api.apply(item)

    def _configure(self) -> None:
        [item] = objects_in([self.source / "config/configmap/inferenceservice.yaml"], "ConfigMap")
        tag = f":{self._version}"
        data = {
            name: text.replace(":latest", tag) for name, text in item["data"].items() if name != "_example"
        }
        ingress = {**json.loads(data["ingress"]), "enableGatewayApi": self.gateway_crds is not None}
        data |= {"ingress": json.dumps(ingress), "deploy": json.dumps({"defaultDeploymentMode": self._mode})}
        metadata = {"name": item["metadata"]["name"], "namespace": "kserve"}
        self.api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
        for one in objects_in(
            [*(self.source / "config/storagecontainers").glob("*.yaml")], "ClusterStorageContainer"
        ):
            one["spec"]["container"]["image"] = f"kserve/storage-initializer{tag}"
            self.api.apply(one)

    def _is_discovered(self) -> bool:
        lists = [self.api.ask("GET", f"{_SERVING}/{version}") for version in ("v1beta1", "v1alpha1")]
        names = {one["name"] for found in lists for one in found.get("resources", ())}
        groups = {one["name"] for one in self.api.must("GET", "/apis")["groups"]}
        return names >= _NEEDED and "serving.kserve.io" in groups

    def _run_kserve(self) -> None:
        webhook, probe = api_server.free_port(), api_server.free_port()
        words = {
            "webhook-port": webhook,
            "metrics-addr": "0",
            "health-probe-addr": f"127.0.0.1:{probe}",
        }
        home = self.folder / "kserve"
        self.run_manager(self.source / "manager", words, home, probe, POD_NAMESPACE="kserve")
        manifests = self.source / "config/webhook/manifests.yaml"
        self.apply_webhooks(
            manifests, webhook, wanted=lambda path: not re.search("localmodel|llminference", path)
        )
