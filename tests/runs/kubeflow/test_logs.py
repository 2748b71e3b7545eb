import json
import threading
from collections.abc import Callable

import pytest
from cluster import ACCESS, Live, recorded_kubernetes
from replay import GOOD, text_of

from kfnb.entities import Artifact, LogLine
from kfnb.errors import BackendUnavailable
from kfnb.jobs.polling import Pace
from kfnb.remote.objects import AccessKeys, ObjectStore, StoreAccess
from kfnb.remote.objects.files import ObjectFiles
from kfnb.resources.runs.kubeflow.log_lines import own_lines
from kfnb.resources.runs.kubeflow.logs import LogSource, ObservedSources, end, follow, read
from kfnb.resources.runs.kubeflow.pods import Pods

PACE = Pace(0.05, 0.2)
LOAD = "train-and-deploy-tsnfn-system-container-impl-524909162"
BOOM = "fails-midway-9ltt5-system-container-impl-2288373342"
KEPT = f"v2/artifacts/train-and-deploy/{GOOD}/load/c8cf2151-942f-4495-8c74-2c1ac942fba2/executor-logs-0"


def kept(objects, key=KEPT):
    access = StoreAccess("s3", f"http://{objects.address}", keys=AccessKeys(ACCESS, "any"))
    files = ObjectFiles(ObjectStore(access))
    return Artifact(
        "executor-logs", "system.Artifact", f"minio://mlpipeline/{key}", store=lambda uri: (files, uri)
    )


RECORDED = (
    "success",
    "failure",
    "cancel",
    *(f"stock/{name}" for name in ("loops", "cached", "failures", "stopped", "big")),
)


@pytest.mark.parametrize("run", RECORDED)
def test_of_a_recorded_log_only_the_tasks_own_lines_are_left(run):
    words = ("[KFP Executor", "launcher_v2.go", "argo=true", '"inputs"', "executor-logs", "exit status")
    for pod, containers in json.loads(text_of(f"{run}.logs.json")).items():
        if "-impl-" in pod:
            left = "\n".join(own_lines(containers["main"].splitlines()))
            assert not [word for word in words if word in left]


@pytest.mark.parametrize(
    "noise",
    [
        "WARNING: Running pip as the 'root' user can result in broken permissions and conflicting behaviour",
        "[notice] A new release of pip is available: 23.0.1 -> 25.3",
        "[notice] To update, run: pip install --upgrade pip",
        "WARNING: You are using pip version 22.0.4; however, version 23.1 is available.",
        "You should consider upgrading via the '/usr/local/bin/python -m pip install --upgrade pip' command.",
        "<frozen runpy>:128: RuntimeWarning: 'kfp.dsl.executor_main' found in sys.modules after import of package",
        "  warn(RuntimeWarning(msg))",
        'time="2026-11-23T14:41:36.063Z" level=info msg="Alloc=9648 TotalAlloc=15961 Sys=22442 NumGC=4 Goroutines=8"',
    ],
)
def test_what_everyone_knows_is_left_out(noise):
    assert list(own_lines(["before", noise, "after"])) == ["before", "after"]


def test_other_warnings_of_pips_and_pythons_are_left():
    lines = [
        "WARNING: Retrying (Retry(total=4)) after connection broken by 'x': /simple/a/",
        "a.py:1: RuntimeWarning: divide by zero encountered in divide",
        "  return a / b",
        "time=12 level=high",
    ]
    assert list(own_lines(lines)) == lines


def test_the_tasks_own_json_is_left():
    lines = ["{", '  "accuracy": 0.5', "}", "I am no klog line", "Error: mine"]
    assert list(own_lines(lines)) == lines


def test_a_finished_tasks_log_is_read_from_its_artifact(objects, kubernetes):
    source = LogSource("load", LOAD, kept(objects), finished=True)
    assert list(read([source], Pods(kubernetes.api(), "kubeflow"))) == [LogLine("load", "loading 300 rows")]
    assert kubernetes.asked == []


