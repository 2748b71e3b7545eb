"""The backend on a server that replays what a real one said, and what goes wrong with it."""

import json
import re
import signal
import subprocess
import sys
import threading
import time

import pytest
from cluster import Kubernetes
from idle_runs import idle_minute, seen_after
from replay import BAD, GOOD, RUNS, STOPPED, Replay, exchanges, looks, serving, text_of
from synthetic_runs import big_run, many_runs

from kfnb.entities import RunState, TaskError
from kfnb.errors import BackendError, BackendUnavailable, RunFailed, RunNotFound
from kfnb.jobs.polling import Pace
from kfnb.remote.kfp.server import KfpServer
from kfnb.remote.retry import RetryPolicy
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.events import RunFold
from kfnb.resources.runs.handle import Run
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.kubeflow.pods import Pods
from kfnb.resources.runs.kubeflow.run_details import RunDetails
from kfnb.resources.runs.kubeflow.submitter import SubmissionTerms
from kfnb.resources.runs.kubeflow.task_facts import TaskFacts
from kfnb.resources.runs.selection import Selection

HASTE = RetryPolicy(tries=2, pause=0.01, longest=0.05, connect=10.0, read=30.0)


def order(pipeline: str = "good", **arguments) -> Submission:
    import yaml

    spec = yaml.safe_load(text_of(f"pipeline-{pipeline}.yaml"))
    return Submission(spec=spec, arguments=arguments, name="good run 1", experiment="summaries")


def sent(replay: Replay, path: str = RUNS) -> list:
    return [one["body"] for one in replay.asked if (one["method"], one["path"]) == ("POST", path)]


class Words:
    """An insight that knows why boom failed."""

    def __init__(self, trouble=""):
        self.asked = 0
        self.trouble = trouble

    def facts(self, run, spec):
        self.asked += 1
        return {"exit-handler-1/boom": TaskFacts(error=TaskError("ValueError: bad input x=7"))}

    def logs(self, look, spec, task, *, follow):
        yield None


def test_a_pipeline_is_submitted_and_its_id_is_there_at_once(kubeflow, replay: Replay):
    assert kubeflow.submit(order(rows=300)) == GOOD
    (body,) = sent(replay)
    assert body["display_name"] == "good run 1"
    assert body["experiment_id"] == "91c448da-cf67-497a-ba05-e42d2ad6946f"
    assert body["runtime_config"] == {"parameters": {"rows": 300}}
    assert body["pipeline_spec"]["pipelineInfo"]["name"] == "train-and-deploy"


def test_a_missing_experiment_is_made(kubeflow, replay: Replay):
    kubeflow.submit(order(rows=300))  # the first recorded lookup found none
    assert sent(replay, "/apis/v2beta1/experiments") == [{"display_name": "summaries", "namespace": ""}]


def test_a_known_experiment_is_looked_up_once(kubeflow, replay: Replay):
    kubeflow.submit(order(rows=300))
    replay.asked.clear()
    kubeflow.submit(order(rows=100))
    assert [one["path"] for one in replay.asked] == [RUNS]


def test_how_a_run_is_to_run_is_sent_along(server, replay: Replay):
    backend = KubeflowRunEngine(server, SubmissionTerms("s3://bucket/runs", "runner"))
    submission = order(rows=300)
    quick = Submission(**{**vars(submission), "cache": False, "platform": {"platforms": {}}})
    backend.submit(Submission(**{**vars(quick), "platform": {"platforms": {"kubernetes": {}}}}))
    (body,) = sent(replay)
    assert body["service_account"] == "runner"
    assert body["runtime_config"]["pipeline_root"] == "s3://bucket/runs"
    assert body["pipeline_spec"]["platform_spec"] == {"platforms": {"kubernetes": {}}}
    assert "enableCache" not in json.dumps(body)
    assert "enableCache" in json.dumps(submission.spec)  # the caller's own stays as it was


def test_an_artifact_as_an_argument_is_refused_in_words(kubeflow):
    spec = {"root": {"inputDefinitions": {"artifacts": {"data": {}}}}}
    with pytest.raises(BackendError, match="data: Kubeflow only accepts parameters"):
        kubeflow.submit(Submission(spec=spec, arguments={"data": "s3://x"}, name="n", experiment="summaries"))


