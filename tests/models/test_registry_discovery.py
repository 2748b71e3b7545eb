"""Which model registry is meant: the one of the settings, else the one that the user's rights show in the cluster."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
from urllib.parse import parse_qs, urlsplit

import pytest
from cluster import asking
from model_registry_rig import Recorded, RegistryRig, recorded

from kfnb import settings as config
from kfnb.errors import BackendError
from kfnb.remote import environment
from kfnb.remote.current import Current
from kfnb.remote.environment import KubeflowEnvironment
from kfnb.remote.model_registry.discovery import RegistryService, find
from kfnb.resources.cluster.checks.model_registry import registry as check
from kfnb.resources.cluster.model import CheckOutcome
from kfnb.resources.models.kubeflow import connection
from kfnb.resources.models.kubeflow.connection import registry_at
from kfnb.resources.runs.kubeflow.connection import Access

REFUSAL = (
    'services is forbidden: User "ann" cannot list resource "services" in API group "" in the namespace "x"'
)
LABELS = {"app": "model-registry", "component": "model-registry"}


class ServicesApi(http.server.BaseHTTPRequestHandler):
    """An API server that has ``services`` by namespace, and refuses the paths in ``refused``."""

    services: dict[str, dict[str, list[dict[str, object]]]]
    refused: set[str]

    def do_GET(self):
        url = urlsplit(self.path)
        parts = url.path.strip("/").split("/")  # api v1 namespaces NAMESPACE services [NAME]
        namespace, name = parts[3], parts[5] if len(parts) > 5 else ""
        there = self.services.get(namespace, {})
        if url.path in self.refused or (not name and f"{namespace}/list" in self.refused):
            self._reply(403, REFUSAL)
        elif name and name not in there:
            self._reply(404, f'services "{name}" not found', {"kind": "services", "name": name})
        elif name:
            self._send(200, _object(name, there[name]))
        else:
            assert parse_qs(url.query)["labelSelector"] == ["component=model-registry"]
            self._send(200, {"kind": "ServiceList", "items": [_object(*one) for one in there.items()]})

    def _reply(self, status, message, details=None):
        self._send(status, {"kind": "Status", "message": message, "details": details or {}, "code": status})

    def _send(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


def _object(name, ports):
    return {"metadata": {"name": name, "labels": LABELS}, "spec": {"ports": ports}}


HTTP = [{"name": "http-api", "port": 8080}, {"name": "grpc-api", "port": 9090}]


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Settings of a process that is no pod."""
    monkeypatch.setattr(connection, "_current", Current())
    monkeypatch.setattr(environment, "read", KubeflowEnvironment)
    yield config.reset(start=tmp_path)
    config.reset()


@pytest.fixture
def api():
    handler = type("_", (ServicesApi,), {"services": {}, "refused": set()})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    handler.kubernetes = asking(f"127.0.0.1:{server.server_address[1]}")
    yield handler
    server.shutdown()
    server.server_close()


def test_the_registry_of_the_users_own_namespace_comes_before_kubeflows(api):
    api.services = {"kubeflow": {"model-registry-service": HTTP}}
    assert find(api.kubernetes, ("team-a", "kubeflow")) == RegistryService(
        "model-registry-service", "kubeflow"
    )
    api.services["team-a"] = {"ours": [{"name": "https-api", "port": 8443}]}
    found = find(api.kubernetes, ("team-a", "kubeflow"))
    assert found == RegistryService("ours", "team-a", 8443, "https")
    assert found.address == "https://ours.team-a:8443"


def test_of_several_registries_the_settings_choose_one(api):
    api.services = {"team-a": {"blue": HTTP, "red": HTTP}}
    with pytest.raises(BackendError, match=r"has several model registries: blue, red; .*model_registry=NAME"):
        find(api.kubernetes, ("team-a",))
    assert find(api.kubernetes, ("team-a",), "red").name == "red"
    with pytest.raises(
        BackendError, match=r"model registry green was not found in namespace team-a"
    ) as caught:
        find(api.kubernetes, ("team-a",), "green")
    assert caught.value.code == "not-found"


