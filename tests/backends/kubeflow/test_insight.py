import pickle
import time
from dataclasses import replace

import pytest
from cluster import ACCESS, SECRET, Metadata, running
from replay import BAD, CACHED, GOOD, looks, serving

from kfnb.backends.events import encode
from kfnb.backends.kubeflow import mlmd
from kfnb.backends.kubeflow.backend import KubeflowBackend
from kfnb.backends.kubeflow.fold import fold, spec_of
from kfnb.backends.kubeflow.insight import Cluster
from kfnb.backends.kubeflow.objects import Store, read_secrets
from kfnb.backends.kubeflow.plan import plan_of
from kfnb.backends.kubeflow.pods import Pods
from kfnb.backends.kubeflow.server import Server
from kfnb.backends.kubeflow.told import NOTHING
from kfnb.backends.run import Run as Handle
from kfnb.errors import BackendError
from kfnb.model import Run, RunState, Task


@pytest.fixture
def metadata():
    with running(Metadata()) as server:
        yield server


@pytest.fixture
def cluster(metadata, kubernetes, objects):
    store = Store("kubeflow", read_secrets(kubernetes.api()), lambda address: objects.address)
    return Cluster(mlmd.Metadata(metadata.address), store, Pods(kubernetes.api(), "kubeflow"))


def run_of(run_id, cluster=None):
    """A recorded run as it was at its end, with all that ``cluster`` knows of it."""
    answer = looks(run_id)[-1]
    spec = spec_of(answer) or spec_of(next(look for look in looks(run_id) if spec_of(look)))
    run = fold(answer, plan_of(spec))
    if cluster is None:
        return run, spec
    told = cluster.told(run, spec)
    return fold(answer, plan_of(spec), lambda task: told.get(task, NOTHING)), spec


def test_a_run_has_what_its_tasks_made(cluster):
    run, _ = run_of(GOOD, cluster)
    tasks = {task.id: task for task in run.tasks}
    assert tasks["train"].inputs["lr"] == 0.1
    assert tasks["train"].outputs["Output"] == 0.8
    assert tasks["train"].metrics == {"rows": 300, "accuracy": 0.8}
    assert tasks["train"].artifacts["model"].preview == "model n=300 lr=0.1"
    assert [tasks[f"for-loop-5/{turn}/score"].outputs["Output"] for turn in range(3)] == [0.8, 1.6, 0.8 * 3]


def test_a_cached_run_has_what_was_made_before(cluster):
    run, _ = run_of(CACHED, cluster)
    train = next(task for task in run.tasks if task.id == "train")
    assert train.cached
    assert train.metrics == {"rows": 300, "accuracy": 0.8}


def test_a_failed_task_has_its_last_words(cluster, kubernetes):
    kubernetes.load("failure")
    run, _ = run_of(BAD, cluster)
    boom = next(task for task in run.tasks if task.id == "exit-handler-1/boom")
    assert boom.error.message == "ValueError: bad input x=7"
    assert "boom failed: ValueError: bad input x=7" in run.error


def test_a_failed_tasks_last_words_are_kept_when_its_pod_is_gone(cluster):
    run, _ = run_of(BAD, cluster)
    assert "boom failed: ValueError: bad input x=7" in run.error


def test_what_is_out_of_reach_is_left_out(objects, kubernetes):
    kubernetes.load("failure")
    cluster = Cluster(mlmd.Metadata("127.0.0.1:1"), None, Pods(kubernetes.api(), "kubeflow"))
    run, _ = run_of(BAD, cluster)
    assert "bad input x=7" in run.error
    assert "does not answer at 127.0.0.1:1" in cluster.trouble
    run, _ = run_of(GOOD, Cluster(None, None, None))
    assert run.state is RunState.SUCCEEDED


def test_metadata_that_do_not_answer_are_left_alone_for_a_while(metadata, cluster):
    import grpc

    metadata.status = grpc.StatusCode.UNAVAILABLE
    run, spec = run_of(GOOD)
    cluster.told(run, spec)
    cluster.told(run, spec)
    assert len(metadata.asked) == 1


def test_metadata_are_asked_again_only_when_a_state_has_changed(metadata, cluster):
    run, spec = run_of(GOOD)
    cluster.told(run, spec)
    asked = len(metadata.asked)
    cluster.told(run, spec)
    assert len(metadata.asked) == asked
    cluster.told(replace(run, tasks=(*run.tasks, Task("new", "new"))), spec)
    assert len(metadata.asked) == asked + 1  # no execution has changed


