"""A failure always has a reason: that of the container that failed, in a sentence, with what can be done about it."""

import json
from functools import cache

import pytest
from replay import text_of
from synthetic_pods import ended, made

from kfnb.remote.kubernetes.pods import PodReason
from kfnb.resources.runs import install_errors
from kfnb.resources.runs.kubeflow import pods
from kfnb.resources.runs.kubeflow.failure import SILENT, why_failed, why_lost, why_unprepared

RECORDED = (
    "success",
    "failure",
    "cancel",
    *(f"stock/{name}" for name in ("loops", "cached", "failures", "stopped", "big")),
)

NO_METADATA = (
    "ML Metadata did not answer at metadata-grpc-service-gone.kubeflow.svc.cluster.local (no such host); "
    "ask an administrator of the cluster whether it is running"
)
CHECK = (
    "check its name and version, or set index_urls to an index that has it, "
    "or set base_image to an image that has it"
)
CLOSED = (
    "the package index did not answer: set index_urls to one that does, "
    "or set base_image to an image that has it"
)
ASK = "ask an administrator of the cluster whether it is running"
UNINSTALLED = "cannot install its packages"
NO_PACKAGE = f"{UNINSTALLED}: No matching distribution found for numpy==99.0.0; {CHECK}"
ENDED = "its process was ended by SIGTERM (exit code 143), as when its pod is deleted or its node is drained"
REASONS = {
    "fails-midway-9ltt5": "ValueError: bad input x=7",
    "slow-one-p5hxj": ENDED,
    "fails-in-loop-d24sb": "ZeroDivisionError: division by zero",
    "out-of-memory-rjwcj": "its container was killed: it used more memory than its limit of 64Mi",
    "flaky-out-zj47s": "ZeroDivisionError: division by zero",
    "exit-after-failure-czpvv": "ZeroDivisionError: division by zero",
    "no-package-gzqcg": NO_PACKAGE,
    "no-metadata-spx9n": f"it could not be prepared: {NO_METADATA}",
    "stopped-loop-hmncw": ENDED,
}
"""Why pods failed in the recordings, by their workflow."""


@cache
def recorded():
    """The pods that failed, each with its workflow and the log of the container that failed."""
    found = []
    for name in RECORDED:
        logs = json.loads(text_of(f"{name}.logs.json"))
        for item in json.loads(text_of(f"{name}.pods.json"))["items"]:
            if item["status"]["phase"] == "Failed":
                pod = pods.parse(item)
                lines = logs[pod.name][pod.failed].splitlines()
                found.append((item["metadata"]["labels"]["workflows.argoproj.io/workflow"], pod, lines))
    return found


def item_of(workflow):
    """The Kubernetes object of the pod that failed, as it may be changed."""
    for name in RECORDED:
        for item in json.loads(text_of(f"{name}.pods.json"))["items"]:
            if item["metadata"]["name"].startswith(workflow) and item["status"]["phase"] == "Failed":
                return item
    raise AssertionError(workflow)


@pytest.mark.parametrize(
    ("workflow", "pod", "lines"), [pytest.param(*one, id=one[1].name) for one in recorded()]
)
def test_every_pod_that_failed_in_the_recordings_says_why(workflow, pod, lines):
    assert why_failed(lines, "the program", pod).message == REASONS[workflow]


def test_all_of_the_reasons_were_seen():
    assert {workflow for workflow, *_ in recorded()} == set(REASONS)


def test_a_run_that_could_not_be_prepared_says_so_and_whom_to_ask():
    _, pod, lines = next(one for one in recorded() if one[0] == "no-metadata-spx9n")
    assert why_unprepared(lines, pod) == f"the run could not be prepared: {NO_METADATA}"


def test_what_pip_said_is_the_context_without_what_kfp_and_argo_write_around_it():
    _, pod, lines = next(one for one in recorded() if one[0] == "no-package-gzqcg")
    root = (
        "WARNING: Running pip as the 'root' user can result in broken permissions and conflicting behaviour with the "
        "system package manager, possibly rendering your system unusable."
    )
    notice = [
        "",
        "[notice] A new release of pip is available: 23.0.1 -> 25.3",
        "[notice] To update, run: pip install -U pip",
    ]
    error = why_failed([lines[0], root, *notice, *lines[1:], root], "p", pod)
    assert error.message == NO_PACKAGE
    assert [line.split(":")[0] for line in error.traceback.splitlines() if line] == ["ERROR"] * 3