def test_a_submission_is_never_sent_twice(kubeflow, replay: Replay):
    replay.fail(times=9, cut=True, match=RUNS)
    with pytest.raises(BackendUnavailable, match="the request may have succeeded"):
        kubeflow.submit(order(rows=300))
    assert len(sent(replay)) == 1


def test_a_run_is_followed_to_its_end(kubeflow):
    run = Run(kubeflow, kubeflow.submit(order(rows=300)))
    seen = list(run.watch())
    assert seen[-1] == kubeflow.get(run.id)
    assert (seen[-1].state, seen[-1].experiment) == (RunState.SUCCEEDED, "summaries")
    states = [str(task.state) for one in seen for task in one.tasks if task.id == "train"]
    assert list(dict.fromkeys(states)) == ["PENDING", "RUNNING", "SUCCEEDED"]


def test_a_failed_run_is_waited_for_and_told_in_its_own_words(server, monkeypatch):
    monkeypatch.setattr(KubeflowRunEngine, "polling", Pace(0.01, 0.05))
    backend = KubeflowRunEngine(server, insight=Words())
    run = Run(backend, backend.submit(order("bad", x=7)))
    with pytest.raises(RunFailed, match="boom failed: ValueError: bad input x=7; after never ran"):
        run.wait(30)
    assert run.tasks["boom"].error == TaskError("ValueError: bad input x=7")


def test_of_the_runs_that_are_finished_the_newest_alone_are_kept(kubeflow, monkeypatch):
    monkeypatch.setattr("kfnb.resources.runs.kubeflow.run_cache._MOST_FINISHED", 1)
    time.sleep(1.2)  # the recorded runs are over
    ends = [kubeflow.get(run).state for run in (GOOD, BAD, STOPPED)]
    assert len(kubeflow._tracked) == 2  # the one that is kept, and the one that is asked for
    assert kubeflow.get(GOOD).state is ends[0]


def test_a_run_whose_artifacts_cannot_be_read_says_why(server):
    backend = KubeflowRunEngine(server, insight=Words(trouble="nothing answers at metadata:8080"))
    time.sleep(1.2)  # the recorded run is over
    assert backend.get(BAD).notes == (
        "outputs, artifacts and metrics are not available: nothing answers at metadata:8080",
    )


def test_what_else_is_known_is_asked_for_only_when_something_happens(server, monkeypatch):
    monkeypatch.setattr(KubeflowRunEngine, "polling", Pace(0.0, 0.0))
    words = Words()
    backend = KubeflowRunEngine(server, insight=words)
    time.sleep(1.2)  # the recorded run is over
    for _ in range(5):
        assert backend.get(BAD).state is RunState.FAILED
    assert words.asked == 1


def test_a_run_is_stopped(kubeflow, replay: Replay):
    kubeflow.submit(order("slow", s=90))
    kubeflow.stop(STOPPED)
    assert sent(replay, f"{RUNS}/{STOPPED}:terminate") == [None]
    with pytest.raises(RunFailed, match="CANCELED"):
        Run(kubeflow, STOPPED).wait(30)
    kubeflow.stop(STOPPED)  # is harmless now
    assert len(sent(replay, f"{RUNS}/{STOPPED}:terminate")) == 1


def states(run) -> list[str]:
    """The run's, and those of its tasks: of what fails, its exit handler first."""
    return [str(run.state), *(str(task.state) for task in run.tasks)]


def test_a_retried_run_is_not_taken_for_failed_while_the_server_still_says_so(
    server, replay: Replay, monkeypatch
):
    monkeypatch.setattr(KubeflowRunEngine, "polling", Pace(0.0, 0.0))
    kubeflow, seen = KubeflowRunEngine(server), looks(BAD)
    now = {"look": 7}
    replay.invented = lambda method, path, _: (
        (200, seen[now["look"]]) if method == "GET" and BAD in path else None
    )
    assert states(kubeflow.get(BAD)) == ["FAILED", "FAILED", "FAILED", "SKIPPED", "SUCCEEDED"]
    kubeflow.retry(BAD)
    for _ in range(2):  # the same answer, six seconds long
        assert states(kubeflow.get(BAD)) == ["PENDING", "PENDING", "PENDING", "PENDING", "SUCCEEDED"]
    now["look"] = 8  # of what was skipped, the row of the attempt before is still there
    assert states(kubeflow.get(BAD)) == ["RUNNING", "RUNNING", "RUNNING", "PENDING", "SUCCEEDED"]
    now["look"] = 9
    assert states(kubeflow.get(BAD)) == ["FAILED", "FAILED", "FAILED", "SKIPPED", "SUCCEEDED"]


