"""Why tasks and runs failed, and what they waited for, as who looks at the run is told: over both recordings."""

import json

import pytest
from cluster import Metadata, Objects, running, watched
from replay import BAD, RUN_PATH, STOPPED, exchanges, looks

from kfnb.backends.kubeflow import mlmd
from kfnb.backends.kubeflow.fold import fold, spec_of
from kfnb.backends.kubeflow.insight import Cluster
from kfnb.backends.kubeflow.objects import Store, read_secrets
from kfnb.backends.kubeflow.plan import plan_of
from kfnb.backends.kubeflow.pods import Pods
from kfnb.backends.kubeflow.told import NOTHING
from kfnb.model import RunState

NO_METADATA = (
    "the run could not be prepared: ML Metadata did not answer at "
    "metadata-grpc-service-gone.kubeflow.svc.cluster.local (no such host); "
    "ask an administrator of the cluster whether it is running"
)
NO_PACKAGE = (
    "its packages could not be installed: No matching distribution found for numpy==99.0.0; check its name and "
    "version, or set index_urls to an index that has it, or set base_image to an image that has it"
)
DIVISION = "ZeroDivisionError: division by zero"


def recorded(name):
    """The id of a run of the failures, by its name."""
    answers = [row["response"] for row in exchanges("stock/failures") if RUN_PATH.match(row["path"])]
    return next(answer["run_id"] for answer in answers if answer.get("display_name") == name)


@pytest.fixture(params=["", "stock/"], ids=["older", "stock"], scope="module")
def folder(request):
    """The folder of a set of recordings."""
    return request.param


@pytest.fixture
def cluster(folder, kubernetes):
    """What knows of the runs of one set, with all that was recorded beside the server."""
    for name in ("failure", "cancel") if not folder else ("stock/failures", "stock/stopped"):
        kubernetes.load(name)
    with running(Metadata(folder)) as metadata, running(Objects(folder)) as objects:
        store = Store("kubeflow", read_secrets(kubernetes.api()), lambda address: objects.address)
        yield Cluster(mlmd.Metadata(metadata.address), store, Pods(kubernetes.api(), "kubeflow"))


def told(cluster, answer, spec):
    """A run as one look at it tells."""
    plan = plan_of(spec)
    known = cluster.told(fold(answer, plan), spec)
    return fold(answer, plan, lambda task: known.get(task, NOTHING))


def last(cluster, run_id):
    answers = looks(run_id)
    return told(cluster, answers[-1], spec_of(next(one for one in reversed(answers) if spec_of(one))))


def errors(run):
    return {task.id: task.error.message for task in run.tasks if task.error is not None and not task.group}


FAILED = {
    "": {BAD: {"exit-handler-1/boom": "ValueError: bad input x=7"}},
    "stock/": {
        "fails in a loop": {"for-loop-2/1/divide": DIVISION},
        "out of memory": {"hog": "its container was killed: it used more memory than its limit of 64Mi"},
        "retries 2": {"divide": DIVISION},
        "exit after a failure": {"exit-handler-1/divide": DIVISION},
        "no package": {"needs": NO_PACKAGE},
        "no metadata": {},
        "no image": {},
        "no room": {},
        "pods lost": {},
        "talks": {},
    },
}


def test_every_task_that_failed_says_why(cluster, folder):
    for name, reasons in FAILED[folder].items():
        run = last(cluster, name if name == BAD else recorded(name))
        assert errors(run) == reasons, name
        assert run.state is not RunState.FAILED or run.error, name
        for reason in reasons.values():
            assert reason in run.error


@pytest.mark.parametrize("folder", ["stock/"], indirect=True)
def test_a_run_whose_own_driver_failed_says_why(cluster):
    run = last(cluster, recorded("no metadata"))
    assert (run.state, run.error) == (RunState.FAILED, NO_METADATA)
    assert {task.state for task in run.tasks} == {RunState.SKIPPED}


@pytest.mark.parametrize("folder", ["stock/"], indirect=True)
@pytest.mark.parametrize("name", ["no image", "no room"])
def test_runs_that_were_stopped_while_they_waited_have_no_reason_but_that(cluster, name):
    run = last(cluster, recorded(name))
    assert (run.state, run.error) == (RunState.CANCELED, "")
    assert errors(run) == {}


@pytest.mark.parametrize("folder", [""], indirect=True)
def test_a_task_that_was_stopped_has_no_error(cluster):
    assert errors(last(cluster, STOPPED)) == {}


@pytest.mark.parametrize("folder", ["stock/"], indirect=True)
def test_the_context_of_a_failed_installation_is_what_pip_said(cluster):
    run = last(cluster, recorded("no package"))
    (error,) = (task.error for task in run.tasks if task.error is not None)
    assert {line.split(":")[0] for line in error.traceback.splitlines()} == {"ERROR"}


@pytest.mark.parametrize("folder", ["stock/"], indirect=True)
@pytest.mark.parametrize(
    ("name", "workflow", "task", "words"),
    [
        ("no image", "no-image", "nowhere", "image registry.invalid/none:1 cannot be pulled: no such host"),
        ("no room", "no-room", "many", "cannot be scheduled: 0/1 nodes are available: 1 Insufficient cpu"),
    ],
)
def test_what_a_running_tasks_pod_waits_for_is_said(cluster, kubernetes, name, workflow, task, words):
    answers = looks(recorded(name))
    answer = [one for one in answers if one.get("state") == "RUNNING"][-1]
    kubernetes.pods = [next(item for item in watched(workflow) if waits(item))]
    run = told(cluster, answer, spec_of(answer))
    assert {one.id: one.doing for one in run.tasks if one.doing} == {task: words}


def waits(item):
    """Whether a watched pod has come to what it waits for."""
    text = json.dumps(item["status"])
    return '"Unschedulable"' in text or '"ErrImagePull"' in text


@pytest.mark.parametrize("folder", ["stock/"], indirect=True)
def test_a_run_whose_driver_is_still_to_start_says_so(cluster, kubernetes):
    answer = next(one for one in looks(recorded("no metadata")) if one.get("state") == "RUNNING")
    driver = next(pod for pod in kubernetes.pods if pod["metadata"]["name"].startswith("no-metadata"))
    driver["status"] = {"phase": "Pending"}
    run = told(cluster, answer, spec_of(answer))
    assert {task.doing for task in run.tasks} == {"waiting for the pod that prepares the run to start"}


@pytest.mark.parametrize("folder", ["stock/"], indirect=True)
def test_a_run_that_argo_has_not_taken_up_says_so(cluster, kubernetes):
    identifier = recorded("no room")
    answer = looks(identifier)[0]
    kubernetes.pods = []
    kubernetes.workflows = [{"metadata": {"labels": {"pipeline/runid": identifier}}}]  # as KFP makes it
    run = told(cluster, answer, spec_of(answer))
    assert {task.doing for task in run.tasks} == {"waiting for Argo Workflows to start the run"}
