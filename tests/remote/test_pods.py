"""Why a pod does not run, or how it ended: every pod of the recordings, and those that no recording has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_pods import events, pods

from kfnb.remote.kubernetes.pods import (
    Diagnosis,
    PodReason,
    PodState,
    brief,
    diagnose,
    ended,
    explained,
    refused,
)

STARTING, WAITING, BLOCKED, RUNNING, SUCCEEDED, FAILED = PodState
SIGTERM = (
    "its process was ended by SIGTERM (exit code 143), as when its pod is deleted or its node is drained"
)
RECORDED = {
    (STARTING, "", ""),
    (RUNNING, "", ""),
    (SUCCEEDED, "", ""),
    (WAITING, "unschedulable", "cannot be scheduled: 0/1 nodes are available: 1 Insufficient cpu"),
    (
        WAITING,
        "unschedulable",
        (
            "cannot be scheduled: 0/3 nodes are available: 1 Insufficient nvidia.com/gpu, "
            "1 node(s) had untolerated taint(s), 1 node(s) were unschedulable"
        ),
    ),
    (
        BLOCKED,
        "image",
        "image ghcr.io/acme/notebooks/jupyter-churn:v0.3.1-typo cannot be pulled: not found",
    ),
    (
        BLOCKED,
        "image",
        "image ghcr.io/kubeflow/kubeflow/tensorboards-web-app:v1.10.0 cannot be pulled: not found",
    ),
    (BLOCKED, "image", "image registry.invalid/none:1 cannot be pulled: no such host"),
    (
        BLOCKED,
        "crash loop",
        (
            "init container storage-initializer keeps failing: RuntimeError: Failed to fetch model. "
            "No model found in gs://kfserving-examples/models/nope."
        ),
    ),
    (BLOCKED, "crash loop", "container main keeps failing: it ended with exit code 1"),
    (FAILED, "exit code", "its process ended with exit code 1"),
    (FAILED, "signal", SIGTERM),
    (FAILED, "out of memory", "its container was killed: it used more memory than its limit of 64Mi"),
    (FAILED, "out of memory", "its container was killed: it used more memory than its limit"),
    (
        FAILED,
        "node",
        "ContainerStatusUnknown: The container could not be located when the pod was terminated",
    ),
}
"""Every diagnosis of a pod that was ever recorded; a watch tells no limits of memory."""


def program(pod) -> str:
    """Argo's pods are there for the container that is called main."""
    statuses = pod["status"].get("containerStatuses") or pod.get("spec", {}).get("containers") or ()
    return "main" if any(one["name"] == "main" for one in statuses) else ""


def told(found: Diagnosis) -> tuple[PodState, str, str]:
    return found.state, str(found.reason), found.message


def test_every_recorded_pod_has_the_diagnosis_that_is_written_here():
    assert {told(diagnose(pod, program(pod))) for pod in pods()} == RECORDED


def made(phase: str, *, spec=None, **status) -> dict:
    first = {"name": "main", "resources": {"limits": {"memory": "1Gi"}}}
    return {"spec": spec or {"containers": [first]}, "status": {"phase": phase, **status}}


def waits(reason: str, message: str = "", **more) -> dict:
    return {
        "name": "main",
        "image": "i:1",
        "state": {"waiting": {"reason": reason, "message": message}},
        **more,
    }


def ends(code: int, reason: str = "Error", message: str = "", name: str = "main") -> dict:
    return {"name": name, "state": {"terminated": {"exitCode": code, "reason": reason, "message": message}}}


def crashes(code: int, reason: str = "Error", message: str = "") -> dict:
    last = {"terminated": {"exitCode": code, "reason": reason, "message": message}}
    return waits("CrashLoopBackOff", "back-off 5m0s restarting failed container", lastState=last)


def disrupted(reason: str, message: str) -> dict:
    return {"type": "DisruptionTarget", "status": "True", "reason": reason, "message": message}


