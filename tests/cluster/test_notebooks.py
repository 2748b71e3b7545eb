"""Notebooks of both kinds as a real API server showed them: what they are like, and why some do not run."""

from dataclasses import replace

import pytest
from asked_kubernetes import HASTE
from hypothesis import given
from hypothesis import strategies as st
from replay_kubernetes import NAMESPACE, Fault

from kfnb.errors import Absent, Conflict, Hidden, UsageError
from kfnb.resources.cluster.model import Knowledge
from kfnb.resources.notebooks.creation import NotebookCreation
from kfnb.resources.notebooks.engine import NotebookEngine
from kfnb.resources.notebooks.model import Mount, NotebookState
from kfnb.resources.notebooks.notebook_v1 import NOTEBOOK
from kfnb.resources.notebooks.spec import HOME, NotebookRequest
from kfnb.resources.notebooks.view import draw_notebooks
from kfnb.resources.notebooks.workspace_v2 import WORKSPACE


@pytest.fixture
def spawner_of(as_user):
    return lambda user, prefix="": NotebookEngine(as_user(user), NAMESPACE, prefix)


@pytest.fixture
def seen(spawner_of):
    return {one.name: one for one in spawner_of("viewer", "/notebook/team-a/churn-eda").list()}


def test_each_notebook_says_how_it_is(seen):
    assert {name: str(one.state) for name, one in seen.items()} == {
        "bad-image": "failing",
        "churn-eda": "running",
        "gpu-train": "running",
        "llm-tune": "starting",
        "old-report": "stopped",
        "too-big": "failing",
        "jupyterlab-workspace": "running",
        "paused-workspace": "stopped",
    }


def test_what_does_not_run_says_why(seen):
    assert "v0.3.1-typo cannot be pulled: not found; check the image's name" in seen["bad-image"].why
    assert seen["llm-tune"].why.startswith(
        "cannot be scheduled: 0/3 nodes are available: 1 Insufficient nvidia.com/gpu"
    )
    # only an event of its StatefulSet knows this
    assert seen["too-big"].why.startswith("quota kf-resource-quota of the namespace is used up: requested: ")
    assert {one.name for one in seen.values() if not one.why} == {
        "churn-eda",
        "gpu-train",
        "old-report",
        "jupyterlab-workspace",
        "paused-workspace",
    }


def test_a_notebook_says_what_it_has(seen):
    one = seen["gpu-train"]
    assert (one.cpu, one.memory, one.gpus) == ("2", "8Gi", ((1, "nvidia.com/gpu"),))
    one = seen["churn-eda"]
    assert (one.mounts, one.home) == ((Mount("churn-eda-workspace", HOME),), "churn-eda-workspace")
    assert one.last_activity == 1795456739.0
    assert one.creator == "alice@example.com"
    assert seen["old-report"].since == 1795199339.0


def test_a_workspace_has_what_its_kind_says_where_that_may_be_seen(spawner_of, seen):
    hidden = seen["jupyterlab-workspace"]
    assert (hidden.image, hidden.cpu) == ("jupyter-scipy:v1.10.0", "")
    assert hidden.mounts == (
        Mount("workspace-home-pvc", HOME),
        Mount("workspace-data-pvc", "/data/my-data"),
    )
    known = next(one for one in spawner_of("admin").list() if one.name == "jupyterlab-workspace")
    assert known.image.endswith("/jupyter-scipy:v1.10.0")
    assert (known.cpu, known.memory) == ("100m", "128Mi")


def test_hidden_kinds_of_workspaces_are_said_and_not_taken_for_nothing(spawner_of):
    found = spawner_of("viewer").list()
    assert found.sizeless == "viewer may not list workspacekinds (kubeflow.org) (403)"
    assert "are not known: viewer may not list workspacekinds" in draw_notebooks(found)["text/plain"]
    assert spawner_of("admin").list().sizeless == ""


def test_the_notebook_that_one_is_in_is_known(spawner_of, seen):
    assert [one.name for one in seen.values() if one.here] == ["churn-eda"]
    prefix = "/workspace/connect/team-a/jupyterlab-workspace/jupyterlab/"
    found = spawner_of("viewer", prefix).list()
    assert [one.name for one in found if one.here] == ["jupyterlab-workspace"]
    assert not any(one.here for one in spawner_of("viewer", "/notebook/team-b/churn-eda").list())


def test_hidden_is_not_absent(spawner_of):
    found = spawner_of("nobody").list()
    assert len(found) == 0
    assert [part.knowledge for _, part in found.unseen] == [Knowledge.HIDDEN] * 2
    text = draw_notebooks(found)["text/plain"]
    assert "Workspaces are hidden from you: nobody may not list workspaces" in text
    assert "No notebooks" not in text


def test_one_kind_that_cannot_be_had_spoils_not_the_other(replay, spawner_of):
    replay.faults.append(Fault(times=HASTE.tries, status=503, match="/workspaces"))
    found = spawner_of("viewer").list()
    assert found.notebooks.known
    assert "Workspaces are not known: Kubernetes at" in draw_notebooks(found)["text/plain"]


