"""A cluster as each of four users sees it: what is hidden is said to be hidden, and nothing is an error."""

import time

import pytest
from asked_kubernetes import HASTE, asking
from hypothesis import given, settings
from hypothesis import strategies as st
from replay_kubernetes import NAMESPACE, Fault

from kfnb.errors import BackendError, KfnbError
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.resources.cluster.kubeflow_parts import PARTS
from kfnb.resources.cluster.model import Knowledge, Machine, Status, StatusItem
from kfnb.resources.cluster.probe import ProbeTarget
from kfnb.resources.cluster.status import gather, gather_again
from kfnb.resources.cluster.view.status import draw_status

START = Status("kubeflow", Machine(2), server="https://there", within=NAMESPACE)


@pytest.fixture
def seen_by(replay):
    """A status as a user sees it."""
    return lambda user: gather(ProbeTarget(asking(replay.url, user), NAMESPACE), START)


def states(status: Status) -> dict[str, Knowledge]:
    """What is known of each part but the runs and monitors, which others ask for."""
    parts = {name: part for name, part in vars(status).items() if isinstance(part, StatusItem)}
    return {name: part.knowledge for name, part in parts.items() if name not in ("runs", "monitors")}


def test_who_may_see_all_sees_all(seen_by):
    status = seen_by("admin")
    assert set(states(status).values()) == {Knowledge.KNOWN}
    assert status.user.value.name == "admin"
    assert status.namespace.value.owner == "alice@example.com"
    assert (status.version.value.version, status.version.value.release) == ("v1.36.2", "26.03")
    assert status.version.value.supported is None
    assert [(one.kind, one.free, one.total) for one in status.gpus.value] == [("NVIDIA-A100-SXM4-40GB", 1, 2)]


@pytest.mark.parametrize("user", ["editor", "viewer"])
def test_who_may_see_a_namespace_sees_it_and_that_the_rest_is_hidden(seen_by, user):
    status = seen_by(user)
    hidden = {name for name, state in states(status).items() if state is not Knowledge.KNOWN}
    assert hidden == {"nodes", "gpus"}
    assert status.nodes.knowledge is Knowledge.HIDDEN
    assert status.nodes.reason == f"{user} may not list nodes (403)"
    pipelines = next(one for one in status.kubeflow.value if one.name == "Pipelines")
    assert (pipelines.knowledge, pipelines.health) == (Knowledge.KNOWN, Knowledge.HIDDEN)
    assert "is not known" in status.version.value.verdict


def test_who_may_see_nothing_is_told_so_and_that_is_no_error(seen_by):
    status = seen_by("nobody")
    assert {name for name, state in states(status).items() if state is Knowledge.KNOWN} == {
        "user",
        "version",
        "kubeflow",
    }
    assert set(states(status).values()) == {Knowledge.KNOWN, Knowledge.HIDDEN}
    assert status.troubles == ()


def test_a_part_without_a_kind_of_its_own_is_hidden_and_not_absent(seen_by):
    parts = {one.name: one for one in seen_by("viewer").kubeflow.value}
    assert parts["Model Registry"].knowledge is Knowledge.HIDDEN
    assert parts["Katib"].knowledge is Knowledge.KNOWN


def test_the_parts_of_kubeflow_have_versions_and_health(seen_by):
    parts = {one.name: one for one in seen_by("admin").kubeflow.value}
    assert (parts["Pipelines"].version, parts["Katib"].version, parts["Istio"].version) == (
        "2.16.0",
        "0.19.0",
        "1.28.0",
    )
    assert parts["Pipelines"].failing == ("kubeflow/metadata-writer",)
    assert parts["Pipelines"].ready == parts["Pipelines"].desired - 1
    assert parts["Knative"].version == "1.21.1"  # its images are named by digests


