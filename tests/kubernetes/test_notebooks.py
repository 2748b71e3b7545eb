"""Notebooks on a real API server, as people type it: created, stopped, started, waited for, deleted, refused."""

import threading
import time

import pytest

from kfnb import settings
from kfnb.ipython.kernel import Kernel
from kfnb.resources.notebooks.model import NotebookState
from kfnb.resources.notebooks.notebook_v1 import NOTEBOOK
from kfnb.resources.notebooks.workspace_v2 import WORKSPACE

WORKSPACE_WORDS = "--workspace-kind jupyterlab --image-config scipy --pod-config tiny"


@pytest.fixture
def as_person(shell, cluster, monkeypatch):
    """Who types in the notebook from now on."""

    def becomes(user, prefix=""):
        import json

        file = cluster.config_of(user)
        monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(file))
        context = json.loads(file.read_text())["current-context"]
        for name, value in (("CONTEXT", context), ("NAMESPACE", cluster.namespace)):
            monkeypatch.setenv(f"KFNB_{name}", value)
        monkeypatch.setenv("NB_PREFIX", prefix)
        settings.reset()
        return shell

    return becomes


@pytest.fixture
def editor(as_person, as_user, namespace):
    """The editor types; what is left of notebooks is removed afterwards."""
    yield as_person("editor")
    admin = as_user("admin")
    claims = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    for path in (NOTEBOOK.path(namespace), WORKSPACE.path(namespace), claims):
        for one in admin.list(path):
            admin.delete(f"{path}/{one['metadata']['name']}")
    for one in admin.list(claims):  # nobody here sees that no pod has them
        admin.patch(f"{claims}/{one['metadata']['name']}", {"metadata": {"finalizers": None}})


def test_a_notebook_with_a_home_lives_and_its_volume_outlives_it(editor, as_user, namespace, capsys):
    made = editor.run("%kf_notebook create nb --image jupyter:1 --cpu 2 --gpu 1 --size 10Gi -o made")
    assert made == editor["made"]
    assert (made.state, made.cpu, made.gpus) == (NotebookState.STARTING, "2", ((1, "nvidia.com/gpu"),))
    assert editor.run("%kf_notebook stop nb").state is NotebookState.STOPPED
    assert editor.run("%kf_notebook stop nb").since is not None
    assert "was stopped already" in capsys.readouterr().out
    assert editor.run("%kf_notebook start nb").state is NotebookState.STARTING
    editor.run("%kf_notebook delete nb --yes")
    assert "its volumes are kept: nb-workspace" in capsys.readouterr().out
    assert len(editor.run("%kf_notebook")) == 0
    claims = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/nb-workspace"
    assert as_user("viewer").get(claims)["spec"]["resources"]["requests"]["storage"] == "10Gi"
    editor.run("%kf_notebook create nb --image jupyter:1 --size 10Gi")
    assert "its home is the existing volume" in capsys.readouterr().out
    editor.run("%kf_notebook delete nb --yes --with-volume")
    assert as_user("viewer").get(claims)["metadata"]["deletionTimestamp"]
    told = editor.fails("%kf_notebook create nb --image jupyter:1 --size 10Gi")
    assert told == "volume nb-workspace is still being deleted: try again in a moment"
    assert len(editor.run("%kf_notebook")) == 0


def test_a_workspace_lives(editor):
    editor.run(f"%kf_notebook create ws {WORKSPACE_WORDS} --size 5Gi")
    assert editor.run("%kf_notebook stop ws").state is NotebookState.STOPPED
    assert editor.run("%kf_notebook start ws").state is NotebookState.STARTING
    (one,) = editor.run("%kf_notebook list")
    assert (one.kind, one.home) == ("Workspace", "ws-workspace")
    editor.run("%kf_notebook delete ws --yes")
    assert len(editor.run("%kf_notebook")) == 0


def test_two_of_one_name_are_told_apart(editor):
    editor.run("%kf_notebook create twin --image jupyter:1")
    editor.run(f"%kf_notebook create twin {WORKSPACE_WORDS}")
    assert "pass --kind v1 or --kind v2" in editor.fails("%kf_notebook stop twin")
    assert editor.run("%kf_notebook stop twin --kind v2").kind == "Workspace"
    assert {one.kind: str(one.state) for one in editor.run("%kf_notebook")} == {
        "Notebook": "starting",
        "Workspace": "stopped",
    }