RETRYING = (
    "WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection broken "
    "by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f>: Failed to establish a "
    "new connection: [Errno -3] Temporary failure in name resolution')': /simple/pandas/"
)
CONFLICT = "Cannot install numpy==1.20 and pandas==2.2.0 because these package versions have conflicting dependencies"
UNKNOWN = "Could not find a version that satisfies the requirement pandas==2.2 (from versions: none)"
ABSENT = "No matching distribution found for pandas==2.2"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([RETRYING, f"ERROR: {UNKNOWN}", f"ERROR: {ABSENT}"], f"{ABSENT}; {CLOSED}"),
        ([f"ERROR: {UNKNOWN}", f"ERROR: {ABSENT}"], f"{ABSENT}; {CHECK}"),
        (
            [f"ERROR: {CONFLICT}.", "ERROR: ResolutionImpossible: for help visit https://pip.pypa.io/"],
            CONFLICT,
        ),
        (
            ["ERROR: Invalid requirement: 'a=2'", "Hint: = is not a valid operator."],
            "Invalid requirement: 'a=2'",
        ),
        (["/usr/bin/python3: No module named pip"], f"No module named pip; {install_errors.ANOTHER_IMAGE}"),
        (
            [
                "error: metadata-generation-failed",
                "",
                "\u00d7 Encountered error while generating package metadata.",
                "\u2570\u2500> See above for output.",
                "",
                "note: This is an issue with the package mentioned above, not pip.",
            ],
            "Encountered error while generating package metadata",
        ),
    ],
    ids=["closed", "absent", "conflict", "invalid", "no pip", "not built"],
)
def test_packages_that_cannot_be_installed_are_told_with_what_to_do(lines, said):
    pod = ended(1)
    assert why_failed(["loading", *lines], "p", pod).message == f"{UNINSTALLED}: {said}"


def test_a_step_that_went_on_after_pip_failed_is_not_told_by_pip():
    lines = ["ERROR: No matching distribution found for a", "trying without it", "no data"]
    assert why_failed(lines, "p", ended(2)).message == (
        "its process ended with exit code 2 before the step was done; the last line of its log: no data"
    )


def test_a_steps_own_error_is_not_taken_for_pips():
    assert install_errors.pip_error(["ERROR: cannot connect to the database"]) == ""


def fatal(said, program="driver"):
    place = "main.go:127" if program == "driver" else "main.go:59"
    return f"F1123 14:41:25.400104      16 {place}] {said}"


def unreachable(why):
    return f'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: {why}"'


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("KFP driver: driver.Container(task=x) failed: no input y", "no input y"),
        (
            'KFP driver: driver.DAG(pipelineName=p, runID=r, task="x") failed: failed to get DAG: '
            + unreachable("dial tcp 10.96.0.7:8080: connect: connection refused"),
            f"ML Metadata did not answer at 10.96.0.7:8080 (connection refused); {ASK}",
        ),
        (
            "KFP driver: driver.Container(task=x) failed: failed to list tasks: "
            + unreachable("dial tcp: lookup ml-pipeline.kubeflow on 10.0.0.2:53: no such host"),
            f"the Kubeflow Pipelines API server did not answer at ml-pipeline.kubeflow (no such host); {ASK}",
        ),
        (
            "KFP driver: driver.DAG() failed: rpc error: code = DeadlineExceeded desc = context deadline exceeded",
            f"ML Metadata did not answer (context deadline exceeded); {ASK}",
        ),
        (
            "KFP driver: driver.DAG() failed: rpc error: code = PermissionDenied desc = RBAC: access denied",
            "ML Metadata refused: RBAC: access denied (PermissionDenied)",
        ),
    ],
)
def test_a_driver_that_failed_is_told_by_its_last_words(said, told):
    lines = ["I1123 14:41:25.1 16 a.go:1] {", fatal(said), "Error: exit status 1"]
    assert why_failed(lines, "p", made("driver")).message == f"it could not be prepared: {told}"


def test_a_driver_that_crashed_says_so():
    lines = [
        "panic: runtime error: invalid memory address or nil pointer dereference",
        "[signal SIGSEGV: segmentation violation code=0x1 addr=0x8 pc=0x1f]",
        "goroutine 1 [running]:",
        'time=2026-11-29T20:15:46.622Z level=INFO msg="sub-process exited" argo=true error="exit status 2"',
        "Error: exit status 2",
    ]
    pod = ended(2, role="driver")
    assert why_failed(lines, "p", pod).message == (
        "it could not be prepared: KFP's driver crashed: runtime error: "
        "invalid memory address or nil pointer dereference"
    )


def test_a_driver_without_a_word_is_told_by_how_it_ended():
    pod = ended(137, role="driver")
    assert (
        why_failed([], "", pod).message
        == "it could not be prepared: its driver was ended by SIGKILL (exit code 137)"
    )
    evicted = made("driver", phase="Failed", reason="Evicted", message="The node was low on memory.")
    assert why_unprepared([], evicted) == (
        "the run could not be prepared: Evicted: The node was low on memory."
    )