def test_the_quota_says_what_is_left(seen_by):
    quota = {one.resource: one for one in seen_by("viewer").quota.value}
    gpu = quota["requests.nvidia.com/gpu"]
    assert (gpu.used, gpu.hard, round(gpu.share, 2)) == ("2", "3", 0.67)
    assert quota["cpu"].share == pytest.approx(8.675 / 24)


def test_notebooks_of_both_kinds_say_how_they_are(seen_by):
    status = seen_by("viewer")
    notebooks = {one.name: one.state for one in status.notebooks.value}
    assert notebooks == {
        "bad-image": "failing",
        "churn-eda": "running",
        "gpu-train": "running",
        "llm-tune": "waiting",
        "old-report": "stopped",
        "too-big": "waiting",
    }
    assert {one.name: one.state for one in status.workspaces.value} == {
        "jupyterlab-workspace": "running",
        "paused-workspace": "stopped",
    }


def test_studies_services_and_training_say_how_they_are(seen_by):
    status = seen_by("viewer")
    found = (*status.studies.value, *status.services.value, *status.training.value)
    assert {one.name: one.state for one in found} == {
        "churn-tune": "Running",
        "mnist-random": "Succeeded",
        "churn": "Ready",
        "flower-broken": "Not ready",
        "fine-tune": "Running",
        "fine-tune-oom": "Failed",
    }


def test_what_is_broken_comes_with_what_fixes_it(seen_by):
    troubles = {one.what: one for one in seen_by("admin").troubles}
    by_word = {word: one for what, one in troubles.items() for word in what.split()}
    assert "not found" in by_word["bad-image-0"].why
    assert by_word["bad-image-0"].fix == "kubectl -n team-a edit notebook bad-image  # correct its image"
    assert "Insufficient nvidia.com/gpu" in by_word["llm-tune-0"].why
    assert "quota kf-resource-quota of the namespace is used up" in by_word["too-big"].why
    assert "No model found in" in by_word["flower-broken"].why
    assert by_word["kf-cpu-2"].fix == "kubectl describe node kf-cpu-2"
    assert by_word["metadata-writer"].fix == "kubectl -n kubeflow describe deployment metadata-writer"
    assert not any("flower-broken-predictor" in what for what in troubles), "its service says it already"


def test_the_yaml_that_lets_notebooks_call_pipelines_is_one(seen_by):
    import yaml

    trouble = next(one for one in seen_by("viewer").troubles if one.kind == "yaml")
    made = yaml.safe_load(trouble.fix)
    assert (made["kind"], made["metadata"]) == (
        "PodDefault",
        {"name": "access-ml-pipeline", "namespace": NAMESPACE},
    )


def test_a_status_costs_few_requests_and_little_time(replay, user):
    asking(replay.url, user).version()  # the client's own imports are not what is measured
    replay.asked.clear()
    began = time.monotonic()
    gather(ProbeTarget(asking(replay.url, user), NAMESPACE), START)
    assert len(replay.asked) <= 30
    assert time.monotonic() - began < 3  # 0.6 s on two cores


class Full:
    """A cluster as large as it gets, for who may see all of it from a notebook within."""

    host = "https://there"

    def __init__(self):
        self.asked = []

    def get(self, path, query=None, **_):
        self.asked.append(path)
        about = {"name": "some", "namespace": "n", "labels": {}}
        if path == "/apis":
            kubeflow = {
                "scheduledworkflows",
                "experiments",
                "notebooks",
                "workspaces",
                "profiles",
                "poddefaults",
            }
            versions = [
                {"version": version, "resources": [{"resource": name} for name in kubeflow]}
                for version in ("v1", "v1alpha1", "v1beta1", "v2beta1")
            ]
            names = {part.api.partition("/")[0] for part in PARTS}
            return {"items": [{"metadata": {"name": name}, "versions": versions} for name in names]}
        if path == "/api/v1/nodes":
            return {"items": [{"metadata": about, "status": {"allocatable": {"nvidia.com/gpu": "4"}}}]}
        if path == "/api/v1/pods":
            return {"items": [], "metadata": {"continue": "more"}}
        if path.endswith(("/poddefaults", "/notebooks")):
            return {"items": [{"metadata": about | {"name": f"some-{number}"}} for number in range(9)]}
        return {"metadata": about, "items": []}

    def create(self, path, body):
        self.asked.append(path)
        return {"status": {"userInfo": {"username": "me"}}}

    def version(self):
        self.asked.append("/version")
        return {"gitVersion": "v1.36.0"}


