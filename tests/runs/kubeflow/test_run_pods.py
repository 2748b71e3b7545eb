import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import yaml
from cluster import asking, recorded_kubernetes, watched
from replay import BAD, GOOD, STOPPED, text_of
from synthetic_pods import ended, made

from kfnb.errors import BackendError
from kfnb.remote.kubernetes.pods import PodReason, refused
from kfnb.resources.runs.kubeflow import pods
from kfnb.resources.runs.kubeflow import workflow as workflows
from kfnb.resources.runs.kubeflow.components import Components
from kfnb.resources.runs.kubeflow.failure import why_failed
from kfnb.resources.runs.kubeflow.pods import Pods
from kfnb.resources.runs.kubeflow.wait_reasons import doing, why_waiting
from kfnb.resources.runs.kubeflow.workflow import Workflow

QUOTA = (
    'pods "x" is forbidden: exceeded quota: kf-resource-quota, requested: requests.nvidia.com/gpu=4, '
    "used: requests.nvidia.com/gpu=2, limited: requests.nvidia.com/gpu=3"
)


NO_ROOM = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}


def test_the_pods_of_a_run_are_known_by_task(kubernetes):
    kubernetes.load("success")
    kubernetes.load("failure")
    found = Pods(kubernetes.api(), "kubeflow").of_run(GOOD)
    launchers = {pod.task: pod for pod in found if pod.role == "launcher"}
    assert set(launchers) == {
        "load",
        "train",
        "evaluate",
        "condition-branches-1/condition-2/deploy",
        "for-loop-5/0/score",
        "for-loop-5/1/score",
        "for-loop-5/2/score",
    }
    drivers = {pod.task for pod in found if pod.role == "driver"}
    assert drivers >= {*launchers, "", "for-loop-5", "for-loop-5/0", "condition-branches-1/condition-3"}
    assert launchers["load"].node == "train-and-deploy-tsnfn-524909162"
    assert all(pod.finished for pod in found)


def test_an_exit_handlers_last_task_stands_beside_it(kubernetes):
    kubernetes.load("failure")
    found = Pods(kubernetes.api(), "kubeflow").of_run(BAD)
    assert [pod.task for pod in found if pod.role == "launcher"] == ["exit-handler-1/boom", "notify"]


def test_how_a_container_ended_is_read(kubernetes):
    kubernetes.load("cancel")
    pod = next(pod for pod in Pods(kubernetes.api(), "kubeflow").of_run(STOPPED) if pod.role == "launcher")
    assert (pod.phase, pod.diagnosis.exit_code, pod.diagnosis.reason) == ("Failed", 143, PodReason.SIGNAL)


@pytest.mark.parametrize(
    ("workflow", "words"),
    [
        ("no-image", "image registry.invalid/none:1 cannot be pulled: no such host"),
        ("no-room", "cannot be scheduled: 0/1 nodes are available: 1 Insufficient cpu"),
        ("out-of-memory", ""),
        ("talks", ""),
        ("pods-lost", ""),
    ],
)
def test_of_a_pod_that_was_watched_is_said_what_it_waited_for_and_no_more(workflow, words):
    said = [why_waiting(pods.parse(item)) for item in watched(workflow)]
    assert said
    assert set(said) - {""} == {words} - {""}


def test_the_recorded_events_of_a_pod_are_read(kubernetes):
    kubernetes.events = json.loads(text_of("stock/events.json"))["items"]
    name = watched("no-image")[0]["metadata"]["name"]
    told = [event["message"] for event in Pods(kubernetes.api(), "kubeflow").events(name)]
    assert told[0].startswith("Successfully assigned kubeflow/no-image")
    assert [line for line in told if line.startswith("Pulling")] == [
        'Pulling image "registry.invalid/none:1"'
    ]


def workflow(**status):
    return {"metadata": {"labels": {"pipeline/runid": BAD}}, "status": status}


def item(**status):
    return {"metadata": {"labels": {"pipeline/runid": BAD}}, "status": status}