def test_a_dry_run_creates_nothing_and_says_what_the_server_says(editor):
    good = editor.run("%kf_notebook create dry --image jupyter:1 --size 1Gi --dry-run")
    assert (good.accepted, good.message) == (True, "the server accepts it; nothing was created")
    assert good.yaml.count("\n---\n") == 1
    bad = editor.run(f"%kf_notebook create dry {WORKSPACE_WORDS}{'y' * 300} --dry-run")
    assert not bad.accepted
    assert "podConfig" in bad.message
    assert "256" in bad.message
    assert len(editor.run("%kf_notebook")) == 0


def test_what_the_dry_run_shows_is_what_kubernetes_takes(editor, as_user, namespace):
    import yaml

    shown = editor.run("%kf_notebook create shown --image jupyter:1 --gpu 2 --dry-run").yaml
    as_user("editor").create(NOTEBOOK.path(namespace), yaml.safe_load(shown))
    assert [one.name for one in editor.run("%kf_notebook")] == ["shown"]


def test_a_refused_notebook_leaves_no_volume_behind(editor, as_user, namespace):
    told = editor.fails(f"%kf_notebook create ws {WORKSPACE_WORDS}{'y' * 300} --size 1Gi")
    assert "Too long" in told or "may not be more than 256" in told
    claims = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    assert [one for one in as_user("viewer").list(claims) if "deletionTimestamp" not in one["metadata"]] == []


def test_what_no_pod_could_start_with_is_refused(editor):
    assert "has no such volume claim" in editor.fails(
        "%kf_notebook create nb --image a:1 --volume none:/data"
    )
    assert "has no such PodDefault" in editor.fails("%kf_notebook create nb --image a:1 --configuration none")
    editor.run("%kf_notebook create nb --image a:1")
    assert "notebook nb already exists" in editor.fails("%kf_notebook create nb --image a:1")


def test_a_profiles_service_account_is_missed_where_that_can_be_seen(editor, as_person):
    assert "has no service account nobody-such" in as_person("admin").fails(
        "%kf_notebook create nb --image a:1 --service-account nobody-such"
    )


def test_a_configuration_gives_the_labels_that_its_poddefault_looks_for(editor, as_user, namespace):
    pods = f"/apis/kubeflow.org/v1alpha1/namespaces/{namespace}/poddefaults"
    spec = {"selector": {"matchLabels": {"access-ml-pipeline": "true"}}}
    body = {"apiVersion": "kubeflow.org/v1alpha1", "kind": "PodDefault", "metadata": {"name": "access"}}
    as_user("admin").create(pods, {**body, "spec": spec})
    editor.run("%kf_notebook create nb --image a:1 --configuration access")
    editor.run(f"%kf_notebook create ws {WORKSPACE_WORDS} --configuration access")
    nb = as_user("viewer").get(NOTEBOOK.path(namespace, "nb"))
    ws = as_user("viewer").get(WORKSPACE.path(namespace, "ws"))
    assert nb["metadata"]["labels"] == {"app": "nb", "access-ml-pipeline": "true"}
    assert ws["spec"]["podTemplate"]["podMetadata"]["labels"] == {"access-ml-pipeline": "true"}
    as_user("admin").delete(f"{pods}/access")


def test_who_may_only_look_looks(editor, as_person):
    editor.run("%kf_notebook create nb --image a:1")
    viewer = as_person("viewer")
    assert [one.name for one in viewer.run("%kf_notebook")] == ["nb"]
    for words in ("stop nb", "delete nb --yes", "create other --image a:1"):
        assert "viewer may not" in viewer.fails(f"%kf_notebook {words}")
    refused = viewer.run("%kf_notebook create other --image a:1 --dry-run")
    assert (refused.accepted, "may not create notebooks" in refused.message) == (False, True)


def test_who_may_nothing_is_told_so(as_person):
    nobody = as_person("nobody")
    assert len(nobody.run("%kf_notebook").unseen) == 2
    for words in ("stop nb", "start nb", "delete nb --yes"):
        assert "nobody may not get notebooks" in nobody.fails(f"%kf_notebook {words}")
    assert "nobody may not create notebooks" in nobody.fails("%kf_notebook create nb --image a:1")


def test_what_another_writes_meanwhile_is_kept(editor, as_user, namespace):
    """Others write annotations and the culler stops it, while it is started and stopped here."""
    editor.run("%kf_notebook create nb --image a:1")
    path, admin = NOTEBOOK.path(namespace, "nb"), as_user("admin")
    ended = threading.Event()

    def write():
        number = 0
        while not ended.is_set():
            number += 1
            admin.patch(path, {"metadata": {"annotations": {"other": str(number)}}})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            assert editor.run("%kf_notebook stop nb").state is NotebookState.STOPPED
            assert editor.run("%kf_notebook start nb").state is NotebookState.STARTING
    finally:
        ended.set()
        writer.join()
    notes = admin.get(path)["metadata"]["annotations"]
    assert "kubeflow-resource-stopped" not in notes
    assert int(notes["other"]) > 0