def test_however_much_there_is_a_status_costs_no_more_than_thirty_requests():
    """Two are left for the newest runs."""
    cluster = Full()
    status = gather(ProbeTarget(cluster, NAMESPACE, pod="mine-0"), START)
    assert {one.name for one in status.kubeflow.value if one.health is Knowledge.UNKNOWN} == set()
    assert len(cluster.asked) <= 28
    assert cluster.asked.count("/api/v1/pods") > 1


def test_looking_again_asks_for_what_moves_alone(replay):
    place = ProbeTarget(asking(replay.url, "viewer"), NAMESPACE)
    first = gather(place, START)
    replay.asked.clear()
    again = gather_again(place, first)
    assert len(replay.asked) <= 8
    assert again.quota is first.quota
    assert [one.what for one in again.troubles] == [one.what for one in first.troubles]
    assert again.as_of > first.as_of


def test_a_token_that_has_expired_is_the_one_trouble_there_is(replay):
    status = gather(ProbeTarget(asking(replay.url, "old-token-canary"), NAMESPACE), START)
    assert set(states(status).values()) == {Knowledge.UNKNOWN}
    assert [one.what for one in status.troubles] == [status.user.reason]
    assert "has expired" in status.user.reason
    assert len(replay.asked) == 1
    assert "canary" not in str(draw_status(status))


def test_a_cluster_that_does_not_answer_is_said_once():
    status = gather(ProbeTarget(asking("http://127.0.0.1:1"), NAMESPACE), START)
    assert set(states(status).values()) == {Knowledge.UNKNOWN}
    assert len(status.troubles) == 1
    assert "does not answer" in draw_status(status)["text/plain"]


def test_a_way_to_the_cluster_that_cannot_be_used_is_a_trouble():
    """As where the kubeconfig names a program that signs in, and it is not installed."""

    def unusable():
        raise BackendError("context=there: your kubeconfig cannot be used")

    status = gather(ProbeTarget(Kubernetes(unusable), NAMESPACE), START)
    assert not status.healthy
    assert [one.what for one in status.troubles] == ["context=there: your kubeconfig cannot be used"]


@pytest.mark.parametrize("token", ["viewer", "expired-by-now"])
def test_a_cluster_that_answers_no_more_is_said_and_stays_as_it_was_seen_last(replay, token):
    """The server goes away while it is watched, or the token expires."""
    first = gather(ProbeTarget(asking(replay.url, "viewer"), NAMESPACE), START)
    if token == "viewer":
        replay.faults.append(Fault(times=10_000, status=503))
    again = gather_again(ProbeTarget(asking(replay.url, token), NAMESPACE), first)
    assert [one.what for one in again.troubles] == [again.user.reason]
    assert again.quota is first.quota
    assert again.as_of == first.as_of
    assert "Nothing can be seen" in draw_status(again)["text/plain"]
    assert "Nothing found broken" not in draw_status(again)["text/plain"]


def test_who_interrupts_does_not_wait_for_a_server_that_is_silent(replay):
    import os
    import signal
    import threading

    asking(replay.url, "viewer").version()  # the client's own imports are done
    replay.faults.append(Fault(times=10_000, delay=10.0, match="team-a"))
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        gather(ProbeTarget(asking(replay.url, "viewer"), NAMESPACE), START)
    assert time.monotonic() - began < 9


