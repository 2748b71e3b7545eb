"""Who asks Kubernetes, and by which way, as a kubeconfig says it, also where a token has expired."""

import json
import os
import sys
from pathlib import Path

import pytest
from http_server import Asked, Server, answer, serving

from kfnb.errors import BackendError, BackendUnavailable, Unauthenticated
from kfnb.remote.kubernetes import kubeconfig
from kfnb.remote.retry import RetryPolicy

DEFAULT = "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
HASTE = RetryPolicy(tries=2, pause=0.01)
PLUGIN = """\
import json, pathlib
folder = pathlib.Path(__file__).parent
count = folder / "count"
count.write_text(str(int(count.read_text()) + 1))
token = (folder / "token").read_text()
version = "client.authentication.k8s.io/v1"
print(json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": {"token": token}}))
"""


@pytest.fixture
def written(tmp_path: Path, monkeypatch, server: Server):
    """Writes the kubeconfig of a user, and returns the folder that it is in."""

    def write(user: dict, url: str = server.url, **cluster) -> Path:
        config = {
            "clusters": [{"name": "c", "cluster": {"server": url, **cluster}}],
            "users": [{"name": "me", "user": user}],
            "contexts": [{"name": "me", "context": {"cluster": "c", "user": "me"}}],
            "current-context": "me",
        }
        (tmp_path / "config").write_text(json.dumps(config))
        monkeypatch.setattr(DEFAULT, str(tmp_path / "config"))
        return tmp_path

    return write


@pytest.fixture
def plugin(written, tmp_path: Path):
    """A kubeconfig whose plugin gives the token that the file beside it holds."""
    (tmp_path / "plugin.py").write_text(PLUGIN)
    (tmp_path / "token").write_text("old")
    (tmp_path / "count").write_text("0")
    version = "client.authentication.k8s.io/v1"
    words = {"apiVersion": version, "command": sys.executable, "args": [str(tmp_path / "plugin.py")]}
    return written({"exec": {**words, "interactiveMode": "Never"}})


def tokens(asked: list[Asked]) -> list[str]:
    return [one.headers.get("authorization", "") for one in asked]


def test_a_plugins_token_that_is_refused_is_asked_for_anew_once(server, plugin):
    def refuse(line) -> None:
        (plugin / "token").write_text("new")
        answer(401)(line)

    server.script = [answer(), refuse]
    kubernetes = kubeconfig.kubernetes("me", retry=HASTE)
    assert kubernetes is not None
    kubernetes.get("/a")
    kubernetes.create("/b", {"kind": "Pod"})
    assert tokens(server.asked) == ["Bearer old", "Bearer old", "Bearer new"]
    assert json.loads(server.asked[-1].body) == {"kind": "Pod"}
    assert (plugin / "count").read_text() == "2"


def test_a_plugin_that_gives_the_same_token_is_not_asked_with_it_again(server, plugin):
    server.then = answer(401)
    kubernetes = kubeconfig.kubernetes("me", retry=HASTE)
    assert kubernetes is not None
    with pytest.raises(Unauthenticated, match="refused your credentials"):
        kubernetes.get("/a")
    assert len(server.asked) == 1


def test_a_stream_is_opened_with_a_new_token_too(server, plugin):
    def refuse(line) -> None:
        (plugin / "token").write_text("new")
        answer(401)(line)

    server.script = [refuse]
    server.then = answer(200, b"one\ntwo\n")
    kubernetes = kubeconfig.kubernetes("me", retry=HASTE)
    assert kubernetes is not None
    assert list(kubernetes.lines("/log")) == ["one", "two"]
    assert tokens(server.asked) == ["Bearer old", "Bearer new"]


def test_a_plugin_that_fails_shows_nobody_and_prints_nothing_of_its_own(written, server, tmp_path, capfd):
    (tmp_path / "plugin.py").write_text("import sys; print('canary-7f3a'); sys.exit(1)")
    words = {"apiVersion": "client.authentication.k8s.io/v1", "command": sys.executable}
    written({"exec": {**words, "args": [str(tmp_path / "plugin.py")], "interactiveMode": "Never"}})
    server.then = answer(401)
    kubernetes = kubeconfig.kubernetes("me", retry=HASTE)
    assert kubernetes is not None
    with pytest.raises(Unauthenticated) as caught:
        kubernetes.get("/a")
    assert tokens(server.asked) == [""]
    assert "canary" not in str(caught.value) + str(capfd.readouterr())


def test_the_clusters_own_authority_is_trusted(written, secure, certificate):
    written({"token": "t"}, url=secure.url, **{"certificate-authority": str(certificate.file)})
    kubernetes = kubeconfig.kubernetes("me", retry=HASTE)
    assert kubernetes is not None
    assert kubernetes.get("/a") == {}
    assert tokens(secure.asked) == ["Bearer t"]


def test_another_is_not(written, secure):
    written({"token": "t"}, url=secure.url)
    kubernetes = kubeconfig.kubernetes("me", retry=HASTE)
    assert kubernetes is not None
    with pytest.raises(BackendError, match=r"Kubernetes at https://127.* cannot be trusted: .*certificate"):
        kubernetes.get("/a")
    assert secure.asked == []


def test_a_cluster_that_is_not_to_be_verified_is_not(written, secure):
    written({"token": "t"}, url=secure.url, **{"insecure-skip-tls-verify": True})
    kubernetes = kubeconfig.kubernetes("me", retry=HASTE)
    assert kubernetes is not None
    assert kubernetes.get("/a") == {}


def test_the_environments_proxy_is_gone_through(written, monkeypatch):
    for name in ("no_proxy", "NO_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        written({"token": "t"}, url="http://kube.example.com")
        kubernetes = kubeconfig.kubernetes("me", retry=HASTE)
        assert kubernetes is not None
        kubernetes.get("/a", {"limit": 1})
        assert proxy.asked[0].target == "http://kube.example.com/a?limit=1"


def test_a_write_that_may_have_been_done_is_not_sent_again(written, server):
    written({"token": "t"})
    server.then = answer(500, b'{"message": "etcd is not there"}')
    kubernetes = kubeconfig.kubernetes("me", retry=HASTE)
    assert kubernetes is not None
    with pytest.raises(BackendUnavailable, match="etcd is not there"):
        kubernetes.create("/b", {})
    assert len(server.asked) == 1
    with pytest.raises(BackendUnavailable, match="etcd is not there"):
        kubernetes.get("/b")
    assert len(server.asked) == 3


def test_the_environment_is_left_alone(written, server):
    written({"token": "t"})
    before = dict(os.environ)
    kubernetes = kubeconfig.kubernetes("me", retry=HASTE)
    assert kubernetes is not None
    kubernetes.get("/a")
    assert dict(os.environ) == before
