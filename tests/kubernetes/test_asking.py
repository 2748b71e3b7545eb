"""A real API server is asked: objects are made, changed and deleted; lists and watches go on through trouble."""

import threading
import time

import pytest

from kfnb.errors import Absent, Conflict, Hidden, Invalid
from kfnb.remote.kubernetes.discovery import kinds
from kfnb.remote.kubernetes.watch import ANEW
from kfnb.resources.cluster.checks.model_registry import registry


@pytest.fixture
def notebooks(namespace):
    return f"/apis/kubeflow.org/v1/namespaces/{namespace}/notebooks"


@pytest.fixture
def settings(namespace):
    return f"/api/v1/namespaces/{namespace}/configmaps"


def notebook(name, image="jupyter:1"):
    spec = {"containers": [{"name": name, "image": image}]}
    return {
        "apiVersion": "kubeflow.org/v1",
        "kind": "Notebook",
        "metadata": {"name": name},
        "spec": {"template": {"spec": spec}},
    }


def setting(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_a_notebook_is_created_stopped_and_deleted(as_user, notebooks):
    editor, viewer, path = as_user("editor"), as_user("viewer"), f"{notebooks}/life"
    assert editor.create(notebooks, notebook("life"), dry_run=True)["kind"] == "Notebook"
    with pytest.raises(Absent):
        editor.get(path)
    editor.create(notebooks, notebook("life"))
    with pytest.raises(Conflict) as caught:
        editor.create(notebooks, notebook("life"))
    assert caught.value.exists
    stopped = {"metadata": {"annotations": {"kubeflow-resource-stopped": "2026-11-25T00:00:00Z"}}}
    with pytest.raises(Hidden, match="may not patch notebooks"):
        viewer.patch(path, stopped)
    editor.patch(path, stopped)
    assert viewer.get(path)["metadata"]["annotations"] == stopped["metadata"]["annotations"]
    editor.patch(path, {"metadata": {"annotations": {"kubeflow-resource-stopped": None}}})
    assert not viewer.get(path)["metadata"].get("annotations")
    editor.delete(path)
    with pytest.raises(Absent) as gone:
        viewer.get(path)
    assert gone.value.kind == "object"


def test_what_is_wrong_is_refused_in_the_servers_own_sentence(as_user, notebooks):
    editor = as_user("editor")
    wrong = notebook("wrong")
    wrong["spec"]["colour"] = "red"
    with pytest.raises(Invalid, match=r"unknown field .spec\.colour"):
        editor.create(notebooks, wrong)
    with pytest.raises(Invalid, match=r"\.spec\.colour: field not declared in schema"):
        editor.apply(f"{notebooks}/wrong", wrong)
    with pytest.raises(Invalid, match=r"metadata\.name"):
        editor.create(notebooks, notebook("Not A Name"))
    with pytest.raises(Absent) as caught:
        editor.get(notebooks.replace("/v1/", "/v9/"))
    assert caught.value.kind == "resource"


def test_what_was_changed_meanwhile_is_a_conflict(as_user, notebooks):
    editor, path = as_user("editor"), f"{notebooks}/shared"
    editor.create(notebooks, notebook("shared"))
    read = dict(editor.get(path))
    editor.patch(path, {"metadata": {"labels": {"by": "another"}}})
    with pytest.raises(Conflict) as caught:
        editor.replace(path, read)
    assert not caught.value.exists
    editor.delete(path)


def test_a_field_that_another_applied_is_theirs_until_it_is_taken(as_user, settings):
    editor, admin, path = as_user("editor"), as_user("admin"), f"{settings}/owned"
    editor.apply(path, setting("owned", a="1"))
    theirs = {"fieldManager": "another", "force": "true"}
    admin._json("PATCH", path, theirs, setting("owned", a="2"), kind="application/apply-patch+yaml")
    with pytest.raises(Conflict, match=r"conflict with .another"):
        editor.apply(path, setting("owned", a="3"))
    assert editor.apply(path, setting("owned", a="3"), force=True)["data"] == {"a": "3"}
    editor.delete(path)


def test_a_status_in_a_plain_change_is_dropped_in_silence(as_user, notebooks):
    editor = as_user("editor")
    editor.create(notebooks, notebook("stateful"))
    state = {"status": {"conditions": [], "containerState": {}, "readyReplicas": 3}}
    assert "status" not in editor.patch(f"{notebooks}/stateful", state)
    assert editor.patch(f"{notebooks}/stateful/status", state)["status"]["readyReplicas"] == 3
    editor.delete(f"{notebooks}/stateful")


def test_containers_are_owned_as_a_whole(as_user, notebooks):
    """Applied by two, they are not merged by their names as a pod's are: the one who forces it replaces the other's."""
    editor, path = as_user("editor"), f"{notebooks}/whole"
    one, other = (notebook("whole") for _ in range(2))
    other["spec"]["template"]["spec"]["containers"] = [{"name": "other", "image": "other:1"}]
    editor.apply(path, one)
    theirs = {"fieldManager": "another"}
    with pytest.raises(Conflict, match=r"\.spec\.template\.spec\.containers"):
        editor._json("PATCH", path, theirs, other, kind="application/apply-patch+yaml")
    editor._json("PATCH", path, theirs | {"force": "true"}, other, kind="application/apply-patch+yaml")
    with pytest.raises(Conflict, match=r"\.spec\.template\.spec\.containers"):
        editor.apply(path, one)
    taken = editor.apply(path, one, force=True)
    assert [found["name"] for found in taken["spec"]["template"]["spec"]["containers"]] == ["whole"]
    editor.delete(path)


ACCEPTED = {
    "notebooks of kubeflow.org/v1, without containers": {"template": {"spec": {"containers": []}}},
    "notebooks of kubeflow.org/v1, without a spec": None,
    "trainjobs of trainer.kubeflow.org/v1alpha1, of no such runtime": {"runtimeRef": {"name": "none-such"}},
    "inferenceservices of serving.kserve.io/v1beta1, with more than all traffic": {
        "predictor": {"canaryTrafficPercent": 250, "model": {"modelFormat": {"name": "sklearn"}}}
    },
}


@pytest.mark.parametrize("what", ACCEPTED)
def test_what_the_server_accepts_though_it_is_wrong_is_for_us_to_refuse(as_user, namespace, what):
    """A dry run by the server finds nothing: what kfnb writes is checked before, and what others wrote is read so."""
    resource, _, rest = what.partition(" of ")
    api = rest.partition(",")[0]
    kinds = {"notebooks": "Notebook", "trainjobs": "TrainJob", "inferenceservices": "InferenceService"}
    body = {"apiVersion": api, "kind": kinds[resource], "metadata": {"name": "wrong"}}
    if ACCEPTED[what] is not None:
        body["spec"] = ACCEPTED[what]
    path = f"/apis/{api}/namespaces/{namespace}/{resource}"
    assert as_user("editor").create(path, body, dry_run=True)["metadata"]["name"] == "wrong"


def test_an_unknown_field_in_a_change_is_refused(as_user, notebooks):
    editor = as_user("editor")
    editor.create(notebooks, notebook("colourful"))
    with pytest.raises(Invalid, match="unknown field"):
        editor.patch(f"{notebooks}/colourful", {"spec": {"colour": "blue"}})
    editor.delete(f"{notebooks}/colourful")


def test_one_request_tells_all_kinds(as_user):
    found = kinds(as_user("viewer"), "kubeflow.org")
    assert {"kubeflow.org/v1/notebooks", "kubeflow.org/v1beta1/trials", "trainer.kubeflow.org"} <= found


def test_a_model_registry_that_is_not_there_is_told_apart_from_one_that_is_hidden(as_user):
    assert registry(as_user("admin"), "kubeflow").message == "not found in namespace kubeflow"
    assert "may not get services/proxy" in registry(as_user("viewer"), "kubeflow").message


def test_long_lists_are_read_page_by_page(as_user, settings):
    editor = as_user("editor")
    for number in range(25):
        editor.create(settings, setting(f"page-{number:02d}"))
    found = [one["metadata"]["name"] for one in editor.list(settings, {"limit": 10})]
    assert [name for name in found if name.startswith("page-")] == [f"page-{n:02d}" for n in range(25)]
    items, version = editor.snapshot(settings, {"limit": 7})
    assert len(items) == len(found)
    assert int(version) > 0
    for number in range(25):
        editor.delete(f"{settings}/page-{number:02d}")


class Seen(threading.Thread):
    """Folds a watch in a thread of its own: the names there are, and the words that came."""

    def __init__(self, watch):
        super().__init__(daemon=True)
        self.watch, self.names, self.words, self.error = watch, set(), [], None
        self.start()

    def run(self):
        try:
            for word, told in self.watch:
                self.words.append(word)
                if word == ANEW:
                    self.names = {one["metadata"]["name"] for one in told["items"]}
                else:
                    change = self.names.discard if word == "DELETED" else self.names.add
                    change(told["metadata"]["name"])
        except Exception as error:
            self.error = error

    def until(self, condition, seconds=60.0):
        end = time.monotonic() + seconds
        while not condition(self) and time.monotonic() < end:
            assert self.error is None, self.error
            time.sleep(0.05)
        assert condition(self), (sorted(self.names), self.words)

    def end(self):
        self.watch.close()
        self.join(10)
        assert not self.is_alive()
        assert self.error is None


def test_a_watch_sees_what_others_do(as_user, settings):
    editor = as_user("editor")
    seen = Seen(as_user("viewer").watch(settings))
    seen.until(lambda s: s.words == [ANEW])
    editor.create(settings, setting("w-1"))
    seen.until(lambda s: "w-1" in s.names)
    editor.patch(f"{settings}/w-1", {"data": {"a": "1"}})
    editor.delete(f"{settings}/w-1")
    seen.until(lambda s: "w-1" not in s.names)
    assert seen.words == [ANEW, "ADDED", "MODIFIED", "DELETED"]
    seen.end()


def test_a_watch_goes_on_after_its_connection_was_cut(as_user, settings):
    import socket

    editor, watch = as_user("editor"), as_user("viewer").watch(settings)
    seen = Seen(watch)
    editor.create(settings, setting("cut-1"))
    seen.until(lambda s: "cut-1" in s.names)
    watch._answer.connection.sock.shutdown(socket.SHUT_RDWR)
    editor.create(settings, setting("cut-2"))
    seen.until(lambda s: "cut-2" in s.names)
    assert seen.words.count(ANEW) == 1
    for name in ("cut-1", "cut-2"):
        editor.delete(f"{settings}/{name}")
    seen.end()


def test_a_watch_outlives_the_api_server(as_user, settings, api_server):
    """What was deleted while it was away is not there afterwards; what it knew of before it forgets (410)."""
    editor = as_user("editor")
    _, old = editor.snapshot(settings)
    editor.create(settings, setting("before"))
    seen = Seen(as_user("viewer").watch(settings))
    seen.until(lambda s: "before" in s.names)
    api_server.stop()
    api_server.start()
    editor.delete(f"{settings}/before")
    editor.create(settings, setting("after"))
    seen.until(lambda s: "after" in s.names and "before" not in s.names)
    late = Seen(as_user("viewer").watch(settings, version=old))
    late.until(lambda s: "after" in s.names)
    assert late.words[0] == ANEW
    editor.delete(f"{settings}/after")
    seen.end()
    late.end()


def test_a_pod_asks_as_its_service_account(cluster, monkeypatch, tmp_path):
    """As Kubernetes puts it into a pod: an address in the environment, a token and a certificate in files."""
    from urllib.parse import urlsplit

    from kubernetes.config import incluster_config

    from kfnb.remote.kubernetes import kubeconfig

    user = cluster.asked_by("viewer").configuration
    address = urlsplit(user.host)
    token = tmp_path / "token"
    token.write_text(user.api_key["authorization"].removeprefix("Bearer "))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", address.hostname)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(address.port))
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", user.ssl_ca_cert)
    loader = incluster_config.InClusterConfigLoader
    kept = {"token_filename": str(token), "cert_filename": user.ssl_ca_cert}
    monkeypatch.setattr(
        incluster_config, "InClusterConfigLoader", lambda **words: loader(**{**words, **kept})
    )
    kubernetes = kubeconfig.kubernetes(within=True)
    review = kubernetes.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    assert review["status"]["userInfo"]["username"] == f"system:serviceaccount:{cluster.namespace}:viewer"