def test_hidden_events_leave_a_notebook_starting_without_why(replay, spawner_of):
    replay.faults.append(Fault(times=100, status=403, match="/events"))
    found = {one.name: one for one in spawner_of("viewer").list()}
    assert (found["too-big"].state, found["too-big"].why) == (NotebookState.STARTING, "")


def test_a_notebook_is_created_stopped_started_and_deleted(replay, spawner_of):
    editor = spawner_of("editor")
    made = NotebookCreation(editor, NotebookRequest("demo", "jupyter:1", size="10Gi"), "v1")
    assert made.kind is NOTEBOOK
    editor.kubernetes.create(NOTEBOOK.path(NAMESPACE), made.body)
    stopped = editor.stop(NOTEBOOK, "demo")
    assert stopped.state is NotebookState.STOPPING
    assert editor.start(NOTEBOOK, "demo").state is NotebookState.RUNNING  # before its pod had ended
    editor.delete(NOTEBOOK, "demo")
    with pytest.raises(Absent):
        editor.find("demo", "v1")
    bodies = [one.body for one in replay.asked if one.method == "PATCH"]
    assert list(bodies[0]["metadata"]["annotations"]) == ["kubeflow-resource-stopped"]
    assert bodies[1] == {"metadata": {"annotations": {"kubeflow-resource-stopped": None}}}


@pytest.mark.parametrize("name", ["demo?dryRun=All", "../pods/demo", "Demo", "", "a/b"])
def test_what_is_no_name_is_not_asked_for(replay, spawner_of, name):
    with pytest.raises(Absent, match="unknown notebook"):
        spawner_of("editor").find(name)
    assert replay.asked == []


def test_a_workspace_is_paused_and_goes_on(spawner_of):
    editor = spawner_of("editor")
    asked = NotebookRequest("demo-ws", workspace_kind="jupyterlab", image_config="i", pod_config="p")
    editor.kubernetes.create(WORKSPACE.path(NAMESPACE), NotebookCreation(editor, asked, "v2").body)
    assert editor.stop(WORKSPACE, "demo-ws").state in (NotebookState.STOPPED, NotebookState.STOPPING)
    assert editor.start(WORKSPACE, "demo-ws").state is NotebookState.RUNNING
    with pytest.raises(Hidden, match="viewer may not patch workspaces"):
        spawner_of("viewer").stop(WORKSPACE, "demo-ws")


def test_a_change_that_another_was_in_the_way_of_is_made_again(replay, spawner_of):
    editor = spawner_of("editor")
    editor.kubernetes.create(
        NOTEBOOK.path(NAMESPACE), NotebookCreation(editor, NotebookRequest("demo", "a:1"), "v1").body
    )
    replay.faults.append(Fault(times=2, status=409, match="notebooks/demo", message="has been modified"))
    assert editor.stop(NOTEBOOK, "demo").state is NotebookState.STOPPING
    replay.faults.append(Fault(times=3, status=409, match="notebooks/demo", message="has been modified"))
    with pytest.raises(Conflict, match="has been modified"):
        editor.stop(NOTEBOOK, "demo")


def test_a_workspace_gets_what_its_kind_has_as_usual(spawner_of):
    made = NotebookCreation(spawner_of("admin"), NotebookRequest("w"), "v2")
    assert made.body["spec"]["kind"] == "jupyterlab"
    assert made.body["spec"]["podTemplate"]["options"] == {
        "imageConfig": "jupyter-scipy:v1.10.0",
        "podConfig": "tiny_cpu",
    }


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"image_config": "jupyter-scipy:v1.10"}, "did you mean jupyter-scipy:v1.10.0?"),
        ({"pod_config": "huge"}, "--pod-config huge: jupyterlab does not have it; there is tiny_cpu"),
        ({"workspace_kind": "rstudio"}, "--workspace-kind rstudio: this cluster does not have it"),
    ],
)
def test_what_a_workspaces_kind_does_not_offer_is_said(spawner_of, words, told):
    with pytest.raises(UsageError) as caught:
        NotebookCreation(spawner_of("admin"), replace(NotebookRequest("w"), **words), "v2")
    assert told in str(caught.value)


def test_a_workspaces_kind_must_be_named_where_the_kinds_are_hidden(spawner_of):
    with pytest.raises(UsageError, match="--workspace-kind NAME"):
        NotebookCreation(spawner_of("editor"), NotebookRequest("w"), "v2")


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"spec": {}},
        {"spec": {"template": {"spec": {"containers": []}}}},
        {"spec": {"template": {"spec": {"containers": None}}}, "status": None},
    ],
)
def test_a_notebook_that_was_accepted_though_it_is_wrong_says_so(item):
    found = NOTEBOOK.read({"metadata": {"name": "n"}, **item})
    assert found.state is NotebookState.FAILING
    assert "no container" in found.why