def test_the_log_of_one_task_is_asked_for_by_its_id_or_name(cluster):
    run, spec = run_of(GOOD, cluster)
    assert [line.text for line in cluster.logs(lambda: run, spec, "load", follow=False)] == [
        "loading 300 rows"
    ]
    turns = [line.task for line in cluster.logs(lambda: run, spec, "score", follow=False)]
    assert set(turns) <= {f"for-loop-5/{turn}/score" for turn in range(3)}


def test_the_logs_of_all_tasks_come_one_after_the_other(cluster, kubernetes):
    kubernetes.load("failure")
    run, spec = run_of(BAD, cluster)
    lines = list(cluster.logs(lambda: run, spec, None, follow=True))
    assert [line.task for line in lines if line.text in {"about to fail", "final FAILED exit-handler-1"}] == [
        "exit-handler-1/boom",
        "notify",
    ]


@pytest.mark.parametrize("follow", [True, False])
def test_a_task_that_is_not_there_is_said(cluster, follow):
    run, spec = run_of(GOOD)
    with pytest.raises(BackendError, match="has no task nope"):
        list(cluster.logs(lambda: run, spec, "nope", follow=follow))


def test_a_run_whose_first_pod_waits_says_so_at_its_first_tasks(cluster, kubernetes):
    labels = {"pipeline/runid": "r"}
    notes = {"workflows.argoproj.io/node-name": "w.root-driver"}
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "message": "0/1 nodes are available: 1 full. no more",
    }
    kubernetes.pods = [
        {
            "metadata": {"name": "p", "labels": labels, "annotations": notes},
            "status": {"phase": "Pending", "conditions": [condition]},
        }
    ]
    cluster._metadata = None
    run = Run(
        "r", "r", "p", "kubeflow", RunState.RUNNING, tasks=(Task("a", "a"), Task("b", "b", needs=("a",)))
    )
    told = cluster.told(run, {})
    assert told["a"].doing == "cannot be scheduled: 0/1 nodes are available: 1 full"
    assert told["b"].doing == ""


@pytest.fixture
def backend(cluster, kubernetes):
    kubernetes.load("success")
    kubernetes.load("failure")
    with serving(speed=10_000.0) as server:
        yield KubeflowBackend(Server(server.url), insight=cluster)


def test_a_runs_handle_gives_outputs_metrics_artifacts_and_logs(backend, tmp_path):
    run = handle(backend, GOOD)
    assert run.outputs["score"]["Output"] == [0.8, 1.6, 0.8 * 3]
    assert run.metrics["train"] == {"rows": 300, "accuracy": 0.8}
    assert run.artifacts["train"]["model"].download(tmp_path / "model").read_text() == "model n=300 lr=0.1"
    assert run.logs("load") == "loading 300 rows"
    assert "train  epoch=2 loss=0.333" in run.logs().splitlines()


def test_artifacts_that_were_followed_can_be_opened_too(backend):
    handle(backend, GOOD)
    *_, last = Handle(backend, GOOD).watch()
    train = next(task for task in last.tasks if task.id == "train")
    assert train.artifacts["model"].preview == "model n=300 lr=0.1"


def test_a_failed_run_says_why(backend):
    run = handle(backend, BAD)
    assert run.snapshot().error == "boom failed: ValueError: bad input x=7; after never ran"
    assert list(run.follow_logs("boom"))[-2:] == ["ValueError: bad input x=7", "about to fail"]


def test_the_stores_keys_are_in_nothing_that_leaves_the_process(backend):
    run = handle(backend, GOOD)
    run.artifacts["train"]["model"].open().close()
    snapshot = run.snapshot()
    events = list(backend.events(GOOD, follow=False))
    shown = (
        repr(snapshot),
        str(run),
        repr(events),
        run.logs(),
        repr([encode(event.data) for event in events]),
    )
    for secret in (ACCESS, SECRET):
        assert not [text for text in shown if secret in text]
        assert secret.encode() not in pickle.dumps(snapshot) + pickle.dumps(events)


def handle(backend, run_id):
    """The handle of a recorded run, once the recording has come to its end."""
    run = Handle(backend, run_id)
    while not run.state.finished:
        time.sleep(0.05)
    return run
