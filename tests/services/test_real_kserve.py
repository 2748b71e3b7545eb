"""The suite of every engine against KServe's own controller and webhooks: see ``kserve_cluster`` for what that needs.

``KFNB_TEST_KSERVE_VERSION`` is the tag of its images (v0.20.0). ``KFNB_RECORD=1`` keeps what was asked as the recording
of that version, which ``test_recorded_kserve`` replays.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import service_conformance
from kserve_cluster import KServeCluster
from pretended_kubelet import PretendedKubelet
from recorded_kserve import LIVE, recording_of
from test_kserve_engine import KEYS, Folders, configuration

from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.resources.runs.kubeflow.storage import Storage
from kfnb.resources.services.kserve import graph_split
from kfnb.resources.services.kserve.account import StoreAccount
from kfnb.resources.services.kserve.addresses import Entrance, ServiceAddresses
from kfnb.resources.services.kserve.connection import StoredPlaces
from kfnb.resources.services.kserve.engine import KServeEngine
from kfnb.resources.services.kserve.mode import read_settings
from kfnb.resources.services.kserve.resources import ServingResources
from kfnb.resources.services.model import ServiceSnapshot
from tests.recordings.recorder import NAMESPACE, Recorder
from tests.recordings.replay import write_recording

VERSION = os.environ.get("KFNB_TEST_KSERVE_VERSION", "v0.20.0")
_OLD = VERSION.startswith("v0.15")

pytestmark = pytest.mark.slow


class _Unhurried(KServeEngine):
    """Looked at less often, so that a recording has no more rounds than it needs."""

    def get(self, name: str) -> ServiceSnapshot:
        time.sleep(0.15)
        return super().get(name)


@pytest.fixture(scope="module")
def kubelet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[KServeCluster, PretendedKubelet]]:
    """The cluster and its node."""
    mode = "RawDeployment" if _OLD else "Standard"
    cluster = KServeCluster(tmp_path_factory.mktemp("kserve"), VERSION, mode)
    node = PretendedKubelet(cluster)
    yield cluster, node
    node.close()
    cluster.close()


@pytest.fixture(scope="module")
def recording() -> Iterator[dict[str, list[dict[str, object]]]]:
    """The exchanges by test, kept where that is asked for."""
    found: dict[str, list[dict[str, object]]] = {}
    yield found
    if os.environ.get("KFNB_RECORD"):
        named = ".".join(VERSION.removeprefix("v").split(".")[:2])
        write_recording(recording_of(named), found)


class TestRealKServe(service_conformance.ServiceConformance):
    """KServe itself. Of 0.15, ``-k 'not stopped'``: it does not stop services in this mode."""

    one_address = bool(os.environ.get("KFNB_TEST_GATEWAY_API"))

    @pytest.fixture
    def engine(
        self,
        kubelet: tuple[KServeCluster, PretendedKubelet],
        recording: dict[str, list[dict[str, object]]],
        tmp_path: Path,
        request: pytest.FixtureRequest,
        monkeypatch: pytest.MonkeyPatch,
    ) -> Iterator[KServeEngine]:
        """The engine in a namespace of the test's own."""
        monkeypatch.setattr(graph_split, "_DRAIN", 0.0)
        monkeypatch.setattr(service_conformance, "TIMEOUT", 90.0)
        cluster, node = kubelet
        name = request.node.name.removeprefix("test_")
        namespace = f"test-{len(recording)}"
        cluster.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        secret = {"metadata": {"name": "mlpipeline-minio-artifact"}, "data": dict(KEYS)}
        cluster.api.must("POST", f"/api/v1/namespaces/{namespace}/secrets", secret)
        folders, recorder = Folders(tmp_path / "store"), Recorder(cluster.api, namespace, LIVE)
        node.store = folders.served
        with recorder.serving() as url:
            kubernetes = Kubernetes(lambda: configuration(url))
            engine = _Unhurried(
                ServingResources(kubernetes, NAMESPACE),
                StoredPlaces(folders, StoreAccount(kubernetes, Storage(NAMESPACE, kubernetes))),
                ServiceAddresses(kubernetes, NAMESPACE, Entrance(within=False)),
                lambda: read_settings(kubernetes, ["kserve"]),
            )
            yield engine
            engine.close()
        recording[name] = recorder.exchanges
        for kind, version in (("inferenceservices", "v1beta1"), ("inferencegraphs", "v1alpha1")):
            cluster.api.ask("DELETE", f"/apis/serving.kserve.io/{version}/namespaces/{namespace}/{kind}")