@pytest.mark.parametrize(
    ("workflows", "words"),
    [
        ([item()], "waiting for Argo Workflows to start the run"),
        ([item(startedAt=None, finishedAt=None)], "waiting for Argo Workflows to start the run"),
        (
            [item(phase="Pending", message="Waiting for kubeflow/Semaphore lock. Lock status: 0/1")],
            "waiting for Argo Workflows to start the run: Waiting for kubeflow/Semaphore lock. Lock status: 0/1",
        ),
        ([item(phase="Running", nodes={"w": {"name": "w", "type": "DAG", "phase": "Running"}})], ""),
        ([item(phase="Running", offloadNodeStatusVersion="fnv:1")], ""),
        ([], ""),
    ],
)
def test_a_run_that_argo_has_not_started_says_so_where_that_is_known(kubernetes, workflows, words):
    kubernetes.workflows = workflows
    asked = Pods(kubernetes.api(), "kubeflow")
    assert doing(asked, (), {}, asked.workflow(BAD).queued).get("", "") == words


def test_a_run_whose_workflow_cannot_be_seen_does_not_say_what_it_waits_for(kubernetes):
    kubernetes.refuses = lambda path: (403, {"message": "no"}) if path.endswith("/workflows") else None
    assert Pods(kubernetes.api(), "kubeflow").workflow(BAD).queued is None


@pytest.mark.parametrize(
    ("driver", "words"),
    [
        (made("driver", phase="Pending"), "waiting for the pod that prepares the run to start"),
        (made("driver", phase="Pending", conditions=[NO_ROOM]), "cannot be scheduled: 0/1 nodes"),
        (made("driver", phase="Running"), "the run is being prepared"),
        (made("driver", phase="Failed"), ""),
        (made(phase="Pending"), ""),
    ],
)
def test_a_runs_own_driver_says_what_the_run_waits_for(kubernetes, driver, words):
    assert doing(Pods(kubernetes.api(), "kubeflow"), (driver,), {}).get("", "") == words


def test_a_message_is_one_line_and_not_endless():
    words = refused("a\nb " * 500).message
    assert "\n" not in words
    assert len(words) == 300


def pending(name, node, waiting, *, run=BAD):
    """A recorded pod, made to be one of a run's."""
    row = next(row for row in recorded_kubernetes() if row["path"].endswith("/pods") and row["status"] == 200)
    item = next(item for item in row["response"]["items"] if item["metadata"]["name"] == waiting)
    annotations = {"workflows.argoproj.io/node-name": node}
    metadata = {
        **item["metadata"],
        "name": name,
        "labels": {"pipeline/runid": run},
        "annotations": annotations,
    }
    return {**item, "metadata": metadata}


def test_what_keeps_a_runs_tasks_from_starting_is_said_by_task(kubernetes):
    kubernetes.pods = [
        pending("a", "w.root.train-driver", "bad-image-0"),
        pending(
            "b", "w.root.for-loop-5.iteration-iterations(0:0).iteration-item.score.executor", "llm-tune-0"
        ),
        pending("c", "w.root.load.executor", "churn-eda-0"),
    ]
    node = {"id": "w-1", "name": "w.root.huge.executor", "type": "Pod", "phase": "Pending", "message": QUOTA}
    labels = {"labels": {"pipeline/runid": BAD}}
    kubernetes.workflows = [{"metadata": labels, "status": {"nodes": {"w-1": node}}}]
    asked = Pods(kubernetes.api(), "kubeflow")
    found = doing(asked, asked.of_run(BAD), asked.workflow(BAD).refused)
    assert {task: words.partition(":")[0] for task, words in found.items()} == {
        "train": "image ghcr.io/acme/notebooks/jupyter-churn",
        "for-loop-5/0/score": "cannot be scheduled",
        "huge": "quota kf-resource-quota of the namespace is used up",
    }


def test_what_argo_says_of_a_pod_that_has_come_since_is_old(kubernetes):
    runs = replace(made("launcher", phase="Running"), task="load")
    assert doing(Pods(kubernetes.api(), "kubeflow"), (runs,), {"load": QUOTA}) == {}


@pytest.mark.parametrize(
    "message",
    [
        "PodInitializing",
        "ContainerCreating",
        "Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.",
        'ImagePullBackOff: Back-off pulling image "nowhere.example/x:1"',
    ],
)
def test_what_argo_says_of_a_pod_that_is_there_is_no_refusal(message):
    node = {"id": "w-1", "name": "w.root.a.executor", "type": "Pod", "phase": "Pending", "message": message}
    assert workflows.parse({"metadata": {}, "status": {"nodes": {"w-1": node}}}).refused == {}


