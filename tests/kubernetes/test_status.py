"""A real API server's namespace as users with fewer and fewer rights see it, small and large."""

import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
from real_cluster import USERS

from kfnb.errors import Conflict
from kfnb.resources.cluster.model import Knowledge, Machine, Status, StatusItem
from kfnb.resources.cluster.probe import ProbeTarget
from kfnb.resources.cluster.status import gather, gather_again
from kfnb.resources.cluster.view.status import draw_status

PODS, TRIALS = 5000, 2000


class Counting:
    """Passes requests on to a cluster, and counts them."""

    def __init__(self, kubernetes):
        self._kubernetes, self.count = kubernetes, 0

    def __getattr__(self, name):
        found = getattr(self._kubernetes, name)
        if name in ("get", "create"):
            self.count += 1
        return found


@pytest.fixture
def look(as_user, namespace):
    def look(user):
        return gather(
            ProbeTarget(as_user(user), namespace),
            Status("kubeflow", Machine(2), server="there", within=namespace),
        )

    return look


def known(status):
    parts = {
        name: part for name, part in vars(status).items() if isinstance(part, StatusItem) and name != "runs"
    }
    return {name for name, part in parts.items() if part.knowledge is Knowledge.KNOWN}


def pod(name):
    container = {"name": "main", "image": "busybox:1", "resources": {"limits": {"cpu": "100m"}}}
    labels = {"app": "load", "notebook-name": "load"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {"containers": [container]},
    }


def trial(name):
    spec = {"objective": {"type": "minimize", "objectiveMetricName": "loss"}, "runSpec": {}}
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Trial",
        "metadata": {"name": name, "labels": {"katib.kubeflow.org/experiment": "big"}},
        "spec": spec,
    }


def made(kubernetes, path, bodies):
    """Make many things, several at once."""

    def make(body):
        with suppress(Conflict):
            kubernetes.create(path, body)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(make, bodies))


@pytest.mark.parametrize("user", USERS)
def test_each_user_sees_what_their_rights_show(look, user):
    status = look(user)
    everything = {name for name, part in vars(status).items() if isinstance(part, StatusItem)} - {"runs"}
    cluster = {"nodes", "gpus", "namespace"}
    expected = {
        "admin": everything,
        "editor": everything - cluster,
        "viewer": everything - cluster,
        "nobody": {"user", "version", "kubeflow"},
    }
    assert known(status) == expected[user]
    hidden = everything - expected[user]
    assert all(getattr(status, name).knowledge is Knowledge.HIDDEN for name in hidden)
    account = status.user.value.account
    assert account == ("" if user == "admin" else f"{status.within}/{user}")
    assert f"namespace {status.within}" in draw_status(status)["text/plain"]


def wants(name, *, node="", gpus=0, first=0, phase="Pending"):
    """A pod that asks for GPUs, and for some ``first``, in a container that ends before the others begin."""
    made = pod(name)
    limits = {"resources": {"limits": {"nvidia.com/gpu": str(gpus)}}}
    made["spec"]["containers"][0] |= limits
    made["spec"]["initContainers"] = [
        {"name": "first", "image": "a", "resources": {"limits": {"nvidia.com/gpu": str(first)}}}
    ]
    return made | {"spec": made["spec"] | ({"nodeName": node} if node else {}), "status": {"phase": phase}}


@pytest.fixture
def machine(as_user):
    """A node with eight GPUs."""
    admin, name = as_user("admin"), "gpu-box"
    about = {"name": name, "labels": {"nvidia.com/gpu.product": "A100"}}
    admin.create("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": about})
    admin.patch(f"/api/v1/nodes/{name}/status", {"status": {"allocatable": {"nvidia.com/gpu": "8"}}})
    yield name
    admin.delete(f"/api/v1/nodes/{name}")


def test_a_gpu_is_free_that_no_pod_on_its_machine_has_asked_for(look, as_user, namespace, machine):
    admin, pods = as_user("admin"), f"/api/v1/namespaces/{namespace}/pods"
    for made in (
        wants("runs", node=machine, gpus=1, phase="Running"),
        wants("pulls-its-image", node=machine, gpus=2),
        wants("begins-large", node=machine, gpus=1, first=3),
        wants("has-ended", node=machine, gpus=1, phase="Succeeded"),
        wants("waits-for-a-machine", gpus=1),
    ):
        admin.create(pods, made)
        if made["status"]["phase"] != "Pending":
            admin.patch(f"{pods}/{made['metadata']['name']}/status", {"status": made["status"]})
    (found,) = [one for one in look("admin").gpus.value if one.kind == "A100"]
    assert (found.total, found.free) == (8, 8 - 1 - 2 - 3)