TABLE = [
    # it does not start yet
    (made("Pending"), STARTING, "", ""),
    (made("Pending", containerStatuses=[waits("ContainerCreating")]), STARTING, "", ""),
    (made("Pending", containerStatuses=[waits("PodInitializing")]), STARTING, "", ""),
    (
        made(
            "Pending",
            conditions=[
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available.",
                }
            ],
        ),
        WAITING,
        "unschedulable",
        "cannot be scheduled: 0/1 nodes are available: 1 Insufficient cpu",
    ),
    (
        made(
            "Pending", conditions=[{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]
        ),
        WAITING,
        "unschedulable",
        "cannot be scheduled: SchedulingGated",
    ),
    # it never will
    (
        made("Pending", containerStatuses=[waits("ErrImagePull", "rpc error: code = NotFound: not found")]),
        BLOCKED,
        "image",
        "image i:1 cannot be pulled: not found",
    ),
    (
        made("Pending", containerStatuses=[waits("ImagePullBackOff", 'Back-off pulling image "i:1"')]),
        BLOCKED,
        "image",
        "image i:1 cannot be pulled",
    ),
    (
        made("Pending", containerStatuses=[waits("InvalidImageName", "couldn't parse: invalid reference")]),
        BLOCKED,
        "image",
        "image i:1 cannot be pulled: invalid reference",
    ),
    (
        made(
            "Pending",
            containerStatuses=[
                waits("ErrImageNeverPull", 'Container image "i:1" is not present with pull policy of Never')
            ],
        ),
        BLOCKED,
        "image",
        "image i:1 cannot be pulled: it is not on the node, and its pull policy is Never",
    ),
    (
        made("Pending", containerStatuses=[waits("RegistryUnavailable")]),
        BLOCKED,
        "image",
        "image i:1 cannot be pulled",
    ),
    (
        made("Pending", containerStatuses=[waits("CreateContainerConfigError", 'secret "token" not found')]),
        BLOCKED,
        "start",
        'cannot start: secret "token" not found',
    ),
    (
        made("Pending", containerStatuses=[waits("CreateContainerConfigError")]),
        BLOCKED,
        "start",
        "cannot start: CreateContainerConfigError",
    ),
    (
        made("Running", containerStatuses=[waits("RunContainerError", "exec: no such file")]),
        BLOCKED,
        "start",
        "cannot start: exec: no such file",
    ),
    (
        made("Running", containerStatuses=[crashes(3)]),
        BLOCKED,
        "crash loop",
        "container main keeps failing: it ended with exit code 3",
    ),
    (
        made("Running", containerStatuses=[crashes(1, message="Traceback:\n  File\nKeyError: 'HOST'\n")]),
        BLOCKED,
        "crash loop",
        "container main keeps failing: KeyError: 'HOST'",
    ),
    (
        made("Running", containerStatuses=[crashes(137, "OOMKilled")]),
        BLOCKED,
        "crash loop",
        "container main keeps failing: it used more memory than its limit",
    ),
    (
        made("Pending", initContainerStatuses=[{**crashes(1), "name": "fetch"}]),
        BLOCKED,
        "crash loop",
        "init container fetch keeps failing: it ended with exit code 1",
    ),
    # it runs, and has run
    (made("Running", containerStatuses=[{"name": "main", "state": {"running": {}}}]), RUNNING, "", ""),
    (made("Running", containerStatuses=[ends(0, "Completed")]), SUCCEEDED, "", ""),
    (made("Succeeded"), SUCCEEDED, "", ""),
    # it failed
    (made("Failed"), FAILED, "", ""),
    (
        made("Failed", containerStatuses=[ends(2)]),
        FAILED,
        "exit code",
        "its process ended with exit code 2",
    ),
    (
        made("Failed", containerStatuses=[ends(2, message="one\nlast words\n")]),
        FAILED,
        "exit code",
        "its process ended with exit code 2: last words",
    ),
    (made("Failed", containerStatuses=[ends(143)]), FAILED, "signal", SIGTERM),
    (
        made("Failed", containerStatuses=[ends(139)]),
        FAILED,
        "signal",
        "its process was ended by SIGSEGV (exit code 139)",
    ),
    (
        made("Failed", containerStatuses=[ends(137, "OOMKilled")]),
        FAILED,
        "out of memory",
        "its container was killed: it used more memory than its limit of 1Gi",
    ),
    (
        made("Running", containerStatuses=[ends(0, "OOMKilled")]),
        FAILED,
        "out of memory",
        "its container was killed: it used more memory than its limit of 1Gi",
    ),
    (
        made("Failed", containerStatuses=[ends(128, "StartError", "exec: python9: not found")]),
        FAILED,
        "start",
        "StartError: exec: python9: not found",
    ),
    (
        made("Failed", reason="Evicted", message="The node was low on\nmemory."),
        FAILED,
        "evicted",
        "Evicted: The node was low on memory.",
    ),
    (
        made("Failed", reason="DeadlineExceeded", message="Pod was active on the node longer than allowed"),
        FAILED,
        "deadline",
        "DeadlineExceeded: Pod was active on the node longer than allowed",
    ),
    (made("Failed", reason="NodeLost"), FAILED, "node", "NodeLost"),
    (
        made(
            "Failed",
            containerStatuses=[ends(143)],
            conditions=[disrupted("PreemptionByScheduler", "preempting for a higher priority")],
        ),
        FAILED,
        "preempted",
        "its pod was preempted: preempting for a higher priority",
    ),
    (
        made(
            "Failed",
            containerStatuses=[ends(143)],
            conditions=[disrupted("EvictionByEvictionAPI", "Eviction API: evicting")],
        ),
        FAILED,
        "evicted",
        "its pod was evicted: Eviction API: evicting",
    ),
    (
        made("Failed", conditions=[disrupted("DeletionByTaintManager", "taint")]),
        FAILED,
        "node",
        "its pod was deleted from its node: taint",
    ),
    (
        made("Failed", initContainerStatuses=[ends(4, name="fetch")], containerStatuses=[ends(0)]),
        FAILED,
        "init container",
        "the container fetch of its pod failed: it ended with exit code 4",
    ),
    (
        made("Failed", containerStatuses=[ends(0), ends(64, message="no room", name="wait")]),
        FAILED,
        "sidecar",
        "the container wait of its pod failed: no room",
    ),
    (
        made("Failed", containerStatuses=[ends(0), ends(137, "OOMKilled", name="wait")]),
        FAILED,
        "out of memory",
        "the container wait of its pod ran out of memory",
    ),
    (  # who is beside it fails with it
        made("Failed", containerStatuses=[ends(1), ends(64, name="wait")]),
        FAILED,
        "exit code",
        "its process ended with exit code 1",
    ),
]