def test_where_services_may_not_be_listed_the_usual_one_is_found_by_its_name(api):
    api.services = {"kubeflow": {"model-registry-service": HTTP}}
    api.refused = {
        "team-a/list",
        "kubeflow/list",
        "/api/v1/namespaces/team-a/services/model-registry-service",
    }
    assert find(api.kubernetes, ("team-a", "kubeflow")).namespace == "kubeflow"


def test_what_the_user_may_not_see_is_told_apart_from_what_is_not_there(api):
    with pytest.raises(
        BackendError, match=r"no model registry was found in namespace team-a or kubeflow"
    ) as caught:
        find(api.kubernetes, ("team-a", "kubeflow"))
    assert caught.value.code == "not-found"
    api.refused = {"kubeflow/list", "/api/v1/namespaces/kubeflow/services/model-registry-service"}
    with pytest.raises(
        BackendError, match=r"may not see the services of namespace kubeflow \(403\)"
    ) as caught:
        find(api.kubernetes, ("team-a", "kubeflow"))
    assert caught.value.code == "forbidden"


@pytest.mark.parametrize(
    ("setting", "access", "around", "url", "hint"),
    [
        ("https://hub.example.com/", {}, {}, "https://hub.example.com", "model_registry of the settings"),
        ("localhost:8080", {}, {}, "http://localhost:8080", "model_registry of the settings"),
        ("", {"host": "https://kf.example.com/pipeline"}, {}, "https://kf.example.com", "beside the host"),
        (
            "",
            {"host": "ml-pipeline.kubeflow:8888"},
            {},
            "http://model-registry-service.kubeflow:8080",
            "beside",
        ),
        ("ours", {"host": "ml-pipeline.kfp:8888"}, {}, "http://ours.kfp:8080", "beside the host"),
    ],
)
def test_where_the_registry_is(tmp_path, setting, access, around, url, hint):
    registry = registry_at(Access(**access), KubeflowEnvironment(**around), setting, tmp_path)
    assert registry._server.url == url
    assert hint in registry._server.hint()
    registry.close()


def test_without_settings_the_message_says_what_to_set(tmp_path):
    with pytest.raises(BackendError, match=r"no model registry .*%kf_config model_registry=ADDRESS"):
        registry_at(Access(), KubeflowEnvironment(), "", tmp_path)


def test_a_connection_is_kept_until_the_settings_change(settings):
    settings.set("model_registry", "http://127.0.0.1:1")
    first = connection.connect()
    assert connection.connect() is first
    settings.set("model_registry", "http://127.0.0.1:2")
    assert connection.connect()._server.url == "http://127.0.0.1:2"


@pytest.mark.parametrize("version", ["v1", "v1alpha3"])
def test_doctor_finds_the_versions_that_kfnb_finds(version):
    """Through the proxy of the API server, whose path ends with the registry's."""
    rig = RegistryRig(Recorded(recorded("new")["test_versions_are_numbered_from_1"]), version)
    proxy = "/api/v1/namespaces/kubeflow/services/model-registry-service:8080/proxy"
    rig.prefix = proxy
    found = check(asking(rig.url.partition("://")[2]), "kubeflow")
    rig.close()
    assert (found.outcome, found.told) == (CheckOutcome.GOOD, f"it speaks {version}")


def test_connecting_imports_nothing_heavy(tmp_path):
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from kfnb.resources.models.kubeflow.connection import Access, registry_at\n"
        "from kfnb.remote.environment import KubeflowEnvironment\n"
        f"registry_at(Access(), KubeflowEnvironment(), 'http://127.0.0.1:1', Path({str(tmp_path)!r}))\n"
        "print(sorted({'kfp', 'kubernetes', 'grpc', 'urllib3', 'yaml', 'obstore', 'fsspec'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