def test_one_part_that_cannot_be_had_spoils_no_other(replay, seen_by):
    replay.faults.append(Fault(times=HASTE.tries, status=503, match="resourcequotas"))
    status = seen_by("viewer")
    assert status.quota.knowledge is Knowledge.UNKNOWN
    assert status.notebooks.known


def test_a_part_without_deployments_is_not_called_hidden_to_who_may_see_them(seen_by):
    from dataclasses import replace

    from kfnb.resources.cluster.model import KubeflowPart

    bare = KubeflowPart("Katib", Knowledge.KNOWN, health=Knowledge.ABSENT)
    status = replace(seen_by("admin"), kubeflow=StatusItem(Knowledge.KNOWN, (bare,)))
    text = draw_status(status)["text/plain"]
    assert "hidden" not in text
    assert "its resources exist, but no deployment does" in text


def test_every_user_sees_a_display(seen_by, user):
    drawn = draw_status(seen_by(user))
    assert "namespace team-a" in drawn["text/plain"]
    assert drawn["text/html"].count("<table") == drawn["text/html"].count("</table>")
    if user == "nobody":
        assert "Most is hidden from you" in drawn["text/plain"]
        assert "nobody may not list notebooks" in drawn["text/plain"]
        assert "No notebooks" not in drawn["text/plain"]


def test_what_a_cluster_says_is_escaped(seen_by):
    from dataclasses import replace

    from kfnb.resources.cluster.model import NotebookServer, Problem

    evil = "<script>alert(1)</script>"
    status = replace(
        seen_by("viewer"),
        notebooks=StatusItem(Knowledge.KNOWN, (NotebookServer(evil, "running", image=evil),)),
        troubles=(Problem(evil, evil, evil), Problem(evil, evil, evil, "yaml")),
    )
    assert "<script" not in draw_status(status)["text/html"]


def test_no_error_of_ours_leaves_a_status(replay, user):
    replay.faults.append(Fault(times=10_000, status=500))
    try:
        gather(ProbeTarget(asking(replay.url, user), NAMESPACE), START)
    except KfnbError as error:
        pytest.fail(str(error))


WORDS = [
    "allocatable",
    "capacity",
    "conditions",
    "containerState",
    "containers",
    "hard",
    "imageConfig",
    "message",
    "options",
    "phase",
    "podTemplate",
    "reason",
    "replicas",
    "resources",
    "state",
    "stateMessage",
    "status",
    "storage",
    "template",
    "type",
    "used",
    "waiting",
]
VALUES = st.sampled_from(
    ["Ready", "True", "False", "Running", "Failed", "PodScheduled", "nvidia.com/gpu", 3, None]
)
NONSENSE = st.recursive(
    VALUES | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=20,
)
ITEMS = st.fixed_dictionaries(
    {"metadata": st.fixed_dictionaries({"name": st.text(max_size=8), "namespace": st.just("n")})},
    optional={"status": NONSENSE, "spec": NONSENSE},
)


class Saying:
    """A cluster whose custom resources hold anything; its own are checked by any API server."""

    host = "https://there"

    def __init__(self, answers):
        self._answers = answers

    def get(self, path, query=None, **_):
        custom = (
            path.startswith(("/apis/kubeflow.org/", "/apis/serving", "/apis/trainer"))
            and "/namespaces/" in path
        )
        return self._answers[len(path) % len(self._answers)] if custom else {"items": []}

    def create(self, path, body):
        return {"status": {"userInfo": {"username": "me"}}}

    def version(self):
        return {"gitVersion": "v1.36.0"}


@settings(max_examples=150)
@given(st.lists(st.fixed_dictionaries({"items": st.lists(ITEMS, max_size=3)}), min_size=1, max_size=3))
def test_whatever_a_cluster_holds_the_rest_is_seen(answers):
    """CRDs need not validate anything: Katib's do not."""
    status = gather(ProbeTarget(Saying(answers), NAMESPACE), START)
    assert status.user.value.name == "me"
    assert draw_status(status)["text/plain"]