@pytest.mark.parametrize(("pod", "state", "reason", "message"), TABLE)
def test_a_pod_says_how_it_is_and_why(pod, state, reason, message):
    assert told(diagnose(pod)) == (state, reason, message)


@pytest.mark.parametrize("reason", [one for one in PodReason if one is not PodReason.NONE])
def test_each_reason_is_in_the_tables(reason):
    """So that none is added without a pod that shows it."""
    by_events = {"quota", "refused", "pulling", "volume"}
    assert str(reason) in {row[2] for row in TABLE} | by_events


def test_only_what_must_be_changed_is_stuck():
    assert [state for state in PodState if Diagnosis(state).stuck] == [BLOCKED, FAILED]


def test_the_container_whose_log_tells_more_is_named():
    pod = made("Failed", containerStatuses=[ends(0), ends(64, name="wait")])
    assert (diagnose(pod).container, diagnose(pod).exit_code) == ("wait", 64)
    assert diagnose(made("Failed", containerStatuses=[ends(2)])).container == "main"


def happened(message: str, *, kind: str = "Warning", reason: str = "", at: str = "10") -> dict:
    return {
        "type": kind,
        "reason": reason,
        "message": message,
        "lastTimestamp": f"2026-11-30T00:00:{at}Z",
        "metadata": {},
    }


MOUNT = 'MountVolume.SetUp failed for volume "keys" : secret "keys" not found'
PULLING = 'Pulling image "python:3.11"'
QUOTA = 'create Pod a-0 in StatefulSet a failed error: pods "a-0" is forbidden: exceeded quota: q, requested: cpu=9'