def changed(kubernetes, path, seconds, body):
    """What a controller writes after a while."""

    def write():
        time.sleep(seconds)
        kubernetes.patch(path, body)

    threading.Thread(target=write, daemon=True).start()


def test_it_is_waited_for_and_says_why_it_does_not_start(editor, as_user, namespace, capsys):
    editor.run("%kf_notebook create nb --image a:1")
    admin, path = as_user("admin"), NOTEBOOK.path(namespace, "nb")
    editor.run("%kf_notebook stop nb")
    waiting = {"reason": "ImagePullBackOff", "message": "a:1: not found"}
    about = {"conditions": [], "containerState": {"waiting": waiting}, "readyReplicas": 0}
    admin.patch(f"{path}/status", {"status": about})
    changed(admin, f"{path}/status", 1.0, {"status": {"readyReplicas": 1}})
    assert editor.run("%kf_notebook start nb --wait --timeout 60s").state is NotebookState.RUNNING
    assert "notebook nb is failing: a:1: not found" in capsys.readouterr().out


def happened(namespace, name, kind, at, type_, reason, message):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + at))
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": "event-"},
        "involvedObject": {"kind": kind, "name": name, "namespace": namespace, "apiVersion": "v1"},
        "type": type_,
        "reason": reason,
        "message": message,
        "lastTimestamp": stamp,
    }


@pytest.mark.parametrize(
    ("events", "state", "why"),
    [
        ([], "starting", ""),
        ([("nb", "StatefulSet", 1, "Normal", "SuccessfulCreate", "create Pod nb-0")], "starting", ""),
        ([("nb-0", "Pod", 2, "Normal", "Pulling", "Pulling image a:1")], "starting", "Pulling image a:1"),
        ([("nb-0", "Pod", 2, "Warning", "FailedScheduling", "no room")], "starting", "no room"),
        ([("nb-0", "Pod", 2, "Warning", "FailedMount", "no volume")], "failing", "no volume"),
        ([("nb-0", "Pod", -3600, "Warning", "FailedMount", "of one before")], "starting", ""),
        (
            [
                ("nb-0", "Pod", 2, "Warning", "FailedScheduling", "no room"),
                ("nb-0", "Pod", 4, "Normal", "Pulling", "Pulling image a:1"),
            ],
            "starting",
            "Pulling image a:1",
        ),
        (
            [("nb", "StatefulSet", 2, "Warning", "FailedCreate", "create Pod nb-0 failed error: over quota")],
            "failing",
            "over quota",
        ),
        ([("nb", "Notebook", 2, "Warning", "Failed", "Reissued from pod/nb-0: broken")], "failing", "broken"),
    ],
)
def test_the_newest_event_says_why_it_does_not_run_yet(editor, as_user, namespace, events, state, why):
    path, made = f"/api/v1/namespaces/{namespace}/events", as_user("editor")
    editor.run("%kf_notebook create nb --image a:1")
    for event in events:
        made.create(path, happened(namespace, *event))
    try:
        (one,) = editor.run("%kf_notebook")
        assert (str(one.state), one.why) == (state, why)
    finally:
        for event in list(made.list(path)):
            made.delete(f"{path}/{event['metadata']['name']}")


@pytest.mark.parametrize("wrong", ["--wait --timeout soon", "-o 1x"])
def test_words_that_are_wrong_are_refused_before_anything_is_made(editor, wrong):
    assert editor.fails(f"%kf_notebook create nb --image a:1 {wrong}")
    assert len(editor.run("%kf_notebook")) == 0


def test_it_is_waited_for_no_longer_than_was_said(editor):
    editor.run("%kf_notebook create nb --image a:1")
    told = editor.fails("%kf_notebook start nb --wait --timeout 1s")
    assert told == "notebook nb has not started within 1 s: no reason is known"


def test_one_that_another_stops_is_waited_for_no_longer(editor, as_user, namespace):
    editor.run("%kf_notebook create nb --image a:1")
    stop = {"metadata": {"annotations": {"kubeflow-resource-stopped": "2026-11-25T00:00:00Z"}}}
    changed(as_user("admin"), NOTEBOOK.path(namespace, "nb"), 0.5, stop)
    assert "notebook nb is stopped: another user changed it" in editor.fails("%kf_notebook start nb --wait")


