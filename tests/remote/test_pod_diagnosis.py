"""What several parts of kfnb tell of one object of the cluster is the same, as they ask one rule."""

import json

import pytest
from http_server import Server, answer

from kfnb.entities import RunState
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.experiments import STOPPED, experiment_state
from kfnb.remote.kubernetes.notebooks import server as server_of
from kfnb.remote.retry import RetryPolicy
from kfnb.resources.cluster import workloads
from kfnb.resources.cluster.probe import ProbeTarget
from kfnb.resources.notebooks.model import NotebookState
from kfnb.resources.notebooks.notebook_v1 import NOTEBOOK
from kfnb.resources.studies.katib import resource_parser


def listed(server: Server, *items: dict) -> ProbeTarget:
    """A namespace whose every list has these items."""
    from kubernetes.client import Configuration

    settings = Configuration()
    settings.host = server.url
    server.then = answer(200, json.dumps({"items": list(items)}).encode())
    return ProbeTarget(Kubernetes(lambda: settings, retry=RetryPolicy(tries=1)), "team-a")


def notebook(container=None, *, conditions=(), ready=0, annotations=None, image="i:1") -> dict:
    containers = [{"name": "nb", "image": image}] if image else []
    return {
        "metadata": {"name": "nb", "annotations": annotations or {}},
        "spec": {"template": {"spec": {"containers": containers}}},
        "status": {"containerState": container or {}, "conditions": list(conditions), "readyReplicas": ready},
    }


def waits(reason: str, message: str = "") -> dict:
    return {"waiting": {"reason": reason, "message": message}}


NO_ROOM = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available. more"}
WORDS = {
    NotebookState.RUNNING: "running",
    NotebookState.STARTING: "waiting",
    NotebookState.FAILING: "failing",
    NotebookState.STOPPED: "stopped",
    NotebookState.STOPPING: "stopped",
}


@pytest.mark.parametrize(
    ("item", "state", "why"),
    [
        (notebook(), NotebookState.STARTING, ""),
        (notebook(ready=1), NotebookState.RUNNING, ""),
        (notebook(waits("PodInitializing")), NotebookState.STARTING, ""),
        (notebook(waits("ContainerCreating")), NotebookState.STARTING, ""),
        (
            notebook(waits("ErrImagePull", "rpc error: not found")),
            NotebookState.FAILING,
            "image i:1 cannot be pulled: not found",
        ),
        (
            notebook(waits("ImagePullBackOff", 'Back-off pulling image "i:1"')),
            NotebookState.FAILING,
            "image i:1 cannot be pulled",
        ),
        (
            notebook(waits("CreateContainerConfigError", 'secret "t" not found')),
            NotebookState.FAILING,
            'cannot start: secret "t" not found',
        ),
        (notebook(waits("InvalidImageName")), NotebookState.FAILING, "image i:1 cannot be pulled"),
        (notebook(waits("CrashLoopBackOff")), NotebookState.FAILING, "container nb keeps failing"),
        (
            notebook(conditions=[NO_ROOM]),
            NotebookState.STARTING,
            "cannot be scheduled: 0/1 nodes are available",
        ),
        (
            notebook({"terminated": {"exitCode": 1, "reason": "Error"}}),
            NotebookState.FAILING,
            "its process ended with exit code 1",
        ),
        (
            notebook({"terminated": {"exitCode": 137, "reason": "OOMKilled"}}),
            NotebookState.FAILING,
            "its container was killed: it used more memory than its limit",
        ),
        (
            notebook({"terminated": {"exitCode": 0, "reason": "Completed"}}),
            NotebookState.FAILING,
            "its server ended with exit code 0",
        ),
        (
            notebook(image=""),
            NotebookState.FAILING,
            "it has no container to start: delete the notebook and create it again",
        ),
        (notebook(annotations={"kubeflow-resource-stopped": "now"}), NotebookState.STOPPED, ""),
        (notebook(annotations={"kubeflow-resource-stopped": "now"}, ready=1), NotebookState.STOPPING, ""),
    ],
)
def test_kf_status_and_kf_notebook_judge_a_notebook_alike(server, item, state, why):
    listing = NOTEBOOK.read(item)
    (status,), _ = workloads.notebooks(listed(server, item))
    assert (listing.state, status.state) == (state, WORDS[state])
    assert status.message == why
    assert listing.why.startswith(why)


@pytest.mark.parametrize(
    "item",
    [
        {"metadata": {"name": "x"}},
        {"metadata": {"name": "x"}, "spec": "?", "status": []},
        {
            "metadata": {"name": "x"},
            "spec": {"template": {"spec": {"containers": ["?", {}]}}},
            "status": None,
        },
        {"metadata": {"name": "x"}, "status": {"containerState": 7, "conditions": "?"}},
    ],
)
def test_a_notebook_that_holds_anything_is_judged_all_the_same(item):
    assert server_of(item).state


def experiment(*held: str, reason: str = "", stopped: bool = False, deleted: bool = False, **parts) -> dict:
    about: dict = {"name": "s", "annotations": {STOPPED: "{}"} if stopped else {}}
    return {
        "metadata": about | ({"deletionTimestamp": "2026-11-30T00:00:00Z"} if deleted else {}),
        "spec": parts.get("spec", {}),
        "status": {
            "conditions": [
                {"type": one, "status": "True", "reason": reason, "message": f"it {one}"} for one in held
            ],
            "trials": parts.get("trials", 0),
        },
    }


MORE = {"maxTrialCount": 9, "resumePolicy": "LongRunning"}
ALL = "ExperimentMaxTrialsReached"


@pytest.mark.parametrize(
    ("item", "state"),
    [
        (experiment(), RunState.PENDING),
        (experiment("Created"), RunState.PENDING),
        (experiment("Created", "Running"), RunState.RUNNING),
        (experiment("Created", "Restarting"), RunState.RUNNING),
        (experiment("Created", "Succeeded"), RunState.SUCCEEDED),
        (experiment("Created", "Failed"), RunState.FAILED),
        (experiment("Created", "Succeeded", stopped=True), RunState.CANCELED),
        (experiment("Created", "Running", stopped=True), RunState.CANCELING),
        (experiment("Created", "Failed", stopped=True), RunState.FAILED),
        (experiment("Created", "Running", deleted=True), RunState.CANCELING),
        (experiment("Created", "Succeeded", reason=ALL, spec=MORE, trials=4), RunState.RUNNING),
        (experiment("Created", "Succeeded", reason=ALL, spec=MORE, trials=9), RunState.SUCCEEDED),
    ],
)
def test_kf_status_and_kf_study_judge_a_study_alike(server, item, state):
    """One that was stopped is Succeeded for Katib, and canceled for who stopped it."""
    (status,), _ = workloads.studies(listed(server, item))
    assert resource_parser.study(item).state is state
    assert status.state == str(state).capitalize()
    assert status.message == ("it Failed" if state is RunState.FAILED else "")


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"metadata": None, "spec": "?", "status": []},
        {"metadata": {"annotations": 7}, "status": {"trials": "?"}},
    ],
)
def test_an_experiment_that_holds_anything_is_judged_all_the_same(item):
    assert experiment_state(item) == (RunState.PENDING, {})
