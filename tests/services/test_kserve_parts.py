"""The parts of the engine on a cluster: what is read from KServe, known causes, who is refused."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from kfnb import settings as config
from kfnb.errors import BackendError, Unauthenticated, UsageError
from kfnb.resources.services import api
from kfnb.resources.services.client import ServiceClient
from kfnb.resources.services.engine import ServiceAddress
from kfnb.resources.services.kserve.addresses import Entrance, ServiceAddresses
from kfnb.resources.services.kserve.causes import known_cause
from kfnb.resources.services.kserve.mode import DeploymentMode, mode_of, settings_of
from kfnb.resources.services.kserve.observation import Observation
from kfnb.resources.services.kserve.uploads import served_uri


@pytest.mark.parametrize(
    ("status", "mode"),
    [
        ({"deploymentMode": "Serverless"}, DeploymentMode.KNATIVE),
        ({"deploymentMode": "Knative"}, DeploymentMode.KNATIVE),
        ({"deploymentMode": "RawDeployment"}, DeploymentMode.STANDARD),
        ({"deploymentMode": "Standard"}, DeploymentMode.STANDARD),
        ({"components": {"predictor": {"latestCreatedRevision": "a-1"}}}, DeploymentMode.KNATIVE),
        ({"components": {"predictor": {"url": "http://a"}}}, DeploymentMode.STANDARD),
        ({}, None),
        ({"deploymentMode": "ModelMesh"}, None),
    ],
)
def test_a_mode_has_two_names_and_older_kserves_tell_none(
    status: dict[str, Any], mode: DeploymentMode | None
) -> None:
    assert mode_of({"status": status}) is mode


@pytest.mark.parametrize(
    ("image", "gateway_api", "weighs"),
    [
        ("kserve/storage-initializer:v0.21.0", True, True),
        ("registry:5000/kserve/storage-initializer:0.22.1-rc0", True, True),
        ("kserve/storage-initializer:v0.20.0", True, False),
        ("kserve/storage-initializer:v0.21.0", False, False),
        ("kserve/storage-initializer:latest", True, False),
        ("kserve/storage-initializer@sha256:0123", True, False),
    ],
)
def test_routes_are_weighed_only_where_kserve_is_known_to_do_it(
    image: str, gateway_api: bool, *, weighs: bool
) -> None:
    ingress = {"enableGatewayApi": gateway_api, "localGatewayService": "local.gate.svc.cluster.local"}
    data = {"deploy": {"defaultDeploymentMode": "RawDeployment"}, "ingress": ingress}
    data["storageInitializer"] = {"image": image}
    found = settings_of({name: json.dumps(one) for name, one in data.items()})
    assert found.weighs_routes is weighs
    assert (found.mode, found.gateway) == (DeploymentMode.STANDARD, ("local", "gate"))


def test_a_config_map_that_is_not_json_is_as_none() -> None:
    found = settings_of({"deploy": "{", "ingress": "[]"})
    assert (found.mode, found.weighs_routes) == (None, False)


@pytest.mark.parametrize(
    ("uri", "served"),
    [
        ("minio://mlpipeline/v2/artifacts/a", "s3://mlpipeline/v2/artifacts/a"),
        ("s3://bucket/a?endpoint=minio:9000", "s3://bucket/a"),
        ("gs://bucket/a", "gs://bucket/a"),
        ("abfs://data@team.dfs.core.windows.net/a", "https://team.blob.core.windows.net/data/a"),
    ],
)
def test_addresses_of_the_store_are_as_kserve_reads_them(uri: str, served: str) -> None:
    assert served_uri(uri) == served


@pytest.mark.parametrize("uri", ["az://data/a", "file:///etc", "http://a/b"])
def test_an_address_that_kserve_cannot_read_is_refused(uri: str) -> None:
    with pytest.raises(BackendError, match="KServe cannot read"):
        served_uri(uri)


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        (
            "botocore.exceptions.ClientError: An error occurred (403) when calling the HeadObject operation: Forbidden",
            "keys",
        ),
        ("An error occurred (InvalidAccessKeyId) when calling the ListObjectsV2 operation", "keys"),
        ("botocore.exceptions.NoCredentialsError: Unable to locate credentials", "no keys"),
        ("RuntimeError: Failed to fetch model. No model found in s3://a/b.", "not in the object store"),
        ("ERROR: No matching distribution found for foo==1", "does not install"),
        ("ERROR: Package 'a' requires a different Python: 3.9.1 not in '>=3.10'", "another Python"),
        ("OOMKilled", "more memory"),
        ("EndpointConnectionError: Could not connect to the endpoint URL", "cannot be reached"),
        (
            "NoSupportingRuntime: No runtime found to support specified framework/version",
            "no serving runtime",
        ),
        (
            "NOK ... Prefetched but modelcar is invalid (/models does not exist or is empty)",
            "no folder /models",
        ),
        ("sha256sum: WARNING: 1 computed checksum did NOT match", "not that of this version"),
        (
            'ReconcileFailed: failed creating host name: url: Invalid value: "c": must be no more than 63 characters',
            "too long",
        ),
        ("it is fine", None),
    ],
)
def test_what_is_usually_wrong_is_known(line: str, cause: str | None) -> None:
    found = known_cause(["before", line])
    assert (found and found.cause) is None if cause is None else cause in found.cause
    assert cause is None or found.fix


@pytest.fixture
def istio() -> Iterator[str]:
    """What answers in the place of a service that Istio lets nobody ask."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(403)
            self.send_header("content-length", "19")
            self.end_headers()
            self.wfile.write(b"RBAC: access denied")

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("mode", "label"),
    [("Knative", "serving.knative.dev/service: churn-predictor"), ("Standard", "app: isvc.churn-predictor")],
)
def test_who_istio_refuses_is_shown_the_policy_that_is_missing(istio: str, mode: str, label: str) -> None:
    import yaml

    service = {"status": {"deploymentMode": mode, "url": "http://churn", "address": {"url": istio}}}
    reach = ServiceAddresses(None, "team-a", Entrance(within=True))  # type: ignore[arg-type] - it is not asked within a cluster
    found = reach.address("churn", Observation(service), None, split=True)
    client = ServiceClient("churn", lambda version, verb: found)
    with pytest.raises(Unauthenticated, match="RBAC: access denied") as caught:
        client.ask("predict", [{"a": 1}])
    text = caught.value.hint
    policy = yaml.safe_load(text[text.index("apiVersion") :])
    assert policy["kind"] == "AuthorizationPolicy"
    assert policy["metadata"] == {"name": "churn-callers", "namespace": "team-a"}
    key, value = label.split(": ")
    assert policy["spec"]["selector"]["matchLabels"] == {key: value}


def test_another_refusal_is_not_istios(istio: str) -> None:
    address = ServiceAddress(istio, denied="")
    with pytest.raises(Unauthenticated):
        ServiceClient("churn", lambda version, verb: address).ask("predict", [[1]])


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without a kubeconfig."""
    monkeypatch.setenv("KFNB_HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("KFNB_CONTEXT", raising=False)
    config.reset()
    yield
    config.reset()


def test_without_a_cluster_one_line_says_how_to_name_one(nowhere: None) -> None:
    for asked in (
        lambda: api.services(backend="kubeflow"),
        lambda: api.service("kubeflow:churn"),
        lambda: api.serve("churn", backend="kubeflow"),
    ):
        with pytest.raises(BackendError, match="no cluster is known here: %kf_config context=NAME") as caught:
            asked()
        assert "\n" not in str(caught.value)


def test_images_and_runtimes_are_for_a_cluster(nowhere: None) -> None:
    with pytest.raises(UsageError, match="runtime: for a cluster alone"):
        api.serve("churn", runtime="xgboost", backend="local")
