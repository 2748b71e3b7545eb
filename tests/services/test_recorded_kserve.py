"""The suite of every engine against KServe's own controller and webhooks, as they were recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from object_server import serving
from recorded_kserve import RecordedKServe, recording_of
from service_conformance import ServiceConformance, Versions
from test_kserve_engine import NAMESPACE, Folders, configuration

from kfnb.errors import BackendError
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.resources.runs.kubeflow.storage import Storage
from kfnb.resources.services.engine import ServiceEngine
from kfnb.resources.services.kserve import graph_split
from kfnb.resources.services.kserve.account import StoreAccount
from kfnb.resources.services.kserve.addresses import Entrance, ServiceAddresses
from kfnb.resources.services.kserve.connection import StoredPlaces
from kfnb.resources.services.kserve.engine import KServeEngine
from kfnb.resources.services.kserve.mode import DeploymentMode, KServeSettings
from kfnb.resources.services.kserve.objects import REVISION
from kfnb.resources.services.kserve.resources import ServingResources
from tests.recordings.replay import recorded

KEYS = {"accesskey": "bWluaW8=", "secretkey": "c2VjcmV0"}


class _Recorded(ServiceConformance):
    kserve, settings = "", KServeSettings()

    @pytest.fixture
    def engine(
        self, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[KServeEngine]:
        """The engine, and this test's recording."""
        monkeypatch.setattr(graph_split, "_DRAIN", 0.0)
        server = RecordedKServe(recorded(recording_of(self.kserve))[request.node.name.removeprefix("test_")])
        server.put("secrets", {"metadata": {"name": "mlpipeline-minio-artifact"}, "data": dict(KEYS)})
        with serving(server) as url:
            kubernetes = Kubernetes(lambda: configuration(url))
            engine = KServeEngine(
                ServingResources(kubernetes, NAMESPACE),
                StoredPlaces(
                    Folders(tmp_path / "store"), StoreAccount(kubernetes, Storage(NAMESPACE, kubernetes))
                ),
                ServiceAddresses(kubernetes, NAMESPACE, Entrance(within=False)),
                lambda: self.settings,
            )
            yield engine
            engine.close()
        assert server.surprises == []
        assert server.left == []


class TestKServe015(_Recorded):
    """KServe 0.15, whose modes have their former names and which stops services in Knative's mode alone."""

    kserve, one_address = "0.15", False
    settings = KServeSettings(DeploymentMode.STANDARD, version=(0, 15))

    def test_what_is_stopped_keeps_what_is_wanted_and_starts_again(
        self, engine: ServiceEngine, version: Versions
    ) -> None:
        self.served(engine, version())
        with pytest.raises(BackendError, match=r"KServe 0\.15 does not stop services in Standard mode"):
            engine.stop("churn")


class TestKServe020(_Recorded):
    """KServe 0.20 as it is installed: without the Gateway API, so that a graph splits the requests."""

    kserve, one_address = "0.20", False
    settings = KServeSettings(DeploymentMode.STANDARD, version=(0, 20))


class TestKServe021(_Recorded):
    """KServe's development branch of August 2026, with the Gateway API: routes have weights."""

    kserve = "0.21"
    settings = KServeSettings(DeploymentMode.STANDARD, gateway_api=True, version=(0, 21))

    def test_a_canary_that_becomes_the_default_is_not_started_anew(self) -> None:
        exchanges = recorded(recording_of(self.kserve))["a_canary_gets_its_share_and_is_promoted"]
        seen = [
            {
                pod["metadata"]["name"]
                for pod in one["response"]["items"]
                if pod["metadata"]["labels"][REVISION] == "2"
            }
            for one in exchanges
            if "/pods?" in one["path"]
        ]
        assert {len(names) for names in seen} == {0, 1}
        assert len(set().union(*seen)) == 1

    def test_requests_have_left_the_default_before_its_pods_end(self) -> None:
        exchanges = recorded(recording_of(self.kserve))["a_canary_gets_its_share_and_is_promoted"]
        promoted = next(
            at
            for at, one in enumerate(exchanges)
            if one["method"] == "PUT" and "canary" not in one["request"]["spec"]
        )
        routes = [
            one["response"]
            for one in exchanges[:promoted]
            if "/httproutes/" in one["path"] and one["status"] == 200
        ]
        [rule] = routes[-1]["spec"]["rules"]
        weights = {one["name"]: one["weight"] for one in rule["backendRefs"]}
        assert weights == {"churn-predictor": 0, "churn-r2-predictor": 100}