def test_a_launcher_that_gave_up_after_the_step_had_ended_well_says_why():
    said = 'failed to upload output artifact "model" to remote storage URI "s3://b/m": no room'
    lines = ["done", fatal(f"failed to execute component: {said}", "launcher"), "Error: exit status 1"]
    error = why_failed(lines, "p", ended(1))
    assert error.message == f"KFP's launcher failed: {said}"


def test_a_launcher_that_only_passes_on_that_the_step_failed_is_not_the_reason():
    lines = ["no data", fatal("failed to execute component: exit status 3", "launcher")]
    assert why_failed(lines, "p", ended(1)).message == (
        "its process ended with exit code 1 before the step was done; the last line of its log: no data"
    )


def ended_in(name, code, *, message="", main=0):
    """The pod that failed without ML Metadata, had another container of it failed instead of its main one."""
    item = item_of("no-metadata")
    for status in (*item["status"]["initContainerStatuses"], *item["status"]["containerStatuses"]):
        ended = status["state"]["terminated"]
        if status["name"] == "main":
            ended["exitCode"] = main
        elif status["name"] != name:
            ended["exitCode"] = 0
            ended.pop("message", None)
        else:
            ended["exitCode"] = code
            ended["message"] = message
    return pods.parse(item)


def test_argos_own_container_is_the_reason_only_where_the_steps_own_did_not_fail():
    said = "open /var/run/argo/outputs/parameters/tmp/outputs/execution-id: no such file or directory"
    assert pods.parse(item_of("no-metadata")).failed == "main"
    found = ended_in("wait", 64, message=said).diagnosis
    assert (found.container, found.exit_code, found.left) == ("wait", 64, said)
    assert why_unprepared([], ended_in("wait", 64, message=said)) == (
        f"the run could not be prepared: the container wait of its pod failed: {said}"
    )


def test_a_container_that_comes_before_the_step_is_told_by_its_log():
    log = [
        'time=2026-11-23T14:41:33.982Z level=INFO msg="Starting Workflow Executor" argo=true',
        'time=2026-11-23T14:41:33Z level=ERROR msg="executor error" argo=true error="no \\"x\\": no such key"',
        'time=2026-11-23T14:41:33.995Z level=INFO msg="Alloc=9648 TotalAlloc=15961" argo=true',
    ]
    pod = ended_in("init", 64)
    assert (pod.failed, pod.diagnosis.reason) == ("init", PodReason.INIT_CONTAINER)
    assert why_unprepared(log, pod) == (
        'the run could not be prepared: the container init of its pod failed: no "x": no such key'
    )
    assert why_unprepared([], pod) == (
        "the run could not be prepared: the container init of its pod failed: it ended with exit code 64"
    )


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("pod deleted", "its pod was deleted while it ran: by a user, or with its node"),
        ("main: Error (exit code 143)", ENDED),
        ("main: Error (exit code 1)", "its pod was deleted; message of Argo Workflows: Error (exit code 1)"),
        (
            "Step exceeded its deadline",
            "its pod was deleted; message of Argo Workflows: Step exceeded its deadline",
        ),
    ],
)
def test_a_task_without_pod_and_log_is_told_by_argo(message, told):
    assert why_lost(message).message == told


def test_where_nobody_knows_nothing_is_made_up():
    assert why_lost("") is None
    assert why_failed([], "p").message == SILENT


def test_what_argo_says_of_pods_that_failed_is_known_by_task(kubernetes):
    workflow = json.loads(text_of("failure.workflow.json"))
    kubernetes.workflows = workflow.get("items", [workflow])
    found = pods.Pods(kubernetes.api(), "kubeflow").workflow("75fe474b-1d06-4ac1-81e6-da47ac13f51d")
    assert found.failed == {"exit-handler-1/boom": "main: Error (exit code 1)"}


def test_a_program_that_left_before_it_wrote_an_output_is_told_as_it_is_here():
    """From a step that called ``sys.exit(0)``: KFP publishes its success, then its launcher looks for the output."""
    missing = 'read output parameter name="n" type="NUMBER_INTEGER" path="/tmp/kfp/outputs/n"'
    why = "open /tmp/kfp/outputs/n: no such file or directory"
    lines = ["leaving early", fatal(f"failed to execute component: failed to {missing}: {why}", "launcher")]
    error = why_failed(lines, "def leave(): ...", ended(1, role="launcher"))
    assert error.message == "its output n was not written"
