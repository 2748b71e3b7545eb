"""Which Kubernetes is reached: a kubeconfig's context, this pod's own, or none."""

import pytest
from replay_kubernetes import USERS, written_kubeconfig

from kfnb.errors import BackendError
from kfnb.remote.kubernetes import kubeconfig

DEFAULT = "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"


def test_without_a_context_and_outside_of_a_cluster_there_is_none():
    assert kubeconfig.kubernetes() is None


def test_a_context_is_asked_as_its_user(replay, tmp_path, monkeypatch, user):
    monkeypatch.setattr(DEFAULT, str(written_kubeconfig(tmp_path, replay.url, user)))
    kubernetes = kubeconfig.kubernetes(user)
    assert kubernetes is not None
    assert kubernetes.version()["major"] == "1"
    assert {one.user for one in replay.asked} == {user}
    assert user in USERS
    assert kubeconfig.namespace(user) == "team-a"


def test_a_context_that_does_not_exist_is_said(replay, tmp_path, monkeypatch):
    monkeypatch.setattr(DEFAULT, str(written_kubeconfig(tmp_path, replay.url, "viewer")))
    with pytest.raises(
        BackendError, match="context=moon: not found in your kubeconfig; its contexts: viewer"
    ):
        kubeconfig.kubernetes("moon")
    monkeypatch.setattr(DEFAULT, str(tmp_path / "none"))
    with pytest.raises(BackendError, match="cannot read a kubeconfig"):
        kubeconfig.kubernetes("moon")


def test_a_pod_without_a_service_account_says_so(monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    kubernetes = kubeconfig.kubernetes(within=True)
    assert kubernetes is not None
    with pytest.raises(BackendError, match="no service account"):
        kubernetes.version()


@pytest.mark.parametrize(
    "text",
    [
        "users: [{name: me, user: {token: canary-7f3a}",
        "- canary-7f3a",
        "canary-7f3a: [",
        '{"contexts": [{"name": "me", "context": {"cluster": "gone", "user": "me"}}], "current-context": "me"}',
        (
            '{"clusters": [{"name": "c", "cluster": {"server": "https://x", "certificate-authority": "/gone"}}],'
            ' "users": [{"name": "me", "user": {"token": "canary-7f3a"}}], "current-context": "me",'
            ' "contexts": [{"name": "me", "context": {"cluster": "c", "user": "me"}}]}'
        ),
        (
            '{"clusters": [{"name": "c", "cluster": {"server": "https://x"}}], "current-context": "me",'
            ' "users": [{"name": "me", "user": {"client-certificate-data": "canary-7f3a"}}],'
            ' "contexts": [{"name": "me", "context": {"cluster": "c", "user": "me"}}]}'
        ),
    ],
)
def test_a_kubeconfig_that_is_broken_is_said_without_what_is_in_it(tmp_path, monkeypatch, text):
    file = tmp_path / "config"
    file.write_text(text)
    monkeypatch.setattr(DEFAULT, str(file))
    with pytest.raises(BackendError, match="kubeconfig") as caught:
        kubeconfig.kubernetes("me").version()
    assert "canary" not in str(caught.value)