def test_the_recorded_workflow_refuses_nothing(kubernetes):
    workflow = json.loads(text_of("failure.workflow.json"))
    kubernetes.workflows = workflow.get("items", [workflow])
    assert Pods(kubernetes.api(), "kubeflow").workflow(BAD).refused == {}


def test_without_access_there_are_no_pods_and_kubernetes_is_left_alone(kubernetes):
    (refusal,) = (
        row for row in recorded_kubernetes() if row["user"] == "nobody" and row["path"].endswith("/pods")
    )
    kubernetes.refuses = lambda path: (403, refusal["response"])
    found = Pods(kubernetes.api(), "team-a")
    assert found.of_run(BAD) == ()
    assert found.workflow(BAD) == Workflow()
    asked = list(kubernetes.asked)
    assert len(asked) == 2  # pods and workflows: who may not see the one may see the other
    assert found.of_run(BAD) == ()
    assert found.workflow(BAD) == Workflow()
    assert kubernetes.asked == asked


def test_without_kubernetes_there_are_no_pods():
    assert Pods(asking("127.0.0.1:1"), "kubeflow").of_run(BAD) == ()


@pytest.mark.parametrize("pod", ["bad-image-0", "nope-0"])
def test_a_log_that_is_refused_is_said_in_kubernetes_words(kubernetes, pod):
    row = next(row for row in recorded_kubernetes() if row["path"].endswith(f"{pod}/log"))
    kubernetes.refuses = lambda path: (row["status"], row["response"])
    with pytest.raises(BackendError) as raised:
        list(Pods(kubernetes.api(), "team-a").log(pod))
    assert row["response"]["message"] in str(raised.value)


def test_a_pod_that_is_not_scheduled_has_an_empty_log(kubernetes):
    kubernetes.refuses = lambda path: (204, None)
    assert list(Pods(kubernetes.api(), "team-a").log("llm-tune-0", follow=True)) == []


def log_of(run, pod):
    return json.loads(text_of(f"{run}.logs.json"))[pod]["main"].splitlines()


BOOM = "fails-midway-9ltt5-system-container-impl-2288373342"


def test_a_failing_tasks_last_words_are_its_error():
    program = Components(yaml.safe_load(text_of("pipeline-bad.yaml"))).of("exit-handler-1/boom").program
    error = why_failed(log_of("failure", BOOM), program)
    assert error.message == "ValueError: bad input x=7"
    assert error.traceback.splitlines() == [
        "Traceback (most recent call last):",
        '  File "ephemeral_component.py", line 8, in boom',
        "    print('about to fail'); raise ValueError(f'bad input x={x}')",
        "ValueError: bad input x=7",
    ]


def test_a_line_of_a_cell_is_told_with_its_cell():
    program = (
        "\n" * 4 + "def boom(x: int) -> int:\n    # cell train [3], line 1\n    print('about')\n    raise\n"
    )
    error = why_failed(log_of("failure", BOOM), program)
    assert (error.place, error.message) == ("cell train [3], line 2", "ValueError: bad input x=7")
    assert "  cell train [3], line 2, in boom" in error.traceback


def traceback(*frames, last):
    lines = ["Traceback (most recent call last):"]
    for file, line, function in frames:
        lines += [f'  File "{file}", line {line}, in {function}', "    code()", "    ^^^^^^"]
    return [*lines, *last]


EXECUTOR = "/usr/lib/kfp/dsl/executor_main.py", 109, "<module>"
STEP = "/tmp/tmp.x/ephemeral_component.py", 2, "step"


def test_a_cause_is_shown_before_what_it_led_to():
    lines = [
        *traceback(STEP, last=["KeyError: 'a'"]),
        "",
        "The above exception was the direct cause of the following exception:",
        "",
        *traceback(EXECUTOR, STEP, last=["ephemeral_component.Mine: it broke"]),
    ]
    error = why_failed(lines, "# cell one [1], line 5\nraise\n")
    assert error.message == "Mine: it broke"
    assert error.place == "cell one [1], line 5"
    assert (
        error.traceback.index("KeyError: 'a'")
        < error.traceback.index("direct cause")
        < error.traceback.index("Mine")
    )


def test_a_traceback_that_the_step_only_printed_is_not_its_error():
    lines = [
        *traceback(STEP, last=["ValueError: handled"]),
        "E1123 14:41:25.343095      16 launcher_v2.go:449] Component failed to execute successfully: exit status 3",
    ]
    error = why_failed(lines, "program")
    assert error.message == (
        "its process ended with exit code 3 before the step was done; the last line of its log: ValueError: handled"
    )
    assert "ValueError: handled" in error.traceback


