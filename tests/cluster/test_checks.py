"""``kfnb doctor``: each check can come out good and bad, and the exit code says whether one is bad."""

import base64
import http.server
import json
import ssl
import threading
import time
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from asked_kubernetes import asking
from replay_kubernetes import Fault, written_kubeconfig

from kfnb import settings
from kfnb.cli import main
from kfnb.remote import environment
from kfnb.remote.kubernetes import kubeconfig
from kfnb.resources.cluster import api
from kfnb.resources.cluster.checks import clients, images_and_volumes, machine, model_registry, network
from kfnb.resources.cluster.model import (
    CheckOutcome,
    Knowledge,
    KubeflowPart,
    Machine,
    Status,
    StatusItem,
    Version,
    VolumeClaim,
    WaitingPod,
)

DEFAULT = "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
PROXIES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "http_proxy",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


def test_a_name_that_dns_does_not_know_is_bad():
    assert network.name(urlsplit("https://127.0.0.1:6443")).outcome is CheckOutcome.GOOD
    unknown = network.name(urlsplit("https://kubernetes.invalid:6443"))
    assert unknown.outcome is CheckOutcome.BAD
    assert "kubernetes.invalid cannot be resolved" in unknown.message


def test_a_proxy_on_the_way_is_told_without_its_password(monkeypatch):
    assert network.proxy("https://kube.example.com").outcome is CheckOutcome.GOOD
    monkeypatch.setenv("https_proxy", "http://me:secret-9b1c@proxy.example.com:3128")
    found = network.proxy("https://kube.example.com")
    assert (found.outcome, "proxy.example.com" in found.message) == (CheckOutcome.DOUBTFUL, True)
    assert "secret" not in found.message + found.fix
    monkeypatch.setenv("no_proxy", "kube.example.com")
    assert network.proxy("https://kube.example.com").outcome is CheckOutcome.GOOD


def test_a_proxy_is_used_as_kubectl_uses_it(replay, tmp_path, monkeypatch):
    file = written_kubeconfig(tmp_path, "http://kube.example.com", "viewer")
    monkeypatch.setattr(DEFAULT, str(file))
    assert not kubeconfig.configuration("viewer").proxy
    monkeypatch.setenv("http_proxy", replay.url)
    assert kubeconfig.configuration("viewer").proxy == replay.url
    monkeypatch.setenv("no_proxy", "example.com")
    assert not kubeconfig.configuration("viewer").proxy