def test_without_an_artifact_it_is_read_from_the_pod(objects, kubernetes):
    kubernetes.load("success")
    kubernetes.load("failure")
    sources = [
        LogSource("load", LOAD, kept(objects, "gone"), finished=True),
        LogSource("exit-handler-1/boom", BOOM, finished=True),
    ]
    lines = list(read(sources, Pods(kubernetes.api(), "kubeflow")))
    assert lines[0] == LogLine("load", "loading 300 rows")
    assert lines[-2:] == [
        LogLine("exit-handler-1/boom", "ValueError: bad input x=7"),
        LogLine("exit-handler-1/boom", "about to fail"),
    ]


def test_a_log_that_is_gone_is_said_and_the_others_are_read(objects, kubernetes):
    sources = [
        LogSource("boom", "gone", kept(objects, "gone"), finished=True),
        LogSource("skipped", finished=True),
        LogSource("load", "", kept(objects), finished=True),
    ]
    lines = list(read(sources, Pods(kubernetes.api(), "kubeflow")))
    assert (
        lines[0].text == '(no log: no such object: mlpipeline/gone; Kubernetes: pods "gone" not found (404))'
    )
    assert lines[1:] == [LogLine("load", "loading 300 rows")]


def test_a_finished_task_whose_log_nothing_tells_of_says_so():
    sources = [LogSource("a", finished=True), LogSource("b")]
    assert list(read(sources, None)) == [
        LogLine(
            "a",
            "(no log: neither Kubernetes nor ML Metadata can be reached to find it; set %kf_config context=NAME)",
        )
    ]


def test_a_log_is_read_without_kubernetes(objects):
    assert list(read([LogSource("load", LOAD, kept(objects), finished=True)], None)) == [
        LogLine("load", "loading 300 rows")
    ]


class Run:
    """A run whose tasks a test moves on."""

    def __init__(self, *sources):
        self.now = ObservedSources(sources, over=False)
        self.looks = 0
        self.down = False

    def look(self):
        self.looks += 1
        if self.down:
            raise BackendUnavailable("no answer")
        return self.now

    def becomes(self, *sources, over=False):
        self.now = ObservedSources(sources, over=over)


def following(run, pods):
    """The lines as they come, with each what the test does after it."""
    lines = []
    stream = follow(run.look, pods, PACE)

    def until(enough: Callable[[], bool]) -> list[str]:
        for line in stream:
            if line is not None:
                lines.append(f"{line.task}: {line.text}")
            if enough():
                break
        return lines

    return lines, until


def test_running_pods_are_followed_live(kubernetes):
    one, two = kubernetes.live["a"], kubernetes.live["b"] = Live(), Live()
    run = Run(LogSource("train", "a"), LogSource("for-loop-5/0/score", "b"))
    lines, until = following(run, Pods(kubernetes.api(), "kubeflow"))
    one.say("[KFP Executor 2026-11-23 14:41:25,327 INFO]: Got executor_input:")
    one.say("{")
    one.say("}")
    one.say("epoch 1")
    assert until(lambda: len(lines) == 1) == ["train: epoch 1"]
    two.say("scored — 保存")
    assert until(lambda: len(lines) == 2)[-1] == "for-loop-5/0/score: scored — 保存"
    one.say("epoch 2")
    one.end()
    two.end()
    run.becomes(
        LogSource("train", "a", finished=True), LogSource("for-loop-5/0/score", "b", finished=True), over=True
    )
    assert until(lambda: False)[2:] == ["train: epoch 2"]


def test_a_followed_log_says_when_there_is_no_more(kubernetes):
    kubernetes.live["a"] = Live()
    stream = follow(Run(LogSource("train", "a")).look, Pods(kubernetes.api(), "kubeflow"), PACE)
    assert next(stream) is None
    stream.close()
    kubernetes.live["a"].end()


