import json
import pickle
import time
from dataclasses import replace

import pytest
from cluster import ACCESS, SECRET, Metadata, running
from replay import BAD, CACHED, GOOD, looks, serving

from kfnb.entities import RunSnapshot, RunState, Task, TaskError
from kfnb.errors import BackendError
from kfnb.remote.kfp.server import KfpServer
from kfnb.resources.runs.events import encode
from kfnb.resources.runs.handle import Run as Handle
from kfnb.resources.runs.kubeflow import mlmd, run_details
from kfnb.resources.runs.kubeflow.artifacts import TaskRecord
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.kubeflow.plan import plan_of
from kfnb.resources.runs.kubeflow.pods import Pods, TaskPod
from kfnb.resources.runs.kubeflow.run_builder import fold, spec_of
from kfnb.resources.runs.kubeflow.run_details import RunDetails
from kfnb.resources.runs.kubeflow.task_facts import NOTHING, TaskFacts
from kfnb.resources.runs.kubeflow.workflow import WorkflowNode


@pytest.fixture
def metadata():
    with running(Metadata()) as server:
        yield server


@pytest.fixture
def cluster(metadata, kubernetes, objects):
    store = objects.store(kubernetes.api())
    return RunDetails(mlmd.Metadata(metadata.address), store, Pods(kubernetes.api(), "kubeflow"))


@pytest.fixture
def unrecorded(kubernetes):
    """What is known where there is no ML Metadata."""
    return RunDetails(None, None, Pods(kubernetes.api(), "kubeflow"))


def run_of(run_id, cluster=None):
    """A recorded run as it was at its end, with all that ``cluster`` knows of it."""
    answer = looks(run_id)[-1]
    spec = spec_of(answer) or spec_of(next(look for look in looks(run_id) if spec_of(look)))
    run = fold(answer, plan_of(spec))
    if cluster is None:
        return run, spec
    told = cluster.facts(run, spec)
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
    cluster = RunDetails(mlmd.Metadata("127.0.0.1:1"), None, Pods(kubernetes.api(), "kubeflow"))
    run, _ = run_of(BAD, cluster)
    assert "bad input x=7" in run.error
    assert "does not answer at 127.0.0.1:1" in cluster.trouble
    run, _ = run_of(GOOD, RunDetails(None, None, None))
    assert run.state is RunState.SUCCEEDED


def test_metadata_that_do_not_answer_are_left_alone_for_a_while(metadata, cluster):
    import grpc

    metadata.status = grpc.StatusCode.UNAVAILABLE
    run, spec = run_of(GOOD)
    cluster.facts(run, spec)
    cluster.facts(run, spec)
    assert len(metadata.asked) == 1


def test_metadata_are_asked_again_only_when_a_state_has_changed(metadata, cluster):
    run, spec = run_of(GOOD)
    cluster.facts(run, spec)
    asked = len(metadata.asked)
    cluster.facts(run, spec)
    assert len(metadata.asked) == asked
    cluster.facts(replace(run, tasks=(*run.tasks, Task("new", "new"))), spec)
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


def test_a_run_whose_first_pod_waits_says_so_at_its_first_tasks(unrecorded, kubernetes):
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
    run = RunSnapshot(
        "r", "r", "p", "kubeflow", RunState.RUNNING, tasks=(Task("a", "a"), Task("b", "b", needs=("a",)))
    )
    told = unrecorded.facts(run, {})
    assert told["a"].doing == "cannot be scheduled: 0/1 nodes are available: 1 full"
    assert told["b"].doing == ""