@pytest.mark.parametrize(
    ("told_events", "expected"),
    [
        ([], (STARTING, "", "")),
        (
            [happened(MOUNT, reason="FailedMount")],
            (BLOCKED, "volume", 'cannot start: secret "keys" not found'),
        ),
        (
            [
                happened(
                    'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) a-0',
                    reason="FailedAttachVolume",
                )
            ],
            (BLOCKED, "volume", "cannot start: Volume is already used by pod(s) a-0"),
        ),
        ([happened(MOUNT), happened("Some other warning", at="20")], (BLOCKED, "volume", None)),
        ([happened(PULLING, kind="Normal")], (STARTING, "pulling", "pulling image python:3.11")),
        (
            [
                happened(PULLING, kind="Normal"),
                happened('Successfully pulled image "python:3.11" in 9s', kind="Normal", at="20"),
            ],
            (STARTING, "", ""),
        ),
        (
            [
                happened('Container image "argoexec:v4" already present on machine', kind="Normal"),
                happened(PULLING, kind="Normal", at="20"),
            ],
            (STARTING, "pulling", None),
        ),
        (
            [happened(QUOTA, reason="FailedCreate")],
            (BLOCKED, "quota", "quota q of the namespace is used up: requested: cpu=9"),
        ),
        (
            [happened(f"Reissued from statefulset/a: {QUOTA}", reason="FailedCreate")],
            (BLOCKED, "quota", None),
        ),
        (
            [happened('create Pod a-0 failed error: admission webhook "w" denied it', reason="FailedCreate")],
            (BLOCKED, "refused", 'cannot create a pod: admission webhook "w" denied it'),
        ),
        (
            [happened("0/1 nodes are available: 1 Insufficient cpu. more", reason="FailedScheduling")],
            (WAITING, "unschedulable", "cannot be scheduled: 0/1 nodes are available: 1 Insufficient cpu"),
        ),
        (
            [happened("failed to set up the network", reason="FailedCreatePodSandBox")],
            (BLOCKED, "start", "cannot start: failed to set up the network"),
        ),
        (
            [
                happened(QUOTA, reason="FailedCreate"),
                happened("create Pod a-0 successful", kind="Normal", reason="SuccessfulCreate", at="20"),
            ],
            (STARTING, "", ""),
        ),
        (
            [
                happened("0/1 nodes are available.", reason="FailedScheduling"),
                happened("Successfully assigned a to b", kind="Normal", reason="Scheduled", at="20"),
                happened(PULLING, kind="Normal", reason="Pulling", at="30"),
            ],
            (STARTING, "pulling", "pulling image python:3.11"),
        ),
        (
            [
                happened(MOUNT, reason="FailedMount"),
                happened("Container created", kind="Normal", reason="Created", at="20"),
            ],
            (STARTING, "", ""),
        ),
        (
            [
                happened(PULLING, kind="Normal", reason="Pulling"),
                happened('Successfully pulled image "python:3.11" in 9ms', kind="Normal", reason="Pulled"),
            ],  # within one second
            (STARTING, "", ""),
        ),
        (
            [happened("Readiness probe failed", reason="Unhealthy")],
            (STARTING, "", ""),
        ),  # it is not ready yet, and that is all
    ],
)
def test_of_a_pod_that_is_starting_events_tell_more(told_events, expected):
    state, reason, message = told(explained(diagnose(made("Pending")), told_events))
    assert (state, reason) == expected[:2]
    assert expected[2] in (None, message)


def test_events_change_nothing_where_the_pod_itself_tells():
    pod = diagnose(made("Pending", containerStatuses=[waits("ErrImagePull", "x: not found")]))
    assert explained(pod, [happened(MOUNT)]) is pod
    runs = diagnose(made("Running"))
    assert explained(runs, [happened(MOUNT)]) is runs


def test_the_recorded_events_of_a_notebook_without_a_pod_tell_of_the_quota():
    found = explained(diagnose(made("Pending")), events("too-big"))
    assert found == refused(events("too-big")[-1]["message"])
    assert found.message == (
        "quota kf-resource-quota of the namespace is used up: requested: requests.nvidia.com/gpu=4, "
        "used: requests.nvidia.com/gpu=2, limited: requests.nvidia.com/gpu=3"
    )
    assert found.hint == "stop what you do not need, or request less"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "it ended with exit code 1"),
        (128, "it ended with exit code 128"),
        (137, "it was ended by SIGKILL (exit code 137)"),
        (255, "it ended with exit code 255"),
    ],
)
def test_an_exit_code_above_128_is_a_signal_where_there_is_such_a_one(code, words):
    assert ended(code, "it") == words


def test_a_message_is_one_line_that_does_not_act_on_a_terminal_and_is_not_endless():
    words = brief("Back-off\x1b[2J \u202epulling\r\nimage " * 100)
    assert words.isprintable()
    assert len(words) == 300


ANYTHING = st.recursive(
    st.none() | st.integers(0, 300) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
STATES = st.fixed_dictionaries(
    {},
    optional={
        "waiting": st.fixed_dictionaries(
            {}, optional={"reason": st.text(max_size=8), "message": st.none() | st.text(max_size=50)}
        ),
        "terminated": st.fixed_dictionaries(
            {},
            optional={
                "exitCode": st.integers(0, 300),
                "reason": st.sampled_from(["OOMKilled", "Error", "X"]),
            },
        ),
        "running": st.just({}),
    },
)
CONTAINERS = st.none() | st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(["main", "wait", "init"])}, optional={"state": STATES}),
    max_size=3,
)


@given(
    status=st.fixed_dictionaries(
        {"phase": st.sampled_from(["", "Pending", "Running", "Succeeded", "Failed", "Unknown"])},
        optional={
            "reason": st.text(max_size=8),
            "message": st.none() | ANYTHING.filter(lambda found: found is None or isinstance(found, str)),
            "containerStatuses": CONTAINERS,
            "initContainerStatuses": CONTAINERS,
        },
    )
)
def test_whatever_a_pod_is_like_there_is_one_diagnosis_in_one_line(status):
    found = diagnose({"metadata": {"name": "p"}, "spec": None, "status": status}, "main")
    assert isinstance(found.state, PodState)
    assert "\n" not in found.message
    assert len(found.message) <= 300