def test_one_that_is_being_deleted_cannot_be_started(editor, as_user, namespace):
    editor.run("%kf_notebook create nb --image a:1")
    path, admin = NOTEBOOK.path(namespace, "nb"), as_user("admin")
    admin.patch(path, {"metadata": {"finalizers": ["kfnb.test/wait"]}})
    editor.run("%kf_notebook delete nb --yes")
    try:
        (one,) = editor.run("%kf_notebook")
        assert one.state is NotebookState.DELETING
        assert "is being deleted" in editor.fails("%kf_notebook start nb")
        assert "is still being deleted" in editor.fails("%kf_notebook create nb --image a:1")
    finally:
        admin.patch(path, {"metadata": {"finalizers": None}})


def test_waiting_can_be_interrupted_and_the_notebook_goes_on(editor, monkeypatch, capsys):
    def interrupt(_seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr("kfnb.resources.notebooks.engine.time.sleep", interrupt)
    found = editor.run("%kf_notebook create nb --image a:1 --wait")
    assert (found.name, found.state) == ("nb", NotebookState.STARTING)
    assert "notebook nb is still starting" in capsys.readouterr().out


def test_the_very_notebook_that_one_is_in_ends_only_when_that_is_said(editor, as_person, namespace):
    editor.run("%kf_notebook create nb --image a:1")
    inside = as_person("editor", f"/notebook/{namespace}/nb")
    assert [one.here for one in inside.run("%kf_notebook")] == [True]
    for verb in ("stop", "delete"):
        told = inside.fails(f"%kf_notebook {verb} nb")
        assert "the notebook that you are in" in told
        assert f"%kf_notebook {verb} nb --yes" in told
    assert inside.run("%kf_notebook stop nb --yes").state is NotebookState.STOPPED
    inside.run("%kf_notebook delete nb --yes")


def test_delete_asks_whoever_is_there(editor, monkeypatch, capsys):
    editor.run("%kf_notebook create nb --image a:1 --size 1Gi")
    assert "pass --yes" in editor.fails("%kf_notebook delete nb")
    asked = []
    monkeypatch.setattr(Kernel, "attended", property(lambda _: True))
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or "n")
    editor.run("%kf_notebook delete nb")
    assert asked == ["Delete notebook nb for good? Its volumes are kept: nb-workspace. [y/N] "]
    assert "nothing was deleted" in capsys.readouterr().out
    monkeypatch.setattr("builtins.input", lambda _: "y")
    editor.run("%kf_notebook delete nb --with-volume")
    assert len(editor.run("%kf_notebook")) == 0


def test_a_volume_that_another_notebook_has_is_not_deleted(editor):
    editor.run("%kf_notebook create one --image a:1 --size 1Gi")
    editor.run("%kf_notebook create two --image a:1 --volume one-workspace:/data")
    assert "volume one-workspace is also in two" in editor.fails(
        "%kf_notebook delete one --yes --with-volume"
    )
    assert {one.name for one in editor.run("%kf_notebook")} == {"one", "two"}
    assert "has no volume for its home" in editor.fails("%kf_notebook delete two --yes --with-volume")


@pytest.mark.parametrize("item", [{}, {"spec": {"template": {"spec": {"containers": []}}}}])
def test_what_the_server_accepts_though_it_is_wrong_is_listed_as_failing(editor, as_user, namespace, item):
    body = {"apiVersion": "kubeflow.org/v1", "kind": "Notebook", "metadata": {"name": "hollow"}}
    as_user("editor").create(NOTEBOOK.path(namespace), body | item)
    (one,) = editor.run("%kf_notebook")
    assert one.state is NotebookState.FAILING
    assert "delete it" in one.why


def test_the_command_does_the_same(editor, capsys):
    import json

    from kfnb.cli import main

    assert main(["notebook", "create", "nb", "--image", "a:1"]) == 0
    out = capsys.readouterr()
    assert "starting · nb · notebook in namespace" in out.out
    assert "no volume keeps what it writes" in out.err
    assert main(["notebook", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in listed["notebooks"]["value"]] == ["nb"]
    assert main(["notebook", "create", "ws", *WORKSPACE_WORDS.split(), "--dry-run"]) == 0
    assert main(["notebook", "create", "ws", *f"{WORKSPACE_WORDS}{'y' * 300}".split(), "--dry-run"]) == 1
    assert main(["notebook", "start", "none"]) == 1
    assert main(["notebook", "fly"]) == 2
    assert main(["notebook", "delete", "nb", "--yes"]) == 0
    assert "deleted notebook nb" in capsys.readouterr().err