@pytest.fixture
def secured(tmp_path):
    """A TLS server with a certificate of its own."""
    import subprocess

    openssl = pytest.importorskip("shutil").which("openssl")
    if openssl is None:
        pytest.skip("makes a certificate by openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "ca.pem"
    words = f"req -x509 -newkey rsa:2048 -nodes -days 3 -keyout {key} -out {certificate} -subj /CN=127.0.0.1"
    subprocess.run(
        [openssl, *words.split(), "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True
    )
    import socketserver

    class Quiet(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, *args):
            """A client that does not trust it hangs up."""

    server = Quiet(("127.0.0.1", 0), socketserver.BaseRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield urlsplit(f"https://127.0.0.1:{server.server_address[1]}"), certificate
    server.shutdown()
    server.server_close()


def test_a_certificate_is_trusted_by_its_authority_alone_and_says_when_it_ends(secured):
    address, authority = secured
    soon = network.certificate(address, str(authority))
    assert (soon.outcome, "expires in 2 days" in soon.message) == (CheckOutcome.DOUBTFUL, True)
    strange = network.certificate(address, None)
    assert strange.outcome is CheckOutcome.BAD
    assert "certificate-authority" in strange.fix
    assert network.certificate(urlsplit("https://127.0.0.1:1"), None).outcome is CheckOutcome.SKIPPED


@pytest.mark.parametrize(
    ("ahead", "outcome"), [(0, CheckOutcome.GOOD), (90, CheckOutcome.DOUBTFUL), (-3600, CheckOutcome.BAD)]
)
def test_a_clock_that_is_wrong_is_told(replay, monkeypatch, ahead, outcome):
    monkeypatch.setattr(network, "time", SimpleNamespace(time=lambda: time.time() + ahead))
    assert network.clock(asking(replay.url, "viewer")).outcome is outcome


def seen(kubernetes="", pipelines=""):
    version = StatusItem(Knowledge.KNOWN, Version(kubernetes)) if kubernetes else StatusItem()
    part = KubeflowPart("Pipelines", Knowledge.KNOWN, pipelines)
    return Status("kubeflow", Machine(1), version=version, kubeflow=StatusItem(Knowledge.KNOWN, (part,)))


def test_clients_are_compared_with_their_servers():
    assert clients.kubernetes(seen()).outcome is CheckOutcome.GOOD
    assert clients.kubernetes(seen("v1.99.0")).outcome is CheckOutcome.DOUBTFUL
    assert clients.pipelines(seen(pipelines="99.0.0")).outcome is CheckOutcome.GOOD
    assert clients.pipelines(seen(pipelines="2.0.1")).outcome is CheckOutcome.DOUBTFUL
    assert "is not known" in clients.pipelines(seen()).message


def web_token(**payload):
    body = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    return f"header.{body}.signature"


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (web_token(exp=time.time() + 7200), CheckOutcome.GOOD),
        (web_token(exp=time.time() - 60), CheckOutcome.BAD),
        (web_token(aud="x"), CheckOutcome.GOOD),
        ("opaque-9b1c", CheckOutcome.GOOD),
        ("a.b.c", CheckOutcome.GOOD),
    ],
    ids=["in time", "expired", "without an end", "opaque", "no web token"],
)
def test_a_token_that_has_expired_is_told_and_none_is_shown(tmp_path, text, outcome):
    file = tmp_path / "token"
    file.write_text(text)
    check = clients.token(file)
    assert check.outcome is outcome
    assert text not in check.message
    assert clients.token(None).outcome is CheckOutcome.SKIPPED
    assert clients.token(tmp_path / "none").outcome is CheckOutcome.BAD


def test_a_file_that_holds_no_token_is_told(tmp_path):
    file = tmp_path / "token"
    file.write_bytes(b"\xff\xfe\x00")
    assert clients.token(file).outcome is CheckOutcome.BAD
    file.write_text(web_token(exp=10**400))
    assert clients.token(file).outcome is CheckOutcome.GOOD


class Registry(http.server.BaseHTTPRequestHandler):
    """An API server that passes on what a model registry answers, which speaks some versions."""

    spoken: tuple[str, ...] = ()

    def do_GET(self):
        version = self.path.partition("/api/model_registry/")[2].partition("/")[0]
        known = "model-registry-service:8080/proxy" in self.path and version in self.spoken
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(b'{"items": [], "size": 0}' if known else b"404 page not found")

    def log_message(self, *args):
        pass


@pytest.fixture
def speaking():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Speaking", (Registry,), {}))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def speak(*versions):
        server.RequestHandlerClass.spoken = versions
        return asking(f"http://127.0.0.1:{server.server_address[1]}")

    yield speak
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("versions", [("v1alpha3",), ("v1",), ("v1", "v1alpha3")])
def test_a_model_registry_says_which_versions_it_speaks(speaking, versions):
    found = model_registry.registry(speaking(*versions), "kubeflow")
    assert (found.outcome, found.message) == (CheckOutcome.GOOD, f"it speaks {' and '.join(versions)}")


def test_a_client_of_another_version_than_the_model_registrys_is_bad(speaking, tmp_path, monkeypatch):
    """The version that it asks for is read in its code: no table of releases says it."""
    package = tmp_path / "mr_openapi/api/model_registry_service_api.py"
    package.parent.mkdir(parents=True)
    package.write_text("resource_path='/api/model_registry/v1/artifacts',")
    about = tmp_path / "model_registry-0.3.9.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: model-registry\nVersion: 0.3.9\n")
    (about / "RECORD").write_text("mr_openapi/api/model_registry_service_api.py,,\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = model_registry.registry(speaking("v1alpha3"), "kubeflow")
    assert found.outcome is CheckOutcome.BAD
    assert found.message == "it speaks v1alpha3; model-registry 0.3.9 asks for v1"
    assert model_registry.registry(speaking("v1"), "kubeflow").outcome is CheckOutcome.GOOD


def test_a_model_registry_that_is_not_there_or_hidden_is_no_fault(replay, speaking):
    """The sentences are those of an API server."""
    assert model_registry.registry(speaking(), "kubeflow").outcome is CheckOutcome.DOUBTFUL
    replay.faults.append(
        Fault(status=404, message='services "model-registry-service" not found', match="proxy")
    )
    absent = model_registry.registry(asking(replay.url, "admin"), "kubeflow")
    assert (absent.outcome, absent.message) == (CheckOutcome.SKIPPED, "not found in namespace kubeflow")
    sentence = (
        'User "viewer" cannot get resource "services/proxy" in API group "" in the namespace "kubeflow"'
    )
    replay.faults.append(Fault(status=403, message=sentence, match="proxy"))
    hidden = model_registry.registry(asking(replay.url, "viewer"), "kubeflow")
    assert hidden.outcome is CheckOutcome.SKIPPED
    assert "may not get services/proxy" in hidden.message


def with_known(**parts):
    """A status in which only these parts are known."""
    known = {name: StatusItem(Knowledge.KNOWN, value) for name, value in parts.items()}
    return replace(Status("kubeflow", Machine(2), server="there", within="team-a"), **known)


def test_an_image_that_does_not_come_is_bad_and_one_that_is_fetched_is_not():
    fetched = WaitingPod("a", "ContainerCreating")
    assert images_and_volumes.pulls(with_known(waiting=(fetched,))).outcome is CheckOutcome.GOOD
    stuck = [WaitingPod(name, "ImagePullBackOff", "manifest unknown") for name in "bc"]
    found = images_and_volumes.pulls(with_known(waiting=(fetched, *stuck)))
    assert (found.outcome, found.fix) == (CheckOutcome.BAD, "kubectl -n team-a describe pod b")
    assert "image of b and 1 more cannot be pulled (ImagePullBackOff): manifest unknown" in found.message
    assert images_and_volumes.pulls(with_known()).outcome is CheckOutcome.SKIPPED


class Classes:
    """A server with some classes of storage."""

    def __init__(self, **annotations):
        self._items = [
            {"metadata": {"name": name, "annotations": {"storageclass.kubernetes.io/is-default-class": told}}}
            for name, told in annotations.items()
        ]

    def list(self, path):
        return iter(self._items)


def test_a_volume_that_names_no_class_of_storage_needs_a_default(replay):
    good = images_and_volumes.storage(asking(replay.url, "admin"), with_known())
    assert (good.outcome, "class standard" in good.message) == (CheckOutcome.GOOD, True)
    none = images_and_volumes.storage(Classes(slow="false", fast="false"), with_known())
    assert none.outcome is CheckOutcome.DOUBTFUL
    assert "annotate storageclass fast " in none.fix
    assert (
        images_and_volumes.storage(asking(replay.url, "viewer"), with_known()).outcome is CheckOutcome.SKIPPED
    )


@pytest.mark.parametrize(("phase", "outcome"), [("Pending", CheckOutcome.BAD), ("Bound", CheckOutcome.GOOD)])
def test_a_volume_that_waits_for_a_class_that_is_not_there_is_bad(phase, outcome):
    volumes = (
        VolumeClaim("data", phase=phase, kind="gone"),
        VolumeClaim("more", phase="Pending", kind="fast"),
    )
    assert images_and_volumes.storage(Classes(fast="true"), with_known(volumes=volumes)).outcome is outcome


def test_room_here_is_checked(tmp_path):
    roomy = Machine(2, memory=8_000_000_000, memory_free=4_000_000_000, home=str(tmp_path), disk_free=10**11)
    assert [one.outcome for one in machine.here(roomy)] == [CheckOutcome.GOOD, CheckOutcome.GOOD]
    tight = Machine(2, memory=8_000_000_000, memory_free=10**8, home=str(tmp_path), disk_free=5 * 10**8)
    assert [one.outcome for one in machine.here(tight)] == [CheckOutcome.DOUBTFUL, CheckOutcome.DOUBTFUL]
    full = Machine(2, memory=0, memory_free=0, home=str(tmp_path), disk_free=10**6)
    assert [one.outcome for one in machine.here(full)] == [CheckOutcome.BAD, CheckOutcome.SKIPPED]


@pytest.fixture
def around(tmp_path, monkeypatch):
    """No cluster around, and a home of its own."""
    real = environment.read
    monkeypatch.setattr(environment, "read", lambda: real(tmp_path, {}))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KFNB_BACKEND", "local")
    settings.reset(start=tmp_path)
    yield
    settings.reset()


def test_without_a_cluster_the_doctor_is_content(around, capsys):
    assert main(["doctor"]) == 0
    assert "cluster: no cluster is configured" in capsys.readouterr().out


def test_what_is_broken_in_the_cluster_makes_the_exit_code(around, replay, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(DEFAULT, str(written_kubeconfig(tmp_path, replay.url, "viewer")))
    monkeypatch.setenv("KFNB_CONTEXT", "viewer")
    settings.reset(start=tmp_path)
    assert main(["doctor", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    names = {one["name"]: one["outcome"] for one in told}
    assert names["cluster"] == names["clock"] == names["DNS"] == "good"
    assert names["found broken"] == names["image pulls"] == "bad"
    assert any("quota kf-resource-quota of the namespace is used up" in one["message"] for one in told)
    assert main(["doctor"]) == 1
    assert "✗ found broken" in capsys.readouterr().out


def test_what_may_not_be_seen_is_no_fault(around, replay, tmp_path, monkeypatch):
    monkeypatch.setattr(DEFAULT, str(written_kubeconfig(tmp_path, replay.url, "nobody")))
    monkeypatch.setenv("KFNB_CONTEXT", "nobody")
    settings.reset(start=tmp_path)
    assert [one for one in api.examine() if one.outcome is CheckOutcome.BAD] == []
