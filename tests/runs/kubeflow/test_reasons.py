"""Why tasks and runs failed, and what they waited for, as who looks at the run is told: over both recordings."""

import json

import pytest
from cluster import watched
from recorded import at, beside, in_the_end, names
from replay import BAD, STOPPED, looks

from kfnb.entities import RunState

NO_METADATA = (
    "the run could not be prepared: ML Metadata did not answer at "
    "metadata-grpc-service-gone.kubeflow.svc.cluster.local (no such host); "
    "ask an administrator of the cluster whether it is running"
)
NO_PACKAGE = (
    "cannot install its packages: No matching distribution found for numpy==99.0.0; check its name and "
    "version, or set index_urls to an index that has it, or set base_image to an image that has it"
)
DIVISION = "ZeroDivisionError: division by zero"


def recorded(name):
    """The id of a run of the stock configuration, by its name."""
    return names()[f"stock: {name}"]


@pytest.fixture(scope="module")
def older():
    """All that stood beside the server in the older recordings."""
    with beside(stock=False) as servers:
        yield servers.cluster()


@pytest.fixture(scope="module")
def stock():
    """The same in those of the stock configuration."""
    with beside(stock=True) as servers:
        yield servers.cluster()


@pytest.fixture
def servers():
    """The same, to be changed by a test."""
    with beside(stock=True) as found:
        found.kubernetes.pods, found.kubernetes.workflows = [], []
        yield found


def errors(run):
    return {task.id: task.error.message for task in run.tasks if task.error is not None and not task.group}


FAILED = {
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
}


@pytest.mark.parametrize("name", FAILED)
def test_every_task_that_failed_says_why(stock, name):
    run = in_the_end(recorded(name), stock)
    assert errors(run) == FAILED[name]
    assert run.state is not RunState.FAILED or run.error
    assert all(reason in run.error for reason in FAILED[name].values())


def test_so_does_one_without_argos_stock_configuration(older):
    run = in_the_end(BAD, older)
    assert errors(run) == {"exit-handler-1/boom": "ValueError: bad input x=7"}
    assert run.error == "boom failed: ValueError: bad input x=7; after never ran"


def test_a_run_whose_own_driver_failed_says_why(stock):
    run = in_the_end(recorded("no metadata"), stock)
    assert (run.state, run.error) == (RunState.FAILED, NO_METADATA)
    assert {task.state for task in run.tasks} == {RunState.SKIPPED}


@pytest.mark.parametrize("name", ["no image", "no room"])
def test_runs_that_were_stopped_while_they_waited_have_no_error(stock, name):
    run = in_the_end(recorded(name), stock)
    assert (run.state, run.error, errors(run)) == (RunState.CANCELED, "", {})


def test_a_task_that_was_stopped_has_no_error(older):
    assert errors(in_the_end(STOPPED, older)) == {}


def test_the_context_of_a_failed_installation_is_what_pip_said(stock):
    run = in_the_end(recorded("no package"), stock)
    (error,) = (task.error for task in run.tasks if task.error is not None)
    assert {line.split(":")[0] for line in error.traceback.splitlines()} == {"ERROR"}


@pytest.mark.parametrize(
    ("name", "workflow", "task", "words"),
    [
        ("no image", "no-image", "nowhere", "image registry.invalid/none:1 cannot be pulled: no such host"),
        ("no room", "no-room", "many", "cannot be scheduled: 0/1 nodes are available: 1 Insufficient cpu"),
    ],
)
def test_what_a_tasks_pod_waits_for_is_said(servers, name, workflow, task, words):
    answer = [one for one in looks(recorded(name)) if one.get("state") == "RUNNING"][-1]
    servers.kubernetes.pods = [next(item for item in watched(workflow) if waits(item))]
    run = at(recorded(name), answer, servers.cluster(metadata=False))
    assert {one.id: one.doing for one in run.tasks if one.doing} == {task: words}


def waits(item):
    """Whether a watched pod has come to what it waits for."""
    text = json.dumps(item["status"])
    return '"Unschedulable"' in text or '"ErrImagePull"' in text


def test_a_run_whose_own_driver_is_still_to_start_says_so(servers):
    servers.kubernetes.load("stock/failures")
    answer = next(one for one in looks(recorded("no metadata")) if one.get("state") == "RUNNING")
    driver = next(pod for pod in servers.kubernetes.pods if pod["metadata"]["name"].startswith("no-metadata"))
    driver["status"] = {"phase": "Pending"}
    run = at(recorded("no metadata"), answer, servers.cluster(metadata=False))
    assert {task.doing for task in run.tasks} == {"waiting for the pod that prepares the run to start"}


def test_a_run_that_argo_has_not_taken_up_says_so(servers):
    identifier = recorded("no room")
    servers.kubernetes.workflows = [
        {"metadata": {"labels": {"pipeline/runid": identifier}}}
    ]  # as KFP makes it
    run = at(identifier, looks(identifier)[0], servers.cluster(metadata=False))
    assert run.state is RunState.PENDING
    assert {task.doing for task in run.tasks} == {"waiting for Argo Workflows to start the run"}