def test_a_syntax_error_is_told_with_its_line():
    lines = traceback(
        EXECUTOR,
        last=[f'  File "{STEP[0]}", line 2', "    x = = 1", "        ^", "SyntaxError: invalid syntax"],
    )
    error = why_failed(lines, "# cell one [1], line 5\nx = = 1\n")
    assert (error.message, error.place) == ("SyntaxError: invalid syntax", "cell one [1], line 5")


def test_another_containers_traceback_is_its_error():
    lines = traceback(("/app/main.py", 3, "<module>"), last=["RuntimeError: no data"])
    assert why_failed(lines).message == "RuntimeError: no data"


def test_a_container_without_memory_says_its_limit():
    pod = ended(137, "OOMKilled", memory="512Mi")
    error = why_failed(["reading"], "program", pod)
    assert error.message == "its container was killed: it used more memory than its limit of 512Mi"
    assert error.traceback == "reading"


@pytest.mark.parametrize(
    ("pod", "words"),
    [
        (
            ended(2),
            "its process ended with exit code 2 before the step was done",
        ),
        (
            ended(143),
            "its process was ended by SIGTERM (exit code 143), as when its pod is deleted or its node is drained",
        ),
        (
            made(phase="Failed", reason="Evicted", message="The node was low on\nmemory."),
            "Evicted: The node was low on memory.",
        ),
        (None, "it failed without a message in its log"),
    ],
)
def test_a_container_that_ended_without_a_word_is_told_by_how(pod, words):
    assert why_failed([], "program", pod).message == words


def test_a_process_that_was_killed_in_its_container_is_told():
    line = "E1123 14:41:25.343095      16 launcher_v2.go:449] Component failed to execute successfully: signal: killed"
    assert why_failed([line], "program", ended(1)).message == "its process was ended by a signal (killed)"


def test_pods_that_have_succeeded_are_left_out_where_they_are_not_needed(kubernetes):
    kubernetes.load("failure")
    found = Pods(kubernetes.api(), "kubeflow").of_run(BAD, succeeded=False)
    assert [pod.task for pod in found] == ["exit-handler-1/boom"]


PROGRAM = """
from kfp import dsl
from kfp.dsl import *

class Mine(Exception):
    pass

def step(x: int):
    # cell prepare [2], line 7
    def inner(value):
        return {}[value]
    # kfnb: load
    y = 1
    # cell train [3], line 1
    try:
        inner(x)
    except KeyError as error:

        raise Mine("it broke") from error
"""


def test_what_kfps_own_executor_prints_is_told_with_its_cells(tmp_path):
    file = tmp_path / "ephemeral_component.py"
    file.write_text(PROGRAM)
    told = {"inputs": {"parameterValues": {"x": 7}}, "outputs": {"outputFile": str(tmp_path / "out.json")}}
    command = [
        "-m",
        "kfp.dsl.executor_main",
        "--component_module_path",
        str(file),
        "--function_to_execute",
        "step",
    ]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *command, "--executor_input", json.dumps(told)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "_KFP_RUNTIME": "true"},
    )
    error = why_failed(done.stderr.splitlines(), PROGRAM)
    assert (error.message, error.place) == ("Mine: it broke", "cell train [3], line 5")
    assert [line.strip() for line in error.traceback.splitlines() if line.startswith("  cell")] == [
        "cell train [3], line 2, in step",
        "cell prepare [2], line 8, in inner",
        "cell train [3], line 5, in step",
    ]
    assert "executor" not in error.traceback


def test_the_program_of_a_step_that_installs_packages_is_found():
    install = ["sh", "-c", 'pip install x && "$0" "$@"']
    plain = ["sh", "-ec", 'printf "%s" "$0" > "$program_path/ephemeral_component.py"', PROGRAM]
    for command, program in ((plain, PROGRAM), ([*install, *plain], PROGRAM), (["python", "main.py"], "")):
        spec = {
            "root": {"dag": {"tasks": {"a": {"componentRef": {"name": "comp-a"}}}}},
            "components": {"comp-a": {"executorLabel": "exec-a"}},
            "deploymentSpec": {"executors": {"exec-a": {"container": {"command": command}}}},
        }
        assert Components(spec).of("a").program == program