def test_a_log_that_broke_off_is_taken_up_where_it_was(kubernetes, monkeypatch):
    monkeypatch.setattr("kfnb.resources.runs.kubeflow.logs._AGAIN", 0.0)
    first = kubernetes.live["a"] = Live()
    run = Run(LogSource("train", "a"))
    lines, until = following(run, Pods(kubernetes.api(), "kubeflow"))
    first.say("epoch 1")
    until(lambda: len(lines) == 1)
    second = kubernetes.live["a"] = Live(said=list(first.said))
    second.lines.put(first.said[0])  # what came in the second in which it broke off comes again
    second.say("epoch 2")
    first.end()
    assert until(lambda: len(lines) == 2) == ["train: epoch 1", "train: epoch 2"]
    assert any("sinceTime=" in path for path in kubernetes.asked)
    second.end()
    run.becomes(over=True)
    until(lambda: False)


def test_a_pod_that_cannot_be_followed_is_read_when_it_is_finished(kubernetes, objects):
    (refusal, *_) = (row for row in recorded_kubernetes() if row["status"] == 403)
    kubernetes.refuses = lambda path: (403, refusal["response"])
    run = Run(LogSource("load", LOAD))
    _, until = following(run, Pods(kubernetes.api(), "kubeflow"))
    until(lambda: run.looks == 2)
    run.becomes(LogSource("load", LOAD, kept(objects), finished=True), over=True)
    assert until(lambda: False) == ["load: loading 300 rows"]


def test_a_task_that_finished_between_two_looks_is_not_missed(kubernetes, objects):
    run = Run()
    lines, until = following(run, Pods(kubernetes.api(), "kubeflow"))
    until(lambda: run.looks == 2)
    run.becomes(LogSource("load", LOAD, kept(objects), finished=True))
    until(lambda: bool(lines))
    run.becomes(LogSource("load", LOAD, kept(objects), finished=True), over=True)
    assert until(lambda: False) == ["load: loading 300 rows"]


def test_a_quiet_run_is_looked_at_less_often(kubernetes):
    run = Run()
    _, until = following(run, None)
    threading.Timer(0.6, lambda: run.becomes(over=True)).start()
    until(lambda: False)
    assert run.looks < 8


def test_a_finished_run_is_followed_to_its_end_at_once(kubernetes):
    kubernetes.load("failure")
    run = Run()
    run.becomes(LogSource("exit-handler-1/boom", BOOM, finished=True), over=True)
    _, until = following(run, Pods(kubernetes.api(), "kubeflow"))
    assert until(lambda: False)[-1] == "exit-handler-1/boom: about to fail"


def test_a_log_that_breaks_off_is_not_told_twice(kubernetes):
    class Breaks:
        def __call__(self, uri):
            return self, uri

        def open(self, path, mode):
            return self

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def __iter__(self):
            yield b"one\n"
            raise OSError("the store went away")

    kubernetes.logs["a"] = "2026-11-25T00:00:00.000000000Z one\n"
    log = Artifact("executor-logs", "system.Artifact", "minio://b/log", store=Breaks())
    lines = [
        line.text for line in read([LogSource("train", "a", log, finished=True)], Pods(kubernetes.api(), "k"))
    ]
    assert lines == ["one", "(the rest of the log is missing: the store went away)"]


def test_a_server_that_does_not_answer_for_a_while_ends_nothing(kubernetes):
    live = kubernetes.live["a"] = Live()
    run = Run(LogSource("train", "a"))
    lines, until = following(run, Pods(kubernetes.api(), "kubeflow"))
    live.say("one")
    until(lambda: len(lines) == 1)
    run.down = True
    live.say("two")
    until(lambda: len(lines) == 2)
    looks = run.looks
    until(lambda: run.looks > looks + 1)
    run.down = False
    live.end()
    run.becomes(LogSource("train", "a", finished=True), over=True)
    assert until(lambda: False) == ["train: one", "train: two"]


def test_a_log_that_the_node_has_lost_is_read_from_where_it_is_kept(kubernetes, objects):
    words = "unable to retrieve container logs for containerd://0adc478e0e89"
    kubernetes.logs[LOAD] = words
    pods = Pods(kubernetes.api(), "kubeflow")
    (lost,) = read([LogSource("load", LOAD, finished=True)], pods)
    assert lost.text == f"(no log: the log of pod {LOAD} was deleted: {words})"
    assert "loading 300 rows" in end(LogSource("load", LOAD, kept(objects), finished=True), pods)