def driver_pod(name, node, phase="Failed", run=BAD, **status):
    """A driver's pod of a run, in the form of the recorded ones."""
    notes = {
        "workflows.argoproj.io/node-name": node,
        "pipelines.kubeflow.org/runtime-role": "driver",
    }
    ended = {"name": "main", "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}
    return {
        "metadata": {"name": name, "labels": {"pipeline/runid": run}, "annotations": notes},
        "status": {"phase": phase, "containerStatuses": [ended] if phase == "Failed" else [], **status},
    }


FATAL = "F1123 14:41:25.4 16 main.go:79] KFP driver: driver.X(task=x) failed: no input y"


@pytest.mark.parametrize(
    ("node", "task"),
    [
        ("w.root.exit-handler-1.boom-driver", "exit-handler-1/boom"),
        ("w.root.exit-handler-1-driver", "exit-handler-1"),
        ("w.root-driver", ""),
    ],
)
def test_a_driver_that_failed_is_the_error_of_what_it_was_to_prepare(cluster, kubernetes, node, task):
    kubernetes.pods = [driver_pod("d", node)]
    kubernetes.wrote("d", [FATAL])
    run, spec = run_of(BAD)
    error = cluster.facts(run, spec)[task].error
    assert error.message == ("the run" if not task else "it") + " could not be prepared: no input y"


def test_a_turn_that_could_not_be_prepared_is_the_error_of_its_loop(cluster, kubernetes):
    node = "w.root.for-loop-5.iteration-iterations(1:1).iteration-item-driver"
    kubernetes.pods = [driver_pod("d", node, run=GOOD)]
    kubernetes.wrote("d", [FATAL])
    run, spec = run_of(GOOD)
    tasks = (replace(task, state=RunState.FAILED) if task.id == "for-loop-5" else task for task in run.tasks)
    told = cluster.facts(replace(run, tasks=tuple(tasks)), spec)
    assert told["for-loop-5"].error.message == "it could not be prepared: no input y"


def unprepared():
    """The answer for a recorded run, had it failed before any of its tasks."""
    answer = json.loads(json.dumps(looks(BAD)[-1]))
    failed = {"display_name": "root-driver", "state": "FAILED", "start_time": "2026-11-23T14:41:10Z"}
    answer["run_details"] = {"task_details": [failed]}
    return answer


def test_a_run_that_could_not_be_prepared_says_why():
    answer = unprepared()
    plan = plan_of(spec_of(answer))
    told = {"": TaskFacts(error=TaskError("the run could not be prepared: no input y"))}
    run = fold(answer, plan, lambda task: told.get(task, NOTHING))
    assert run.error == "the run could not be prepared: no input y"
    assert {task.state for task in run.tasks} == {RunState.SKIPPED}
    assert fold(answer, plan).error == (
        "the run could not be prepared: its driver failed, and the log of its pod is not available from here"
    )


def test_a_group_that_could_not_be_prepared_is_what_the_run_failed_by():
    told = {"exit-handler-1": TaskFacts(error=TaskError("it could not be prepared: no input y"))}
    answer = unprepared()
    answer["run_details"]["task_details"][0]["display_name"] = "exit-handler-1-driver"
    run = fold(answer, plan_of(spec_of(answer)), lambda task: told.get(task, NOTHING))
    assert run.error.startswith("exit-handler-1 failed: it could not be prepared: no input y")


def test_a_task_whose_pod_and_log_are_gone_is_told_by_argo(unrecorded, kubernetes):
    node = {
        "name": "w.root.exit-handler-1.boom.executor",
        "type": "Pod",
        "phase": "Error",
        "message": "pod deleted",
    }
    kubernetes.workflows = [
        {"metadata": {"labels": {"pipeline/runid": BAD}}, "status": {"nodes": {"n": node}}}
    ]
    run, spec = run_of(BAD)
    error = unrecorded.facts(run, spec)["exit-handler-1/boom"].error
    assert error.message == "its pod was deleted while it ran: by a user, or with its node"


def test_a_workflow_is_asked_for_once_for_all_tasks_whose_logs_are_gone(unrecorded, kubernetes):
    run, spec = run_of(BAD)
    tasks = tuple(replace(task, state=RunState.FAILED) for task in run.tasks)
    unrecorded.facts(replace(run, tasks=tasks), spec)
    assert len([path for path in kubernetes.asked if "workflows" in path]) == 1


def test_a_run_that_has_not_begun_says_so_at_its_first_tasks(unrecorded, kubernetes):
    kubernetes.workflows = [{"metadata": {"labels": {"pipeline/runid": "r"}}}]
    run = RunSnapshot("r", "r", "p", "kubeflow", tasks=(Task("a", "a"), Task("b", "b", needs=("a",))))
    told = unrecorded.facts(run, {})
    assert told["a"].doing == "waiting for Argo Workflows to start the run"
    assert told["b"].doing == ""


def looked_at(answer, cluster):
    """A run with all that is learned of it, of which one thing may lead to another (see ``look``)."""
    spec, told = spec_of(answer), {}
    run = fold(answer, plan_of(spec))
    while not run.state.finished and (more := cluster.facts(run, spec)) != told:
        told = more
        run = fold(answer, plan_of(spec), lambda task: told.get(task, NOTHING))  # noqa: B023 - called at once
    return run


@pytest.mark.parametrize(("phase", "state"), [("Succeeded", RunState.SUCCEEDED), ("Failed", RunState.FAILED)])
def test_a_run_whose_end_the_server_never_records_ends_as_its_workflow(cluster, kubernetes, phase, state):
    """So it is where a text of a run cannot be stored: its rows stay as they are for ever."""
    status = {"phase": phase, "startedAt": "2026-11-29T19:40:47Z", "finishedAt": "2026-11-29T19:42:10Z"}
    kubernetes.workflows = [{"metadata": {"labels": {"pipeline/runid": GOOD}}, "status": status}]
    answer = {**looks(GOOD)[-1], "state": "RUNNING", "finished_at": "1970-01-01T00:00:00Z"}
    run = looked_at(answer, cluster)
    assert (run.state, run.finished) == (state, 1795981330.0)
    assert any("has not recorded the end of this run" in note for note in run.notes)


@pytest.mark.parametrize("status", [{"phase": "Running"}, {"phase": "Succeeded", "finishedAt": "now"}])
def test_a_run_whose_end_the_server_may_still_record_runs(cluster, kubernetes, status):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    status = {name: now if value == "now" else value for name, value in status.items()}
    kubernetes.workflows = [{"metadata": {"labels": {"pipeline/runid": GOOD}}, "status": status}]
    answer = {**looks(GOOD)[-1], "state": "RUNNING", "finished_at": "1970-01-01T00:00:00Z"}
    run = looked_at(answer, cluster)
    assert (run.state, run.finished) == (RunState.RUNNING, None)


def test_a_task_that_ml_metadata_saw_end_does_not_run_again_where_argo_is_behind():
    made = TaskRecord(state="COMPLETE", began=10.0, changed=30.0)
    node = WorkflowNode(RunState.RUNNING, started=20.0)
    seen = run_details._seen(made, node, None)
    assert (seen.state, seen.source) == (RunState.SUCCEEDED, "ML Metadata")
    assert run_details._seen(replace(made, state="RUNNING"), node, None).source == "the Argo Workflow"
    assert (
        run_details._seen(replace(made, state="FAILED"), node, None).state is RunState.RUNNING
    )  # it is retried


def test_a_task_begins_with_its_pod_and_not_when_ml_metadata_first_heard_of_it():
    made = TaskRecord(state="RUNNING", began=10.0)
    pod = TaskPod("p", role="launcher", phase="Running", created="2026-11-29T19:50:00Z")
    assert run_details._seen(made, None, pod).started == 1795981800.0
    assert run_details._seen(made, None, None).started == 10.0


def test_a_turn_whose_driver_waits_says_so_at_its_loop(unrecorded, kubernetes):
    condition = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: 1 full"}
    node = "w.root.loop.iteration-iterations(1:1).iteration-item-driver"
    kubernetes.pods = [driver_pod("d", node, "Pending", "r", conditions=[condition])]
    loop = Task("loop", "loop", RunState.RUNNING, group=True, started=1.0)
    run = RunSnapshot("r", "r", "p", "kubeflow", RunState.RUNNING, tasks=(loop,))
    assert unrecorded.facts(run, {})["loop"].doing == "cannot be scheduled: 0/1 nodes are available: 1 full"


@pytest.fixture
def backend(cluster, kubernetes):
    kubernetes.load("success")
    kubernetes.load("failure")
    with serving(speed=10_000.0) as server:
        yield KubeflowRunEngine(KfpServer(server.url), insight=cluster)


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
    assert [line.text for line in run.follow_log("boom") if line][-2:] == [
        "ValueError: bad input x=7",
        "about to fail",
    ]


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