def test_kinds_that_the_server_does_not_know_are_absent(look):
    parts = {one.name: one.knowledge for one in look("editor").kubeflow.value}
    assert parts["Katib"] is Knowledge.KNOWN
    assert parts["Spark"] is Knowledge.ABSENT
    assert parts["Model Registry"] is Knowledge.HIDDEN


def test_what_others_change_meanwhile_is_seen_at_the_next_look(as_user, namespace, look):
    editor = as_user("editor")
    notebooks = f"/apis/kubeflow.org/v1/namespaces/{namespace}/notebooks"
    spec = {"containers": [{"name": "n", "image": "jupyter:1"}]}
    notebook = {"apiVersion": "kubeflow.org/v1", "kind": "Notebook", "metadata": {"name": "n"}}
    first = look("viewer")
    editor.create(notebooks, notebook | {"spec": {"template": {"spec": spec}}})
    again = gather_again(ProbeTarget(as_user("viewer"), namespace), first)
    assert [(one.name, one.state) for one in again.notebooks.value] == [("n", "waiting")]
    assert [one.what for one in again.troubles if "has no pod" in one.what] == ["notebook n has no pod"]
    stopped = {"metadata": {"annotations": {"kubeflow-resource-stopped": "2026-11-25T00:00:00Z"}}}
    editor.patch(f"{notebooks}/n", stopped)
    again = gather_again(ProbeTarget(as_user("viewer"), namespace), again)
    assert [(one.name, one.state) for one in again.notebooks.value] == [("n", "stopped")]
    editor.delete(f"{notebooks}/n")


def test_a_pod_default_ends_the_trouble_that_asks_for_it(as_user, namespace, look):
    import yaml

    viewer, editor = "viewer", as_user("editor")
    trouble = next(one for one in look(viewer).troubles if one.kind == "yaml")
    path = f"/apis/kubeflow.org/v1alpha1/namespaces/{namespace}/poddefaults"
    editor.create(path, yaml.safe_load(trouble.fix))
    status = look(viewer)
    assert [one.name for one in status.pod_defaults.value] == ["access-ml-pipeline"]
    assert not any(one.kind == "yaml" for one in status.troubles)
    editor.delete(f"{path}/access-ml-pipeline")


@pytest.mark.slow
def test_a_large_namespace_is_seen_in_a_second(as_user, namespace, look):
    """5,000 pods and 2,000 trials: at most 30 requests, and little memory."""
    editor = as_user("editor")
    pods = f"/api/v1/namespaces/{namespace}/pods"
    trials = f"/apis/kubeflow.org/v1beta1/namespaces/{namespace}/trials"
    made(editor, pods, (pod(f"load-{number}") for number in range(PODS)))
    made(editor, trials, (trial(f"big-{number}") for number in range(TRIALS)))
    counting = Counting(as_user("viewer"))
    start = Status("kubeflow", Machine(2), server="there", within=namespace)
    tracemalloc.start()
    began = time.monotonic()
    status = gather(ProbeTarget(counting, namespace), start)
    draw_status(status)
    seconds, (_, peak) = time.monotonic() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(status.waiting.value), status.waiting.more) == (500, None)  # a field selector counts nothing
    assert counting.count <= 30
    assert peak < 50e6
    assert seconds < 10  # traced, and on busy cores; benchmarks/ measures
    assert len(list(editor.list(trials))) == TRIALS
    assert replace(status, troubles=()).healthy


def test_a_status_while_the_server_is_away_is_no_error(as_user, namespace, look, api_server):
    first = look("viewer")
    api_server.stop()
    try:
        away = look("viewer")
        again = gather_again(ProbeTarget(as_user("viewer"), namespace), first)
    finally:
        api_server.start()
    assert "does not answer" in away.user.reason
    assert [one.what for one in away.troubles] == [away.user.reason]
    assert again.quota is first.quota
    assert again.notebooks.knowledge is Knowledge.UNKNOWN