def test_only_what_is_finished_is_retried(kubeflow, replay: Replay):
    kubeflow.submit(order("bad", x=7))
    with pytest.raises(BackendError, match=f"run {BAD} is .*; stop it first"):
        kubeflow.retry(BAD)


def test_a_run_that_is_not_there(kubeflow):
    none = "00000000-0000-0000-0000-000000000000"
    with pytest.raises(RunNotFound, match=none):
        kubeflow.get(none)
    with pytest.raises(RunNotFound, match=none):
        kubeflow.stop(none)


def test_a_run_that_somebody_else_deletes_while_it_is_followed(kubeflow, replay: Replay):
    run = Run(kubeflow, kubeflow.submit(order(rows=300)))
    watching = run.watch()
    next(watching)
    replay.fail(times=99, status=404, body={"code": 5, "message": "Run not found"}, match=GOOD)
    with pytest.raises(RunNotFound, match="it may have been deleted"):
        list(watching)


def test_runs_are_listed_with_their_experiment_and_without_their_tasks(kubeflow):
    runs = kubeflow.list(Selection(experiment="summaries"), limit=10)
    # the first lookup of the recording found no such experiment
    assert [run.name for run in runs][:2] == ["to cancel", "bad run"]
    assert [str(run.state) for run in runs] == ["CANCELED", "FAILED", "SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]
    assert all(run.tasks == () and run.experiment == "summaries" for run in runs)


@pytest.fixture(autouse=True)
def _experiment_is_known(request, replay: Replay):
    if "listed" in request.node.name:
        for key, rows in replay.recording.answers.items():
            if "/experiments" in key[1]:
                rows[:] = [row for row in rows if row["response"]] or rows


def _listing(replay: Replay, runs: list) -> None:
    def invented(method, path, body):
        if method != "GET" or not path.startswith(f"{RUNS}?"):
            return None
        size = int(re.search(r"page_size=(\d+)", path)[1])
        begin = int((re.search(r"page_token=(\d+)", path) or [0, 0])[1])
        more = {"next_page_token": str(begin + size)} if begin + size < len(runs) else {}
        return 200, {"runs": runs[begin : begin + size], "total_size": len(runs), **more}

    replay.invented = invented


def test_five_thousand_runs_are_asked_for_as_far_as_they_are_wanted(kubeflow, replay: Replay):
    _listing(replay, many_runs(5000))
    assert len(kubeflow.list(limit=20)) == 20
    asked = [one["path"] for one in replay.asked if one["path"].startswith(f"{RUNS}?")]
    assert len(asked) == 1
    assert "page_size=20" in asked[0]
    assert "sort_by=created_at+desc" in asked[0]
    assert len(kubeflow.list(limit=5000)) == 5000
    assert len({run.id for run in kubeflow.list(limit=250)}) == 250


def test_runs_are_filtered_by_the_server_and_by_their_own_state(kubeflow, replay: Replay):
    runs = many_runs(10)
    runs[3]["state_history"] = [{"state": "CANCELING"}, {"state": "FAILED"}]
    runs[5]["storage_state"] = "ARCHIVED"
    _listing(replay, runs)
    assert [run.name for run in kubeflow.list(Selection(state=RunState.CANCELED))] == ["run 3"]
    assert [
        run.name for run in kubeflow.list(Selection(state=RunState.FAILED, name="run", since=0, until=9e9))
    ] == [
        "run 1",
        "run 7",
        "run 9",
    ]
    last = next(one["path"] for one in reversed(replay.asked))
    for word in ("IS_SUBSTRING", "EQUALS", "FAILED"):
        assert word in last
    assert len(kubeflow.list(Selection(archived=True))) == 10


def test_an_experiment_that_is_not_there_is_said(kubeflow, replay: Replay):
    replay.invented = lambda _, path, __: (200, {}) if "/experiments" in path else None
    with pytest.raises(BackendError, match="unknown experiment moon"):
        kubeflow.list(Selection(experiment="moon"))


def test_the_start_of_an_id_is_enough_where_it_is_unique(kubeflow, replay: Replay):
    runs = many_runs(3)
    runs[0]["run_id"] = GOOD
    _listing(replay, runs)
    assert kubeflow.get(GOOD[:6]).id == GOOD
    with pytest.raises(RunNotFound, match="2 runs begin with 0000"):
        kubeflow.get("0000")
    with pytest.raises(RunNotFound, match="no run id begins with zzz"):
        kubeflow.get("zzz")


def test_however_many_look_the_server_is_asked_once_in_a_while(server, replay: Replay, monkeypatch):
    monkeypatch.setattr(KubeflowRunEngine, "polling", Pace(0.2, 3.0))
    kubeflow = KubeflowRunEngine(server)
    time.sleep(1.2)  # the recorded run is over: nothing changes
    views = [Run(kubeflow, GOOD).observe() for _ in range(3)]
    until = time.monotonic() + 2.0
    while time.monotonic() < until:
        for view in views:
            view.refresh()
        time.sleep(0.01)
    assert {view.run.state for view in views} == {RunState.SUCCEEDED}
    assert len([path for path in replay.paths() if path.endswith(GOOD)]) <= 5  # 0, .3, .75, 1.4, 2.4 s


def test_an_idle_minute_with_three_runs_on_display_takes_twelve_requests_at_most_and_few_of_others():
    asked = idle_minute(speed=20)
    assert 3 <= asked["Kubeflow Pipelines"] <= 12
    # each of the runs once at the most: 90 s lie between two times
    assert asked["Kubernetes"] <= 3
    assert asked["ML Metadata"] <= 3


@pytest.mark.parametrize("idle", [31.0, 62.5])
def test_a_steps_end_is_seen_soon_though_nothing_has_happened_for_long(idle: float):
    assert seen_after(idle, speed=10) < 8  # 5, and what a busy machine takes ten times of


def test_a_run_whose_tasks_have_pods_that_run_is_not_asked_for_again_of_kubernetes(kubernetes: Kubernetes):
    kubernetes.load("failure")
    pods = [pod for pod in kubernetes.pods if "boom" in str(pod["metadata"]["annotations"])]
    for pod in pods:
        pod["status"]["phase"] = "Pending"
    looks_of_kubernetes = []
    with serving() as replay:
        replay.invented = lambda *_: (200, looks(BAD)[4])
        insight = RunDetails(None, None, Pods(kubernetes.api(), "kubeflow"))
        run = KubeflowRunEngine(KfpServer(replay.url), insight=insight)._track(BAD).watch
        for phase in ("Pending", "Pending", "Running", "Running", "Running"):
            for pod in pods:
                pod["status"]["phase"] = phase
            before = len(kubernetes.asked)
            run.run(0)
            looks_of_kubernetes.append(len(kubernetes.asked) > before)
    assert looks_of_kubernetes == [True, True, True, False, False]


def test_kubernetes_is_asked_again_while_a_task_is_due_and_has_not_begun(kubernetes: Kubernetes):
    asked = []
    with serving() as replay:
        insight = RunDetails(None, None, Pods(kubernetes.api(), "kubeflow"))
        run = KubeflowRunEngine(KfpServer(replay.url), insight=insight)._track(GOOD).watch
        for look in (1, 1, 5, 5, 5, 15, 15):  # nothing has begun; load is done, train not begun; all is done
            replay.invented = lambda *_, look=look: (200, looks(GOOD)[look])
            before = len(kubernetes.asked)
            run.run(0)
            asked.append(len(kubernetes.asked) > before)
    assert asked == [True, True, True, True, True, True, False]


def test_a_run_that_is_waited_for_is_asked_for_at_the_backends_pace(server, replay: Replay, monkeypatch):
    monkeypatch.setattr(KubeflowRunEngine, "polling", Pace(0.1, 1.5))
    kubeflow = KubeflowRunEngine(server)
    Run(kubeflow, kubeflow.submit(order(rows=300))).wait(30)
    assert len([path for path in replay.paths() if path.endswith(GOOD)]) <= 13


def test_who_follows_survives_a_server_that_is_down_for_long(kubeflow, replay: Replay):
    run = Run(kubeflow, kubeflow.submit(order(rows=300)))
    view = run.observe()
    view.refresh()
    watching = run.watch()
    next(watching)
    replay.fail(times=60, drop=True)  # an hour, at the real pace
    time.sleep(0.1)
    view.refresh()
    (note,) = view.run.notes
    assert note.startswith("no update since ")
    assert note.endswith(
        f"retrying: Kubeflow Pipelines at {replay.url} does not answer: the connection was dropped"
    )
    with pytest.raises(BackendUnavailable):
        view.refresh()
    seen = list(watching)
    assert any(run.notes == (note,) for run in seen)
    assert (seen[-1].state, seen[-1].notes) == (RunState.SUCCEEDED, ())
    assert run.wait(10) is run
    view.refresh()
    assert view.run.state is RunState.SUCCEEDED


def test_a_server_that_is_down_is_asked_ever_more_seldom(server, replay: Replay, monkeypatch):
    monkeypatch.setattr(KubeflowRunEngine, "polling", Pace(0.05, 10.0))
    server._http.retry = RetryPolicy(tries=1)
    kubeflow = KubeflowRunEngine(server)
    view = Run(kubeflow, GOOD).observe()
    replay.fail(times=10_000, drop=True)
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        with pytest.raises(BackendUnavailable):
            view.refresh()
    assert len(replay.asked) <= 8


def test_an_interrupt_while_waiting_says_that_the_run_goes_on_and_how_to_come_back(replay: Replay):
    program = (
        "import os, signal, threading\n"
        "from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine\n"
        "from kfnb.remote.kfp.server import KfpServer\n"
        "from kfnb.resources.runs.handle import Run\n"
        f"run = Run(KubeflowRunEngine(KfpServer('{replay.url}')), '{STOPPED}')\n"
        "print(run.state, flush=True)\n"
        "threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "run.wait()\n"
    )
    replay.recording.speed = 0.0
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode in (-signal.SIGINT, 1, 130)
    last = done.stderr.strip().splitlines()[-1]
    assert last == (
        f"KeyboardInterrupt: run {STOPPED} is still running; reattach with kfnb.run('{STOPPED}'), stop it with .stop()"
    )
    assert sent(replay, f"{RUNS}/{STOPPED}:terminate") == []


def test_two_threads_that_look_at_once_ask_once(server, replay: Replay):
    kubeflow = KubeflowRunEngine(server)
    replay.fail(times=0)
    threads = [threading.Thread(target=kubeflow.get, args=(GOOD,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([path for path in replay.paths() if path.endswith(GOOD)]) <= 2


def test_a_thousand_tasks_come_through_in_no_time(server, replay: Replay):
    answer = big_run(1000)
    replay.invented = lambda _, path, __: (200, answer) if path.endswith(GOOD) else None
    began = time.monotonic()
    run = KubeflowRunEngine(server).get(GOOD)
    assert time.monotonic() - began < 2
    assert sum(not task.group for task in run.tasks) == 1000
    fold = RunFold(GOOD)
    for event in KubeflowRunEngine(server).events(GOOD, follow=False):
        fold.add(event)
    assert len(fold.run.tasks) == len(run.tasks)


def test_a_run_of_a_stored_version_has_that_versions_tasks(server, replay: Replay):
    answer = next(row["response"] for row in exchanges("catalog") if row["path"] == RUNS)
    assert "pipeline_spec" not in answer
    replay.invented = lambda _, path, __: (200, answer) if path.endswith(answer["run_id"]) else None
    run = KubeflowRunEngine(server).get(answer["run_id"])
    assert (run.pipeline, run.arguments["rows"], len(run.tasks)) == ("train-and-deploy", 5, 9)
    assert len([path for path in replay.paths() if "/versions/" in path]) == 1


def test_a_new_process_sees_what_was_submitted_by_another():
    with serving(speed=1000.0) as replay:
        first = KubeflowRunEngine(KfpServer(replay.url, retry=HASTE))
        run_id = first.submit(order(rows=300))
        time.sleep(0.3)
        other = KubeflowRunEngine(KfpServer(replay.url, retry=HASTE))
        assert other.get(run_id).state is RunState.SUCCEEDED
