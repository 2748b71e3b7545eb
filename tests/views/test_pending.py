"""A task that waits says so, and what for, wherever it is shown."""

from dataclasses import replace

import widget_pages as reading
import widget_samples as samples

from kfnb.entities import RunSnapshot, RunState, Task
from kfnb.resources.cluster.model import Knowledge, Machine, Status, StatusItem, WaitingPod
from kfnb.resources.cluster.view.status import draw_status
from kfnb.resources.runs.view.progress import draw_progress
from kfnb.resources.runs.view.run import draw_run
from kfnb.resources.runs.view.task import draw_task
from kfnb.resources.runs.wire import RunWire

REASON = "cannot be scheduled: 0/1 nodes are available: 1 Insufficient cpu"
WAITS = Task(
    "many",
    "many",
    RunState.RUNNING,
    started=samples.START,
    began=(samples.START,),
    attempts=1,
    doing=REASON,
)
RUN = RunSnapshot("r1", "r", "no-room", "kubeflow", RunState.RUNNING, started=samples.START, tasks=(WAITS,))


def test_the_line_for_terminals_says_what_it_waits_for_and_not_that_it_runs():
    assert draw_progress(RUN, now=samples.START + 9) == f"0/1 done · many: {REASON}"


def test_tasks_that_wait_for_the_same_are_named_once_and_before_those_that_run():
    first = [replace(WAITS, id=name, name=name, doing="waiting for Argo") for name in "abc"]
    runs = Task("d", "d", RunState.RUNNING, started=samples.START)
    line = draw_progress(replace(RUN, tasks=(*first, runs)), now=samples.START + 9)
    assert line == "0/4 done · a and 2 more: waiting for Argo · d running 9.0 s"


def test_many_reasons_are_counted():
    tasks = tuple(replace(WAITS, id=name, name=name, doing=f"for {name}") for name in "abcde")
    assert draw_progress(replace(RUN, tasks=tasks)) == "0/5 done · a: for a, b: for b, 3 more wait"


def test_a_run_that_is_pending_says_what_it_waits_for():
    task = Task("a", "a", doing="waiting for Argo Workflows to start the run")
    run = replace(RUN, state=RunState.PENDING, started=None, tasks=(task,))
    assert draw_progress(run) == "Pending · 0/1 done · a: waiting for Argo Workflows to start the run"
    assert "- a: waiting for Argo Workflows to start the run" in draw_run(run)["text/plain"]


def test_a_picture_of_the_run_says_it_above_all_in_the_graph_and_in_its_row():
    drawn = draw_run(RUN, now=samples.START + 9)
    text, page = drawn["text/plain"], reading.read(drawn["text/html"])
    assert f"Waiting\n- many: {REASON}\n" in text
    assert f"many: {REASON}" in page.text
    header, row = reading.rows(drawn["text/html"])[:2]
    shown = dict(zip(header, row, strict=True))
    assert shown["State"] == "○ Pending"
    assert shown["Note"].startswith("cannot be scheduled: 0/1 nodes are")
    assert "Time" not in shown
    assert "<title>many: 1 Pending; " + REASON in drawn["text/html"]
    assert "Pending · cannot be scheduled" in drawn["text/html"]


def test_a_finished_run_waits_for_nothing():
    run = replace(RUN, state=RunState.FAILED, finished=samples.NOW)
    assert "Waiting" not in draw_run(run)["text/plain"]


def test_a_task_alone_says_it_too():
    assert draw_task(WAITS)["text/plain"].startswith(f"○ Pending · many\n{REASON}")


def test_the_live_picture_is_told_that_it_waits():
    (task,) = RunWire().whole(RUN).parts
    assert (task["state"], task["began"], task["doing"]) == ("PENDING", [], REASON)


def test_a_group_goes_on_while_one_of_its_turns_waits():
    loop = Task("loop", "loop", RunState.RUNNING, group=True, started=samples.START, doing=REASON)
    (task,) = RunWire().whole(replace(RUN, tasks=(loop,))).parts
    assert (task["state"], task["doing"]) == ("RUNNING", REASON)
    assert f"- loop: {REASON}" in draw_run(replace(RUN, tasks=(loop,)))["text/plain"]


def test_the_status_says_in_words_why_a_pod_waits():
    pods = (WaitingPod("p-1", "Unschedulable", "0/1 nodes are available: 1 Insufficient cpu", "Workflow/p"),)
    status = Status("kubeflow", Machine(1), server="https://k", waiting=StatusItem(Knowledge.KNOWN, pods))
    text = draw_status(status)["text/plain"]
    assert "Unschedulable" in text
    assert "0/1 nodes are available: 1 Insufficient cpu" in text