@pytest.mark.parametrize(
    ("paused", "state", "is_"),
    [
        (False, "Running", "running"),
        (True, "Running", "stopping"),
        (True, "Terminating", "stopping"),
        (True, "Paused", "stopped"),
        (True, "", "stopped"),
        (False, "Paused", "starting"),
        (False, "", "starting"),
        (False, "Error", "failing"),
        (False, "of tomorrow", "starting"),
    ],
)
def test_a_workspaces_state_is_what_it_is_and_what_is_wanted(paused, state, is_):
    item = {"metadata": {"name": "w"}, "spec": {"paused": paused}, "status": {"state": state}}
    assert str(WORKSPACE.read(item).state) == is_


@pytest.mark.parametrize("kind", [NOTEBOOK, WORKSPACE])
def test_one_that_is_being_deleted_says_so(kind):
    item = {"metadata": {"name": "n", "deletionTimestamp": "2026-11-25T00:00:00Z"}}
    assert kind.read(item).state is NotebookState.DELETING


def test_one_that_ends_though_a_pod_is_there_is_stopping():
    notes = {"kubeflow-resource-stopped": "2026-11-25T00:00:00Z"}
    item = {"metadata": {"name": "n", "annotations": notes}, "status": {"readyReplicas": 1}}
    assert NOTEBOOK.read(item).state is NotebookState.STOPPING


NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
MOUNTS = st.lists(
    st.builds(Mount, NAMES, NAMES.map("/data/{}".format)), max_size=3, unique_by=lambda one: one.path
)


@given(
    name=NAMES,
    cpu=st.sampled_from(["1", "0.5", "500m", "16"]),
    memory=st.sampled_from(["1Gi", "512Mi", "4G"]),
    gpu=st.integers(0, 8),
    mounts=MOUNTS,
    size=st.sampled_from(["", "10Gi"]),
)
def test_a_notebook_is_read_as_it_was_written(name, cpu, memory, gpu, mounts, size):
    asked = NotebookRequest(name, "a:1", cpu, memory, gpu, mounts=tuple(mounts), size=size)
    body = NOTEBOOK.body(asked, NAMESPACE, "me")
    found = NOTEBOOK.read(body)
    assert (found.name, found.image, found.cpu, found.memory, found.creator) == (
        name,
        "a:1",
        cpu,
        memory,
        "me",
    )
    assert found.gpus == (((gpu, "nvidia.com/gpu"),) if gpu else ())
    assert found.mounts == asked.all_mounts
    assert found.home == (f"{name}-workspace" if size else "")
    volumes = [one["name"] for one in body["spec"]["template"]["spec"]["volumes"]]
    assert len(volumes) == len(set(volumes)), "a claim that is mounted twice is one volume"


def test_kubeflows_own_page_finds_all_that_it_reads():
    """What ``notebook_dict_from_k8s_obj`` of the Jupyter web app takes for granted."""
    body = NOTEBOOK.body(NotebookRequest("n", "a:1"), NAMESPACE, "me")
    container = body["spec"]["template"]["spec"]["containers"][0]
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}
    assert [mount["name"] for mount in container["volumeMounts"]] == ["dshm"]
    assert body["metadata"]["annotations"]["notebooks.kubeflow.org/server-type"] == "jupyter"
    assert body["metadata"]["labels"]["app"] == container["name"] == "n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"name": "Mine"}, "begins with a letter"),
        ({"name": "1st"}, "begins with a letter"),
        ({"name": "a" * 53}, "52 characters"),
        ({"image": "my image"}, "--image my image"),
        ({"cpu": "two"}, "--cpu two: write it as Kubernetes does, 2 or 500m"),
        ({"memory": "4"}, "--memory 4: that is too little"),
        ({"memory": "4GB"}, "--memory 4GB: write it as Kubernetes does"),
        ({"size": "10"}, "--size 10: that is too little"),
        ({"gpu": -1}, "--gpu -1"),
        ({"accelerator": "nvidia"}, "nvidia.com/gpu"),
        ({"service_account": "A B"}, "--service-account A B"),
        ({"mounts": (Mount("c", "data"),)}, "write NAME:/PATH"),
        ({"mounts": (Mount("c", "/"),)}, "cannot be mounted at"),
        ({"mounts": (Mount("c", "/a/../b"),)}, "cannot be mounted at"),
        ({"mounts": (Mount("c", HOME),), "size": "1Gi"}, "two volumes are mounted at /home/jovyan"),
    ],
)
def test_what_would_never_start_is_refused_before_a_server_is_asked(words, told):
    with pytest.raises(UsageError) as caught:
        NotebookRequest(**{"name": "n", "image": "a:1", **words})
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "image",
    [
        "jupyter-scipy",
        "a/b:v1",
        "reg.example:5000/a/b:v1",
        "a/b@sha256:" + "0" * 64,
        "a/b:v1@sha256:" + "0" * 64,
    ],
)
def test_images_are_named_in_many_ways(image):
    assert NotebookRequest("n", image).image == image
