"""Where monitors on a cluster are, as its API server and its store say it."""

from __future__ import annotations

import base64
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "services"))

from object_server import ObjectServer, serving

from kfnb.errors import ServiceNotFound, UsageError
from kfnb.remote import environment
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.resources.monitors.api import engine_of
from kfnb.resources.monitors.kubeflow.connection import ConnectedCluster
from kfnb.resources.runs.kubeflow.connection import Access, Ways
from kfnb.resources.runs.kubeflow.objects import Store
from kfnb.resources.runs.kubeflow.storage import Storage
from kfnb.resources.services.kserve.connection import ServingSettings, engine_at
from kfnb.resources.services.kserve.label_folder import LabelFolder
from kfnb.resources.services.kserve.request_log import LogFolder
from kfnb.resources.services.kserve.resources import ServingResources

NAMESPACE = "team-a"
KEYS = {
    "accesskey": base64.b64encode(b"key").decode(),
    "secretkey": base64.b64encode(b"hunter2").decode(),
}


@pytest.fixture
def api() -> ObjectServer:
    """A namespace with the store that KFP is installed with."""
    server = ObjectServer({"configmaps", "inferenceservices", "secrets", "serviceaccounts", "services"})
    server.put("secrets", {"metadata": {"name": "mlpipeline-minio-artifact"}, "data": dict(KEYS)})
    return server


@pytest.fixture
def cluster(api: ObjectServer) -> Iterator[ConnectedCluster]:
    moto = pytest.importorskip("moto.server").ThreadedMotoServer(port=0, verbose=False)
    moto.start()
    address = "{}:{}".format(*moto.get_host_and_port())
    with urllib.request.urlopen(urllib.request.Request(f"http://{address}/mlpipeline", method="PUT")):
        pass

    def configuration() -> Any:
        from kubernetes.client import Configuration

        found = Configuration()
        found.host = url
        return found

    with serving(api) as url:
        kubernetes = Kubernetes(configuration)
        storage = Storage(NAMESPACE, kubernetes)
        yield ConnectedCluster(
            storage, Store(storage, lambda _: address), ServingResources(kubernetes, NAMESPACE)
        )
    moto.stop()


def test_a_monitor_is_beside_the_artifacts_of_runs(cluster: ConnectedCluster) -> None:
    place, of_pods = cluster.place("churn")
    assert place.path == "mlpipeline/v2/artifacts/kfnb-monitors/churn"
    place.describe({"spec": "a"})
    assert cluster.place("churn")[0].about() == {"spec": "a"}
    assert (of_pods.service, of_pods.path) == ("s3", place.path)
    assert of_pods.options["endpoint"].endswith(".kubeflow:9000"), "pods reach it within the cluster"


def test_pods_get_the_keys_of_runs_by_their_secret(cluster: ConnectedCluster) -> None:
    pods = cluster.pods()
    assert pods.secret == "mlpipeline-minio-artifact"
    assert pods.variables == {"accesskey": "AWS_ACCESS_KEY_ID", "secretkey": "AWS_SECRET_ACCESS_KEY"}
    assert {one.partition("=")[0] for one in pods.requirements} == {"numpy", "obstore", "pandas", "pyarrow"}
    assert "hunter2" not in repr(pods)


def test_the_log_of_a_service_is_that_of_its_inference_service(
    cluster: ConnectedCluster, api: ObjectServer
) -> None:
    logger = {"mode": "all", "url": "s3://mlpipeline/requests", "storage": {"parameters": {"format": "json"}}}
    api.put("inferenceservices", {"metadata": {"name": "churn"}, "spec": {"predictor": {"logger": logger}}})
    api.put("inferenceservices", {"metadata": {"name": "quiet"}, "spec": {"predictor": {}}})
    assert cluster.log("churn") == LogFolder(
        "mlpipeline/requests/team-a/churn", labels="mlpipeline/requests/kfnb-labels/team-a/churn"
    )
    with pytest.raises(UsageError, match="service quiet does not log its requests to an object store"):
        cluster.log("quiet")
    with pytest.raises(ServiceNotFound):
        cluster.log("gone")


def test_labels_are_kept_beside_the_log_of_the_service(
    cluster: ConnectedCluster, api: ObjectServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = {"mode": "all", "url": "s3://mlpipeline/requests", "storage": {"parameters": {"format": "json"}}}
    api.put("inferenceservices", {"metadata": {"name": "churn"}, "spec": {"predictor": {"logger": logger}}})
    api.put("inferenceservices", {"metadata": {"name": "quiet"}, "spec": {"predictor": {}}})
    monkeypatch.setattr(Ways, "reached", lambda _, address: cluster._store._reach(address))
    given = ServingSettings(Access(), NAMESPACE, tmp_path)
    engine = engine_at(cluster._serving.kubernetes, given, environment.read())
    assert engine.feedback("churn", ["a", "b"], [[True, False], None], "ada").kept == 2
    place, _ = cluster.place("churn")
    folder = LabelFolder(place.store, cluster.log("churn").labels)
    assert [(one.request, one.rows) for one in folder.between(0, 1e12)] == [("a", [True, False])]
    with pytest.raises(UsageError, match="service quiet does not log its requests to an object store"):
        engine.feedback("quiet", ["a"], [True], "ada")
    engine.close()


def test_without_a_cluster_there_are_no_monitors_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KFNB_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="a monitor on a cluster needs a cluster"):
        engine_of("kubeflow")
