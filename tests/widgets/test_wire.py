"""What the page is told of a run: whole, or what is new; and that each message is what `js/` reads."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import study_samples as studies
import widget_samples as samples
from hypothesis import given
from hypothesis import strategies as st

from kfnb.model import Run, RunState, Task, TaskError, Trial, TrialState
from kfnb.resources.runs import wire
from kfnb.resources.runs.wire import Wire
from kfnb.resources.studies import wire as study_wire
from kfnb.resources.studies.wire import StudyWire

MESSAGES = Path(__file__).parents[2] / "js" / "test" / "messages.json"


@pytest.fixture(autouse=True)
def _at_that_moment(monkeypatch):
    monkeypatch.setattr(wire.time, "time", lambda: samples.NOW)
    monkeypatch.setattr(study_wire.time, "time", lambda: samples.NOW)


def by_id(run):
    return {task.id: task for task in run.tasks}


def changed(run, task_id, **fields):
    tasks = tuple(replace(task, **fields) if task.id == task_id else task for task in run.tasks)
    return replace(run, tasks=tasks)


@pytest.fixture
def running():
    return Run(
        id="r",
        name="r",
        pipeline="p",
        backend="local",
        state=RunState.RUNNING,
        started=samples.START,
        tasks=(
            samples.task("load", RunState.RUNNING, began=(samples.START,)),
            samples.task("train", RunState.PENDING, needs=["load"], takes={"load": ("df", "cols")}),
        ),
    )


def test_the_whole_run_is_told_first(running):
    message = Wire("r").whole(running)
    load, train = message["run"]["tasks"]
    assert (message["kind"], message["seq"]) == ("run", 0)
    assert (load["state"], load["began"], load["path"]) == ("RUNNING", [samples.START], ["load"])
    assert train["needs"] == {"load": ["df", "cols"]}


def test_then_only_what_is_new(running):
    page = Wire("r")
    page.whole(running)
    later = changed(running, "load", state=RunState.SUCCEEDED, finished=samples.START + 2)
    assert page.change(later, {"load"}, by_id(later)) == {
        "kind": "change",
        "id": "r",
        "seq": 1,
        "now": samples.NOW,
        "tasks": [{"id": "load", "state": "SUCCEEDED", "finished": samples.START + 2}],
    }


def test_nothing_is_told_twice(running):
    page = Wire("r")
    page.whole(running)
    assert page.change(running, {"load", "train", ""}, by_id(running)) is None


def test_the_run_s_own_fields_and_a_new_task_are_told_as_they_come(running):
    page = Wire("r")
    page.whole(running)
    later = replace(
        running,
        state=RunState.FAILED,
        error="no",
        finished=samples.START + 9,
        tasks=(*running.tasks, samples.task("report", RunState.SKIPPED)),
    )
    message = page.change(later, {"", "report"}, by_id(later))
    assert message["run"] == {"state": "FAILED", "error": "no", "finished": samples.START + 9}
    assert message["tasks"][0]["name"] == "report"


def test_a_page_that_asks_again_is_told_where_the_changes_go_on(running):
    page = Wire("r")
    page.whole(running)
    later = changed(running, "load", state=RunState.SUCCEEDED)
    page.change(later, {"load"}, by_id(later))
    assert page.whole(later)["seq"] == 1


def test_turns_of_a_loop_share_a_path_and_have_numbers():
    run = samples.succeeded()
    told = {task["id"]: task for task in Wire(run.id).whole(run)["run"]["tasks"]}
    assert "for-loop-1/0" not in told  # a turn is no task
    assert told["for-loop-1/2/train"]["path"] == ["for-loop-1", "train"]
    assert told["for-loop-1/2/train"]["turn"] == [2]
    assert told["for-loop-1/1/condition-2/deploy"]["path"] == ["for-loop-1", "condition-2", "deploy"]
    assert told["for-loop-1/1/condition-2/deploy"]["turn"] == [1]
    assert told["for-loop-1"]["title"] == "loop"


def test_a_branch_is_told_by_its_condition_and_by_what_that_came_to():
    branch = samples.task("condition-2", group=True, condition="if acc > 0.9", decided="0.93 > 0.9: taken")
    told = Wire("r").whole(Run("r", "r", "p", "local", tasks=(branch,)))["run"]["tasks"][0]
    assert (told["title"], told["branch"], told["decided"]) == ("if acc > 0.9", True, "0.93 > 0.9: taken")


def test_a_run_that_has_not_begun_says_what_is_being_done():
    run = Run("r", "r", "p", "local", state=RunState.PENDING)
    assert Wire("r").whole(run)["run"]["doing"] == "Starting the engine"
    assert Wire("r").whole(replace(run, state=RunState.RUNNING))["run"]["doing"] == ""


def test_tasks_whose_parents_go_round_in_a_ring_are_told_all_the_same():
    tasks = (Task("a", "a", parent="b"), Task("b", "b", parent="a"))
    run = Run("r", "r", "p", "local", tasks=tasks)
    assert len(Wire("r").whole(run)["run"]["tasks"]) == 2


def test_a_change_stays_under_a_kilobyte_however_much_there_is_to_say(running):
    page = Wire("r")
    page.whole(running)
    error = TaskError("x" * 100_000, "y" * 100_000, "cell train [3], line 2")
    later = changed(running, "load", state=RunState.FAILED, error=error, finished=1.0, doing="z" * 9999)
    assert len(json.dumps(page.change(later, {"load"}, by_id(later)))) < 1024


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.text(), values, max_size=4), st.text(), st.sampled_from(RunState))
def test_whatever_a_run_holds_is_told_as_json(arguments, text, state):
    run = Run(
        id=text, name=text, pipeline=text, backend=text, state=state, arguments=arguments, error=text,
        notes=(text,), tasks=(Task(text, text, needs=(text,), doing=text, error=TaskError(text, text, text)),),
    )  # fmt: skip
    said = json.dumps(Wire(run.id).whole(run), allow_nan=False)
    assert json.loads(said)["run"]["state"] == state


def test_the_page_s_own_tests_read_what_is_sent_today():
    """`KFNB_WRITE=1` writes the file anew."""
    messages = json.dumps(every_message(), indent=1, sort_keys=True) + "\n"
    if os.environ.get("KFNB_WRITE"):
        MESSAGES.write_text(messages)
    assert MESSAGES.read_text() == messages


def every_message():
    """One message of each kind that the kernel sends, as it sends it; `detail` and `log` as the board does."""
    done, failed = samples.succeeded(), samples.failed()
    page = Wire(failed.id)
    whole = page.whole(changed(failed, "train", state=RunState.RUNNING, error=None, finished=None))
    return [
        Wire(done.id).whole(done),
        whole,
        page.change(failed, {"", "train"}, by_id(failed)),
        {"kind": "gone", "id": failed.id, "text": "no run is called that any more"},
        {
            "kind": "detail",
            "id": failed.id,
            "task": "train",
            "html": "<div><p>ValueError</p></div>",
            "error": "train failed",
        },
        wire.labels(done),
        {
            "kind": "log",
            "id": done.id,
            "task": "load",
            "first": 0,
            "total": 2,
            "ended": True,
            "times": [[0, 1.5]],
        },
        {"kind": "file", "id": done.id, "task": "load", "name": "load.log", "last": True},
        {"kind": "said", "id": done.id, "text": "Stopping.", "ok": True},
        {
            "kind": "piece",
            "id": done.id,
            "task": "report",
            "artifact": "outputs/page",
            "name": "report-page.html",
            "size": 3,
            "first": 0,
            "error": "",
        },
        wire.rows("runs-1", [done, failed]),
        *study_messages(),
    ]


def study_messages():
    """A study as it goes on, and then: a trial that has ended, one that failed, one that is new."""
    study = studies.going_on(14, 8)
    page = StudyWire("study/local/bowl")
    whole = page.whole(study)
    ended = replace(study.trials[8], state=TrialState.SUCCEEDED, value=0.5, finished=samples.NOW)
    failed = replace(study.trials[9], state=TrialState.FAILED, error=studies.ERROR)
    new = Trial(10, TrialState.RUNNING, {"lr": 0.01, "layers": 2, "act": "relu", "dropout": 0.1})
    later = replace(study, trials=(*study.trials[:8], ended, failed, new), importances={"lr": 1.0})
    return [
        whole,
        page.change(later, {-1, 8, 9, 10}),
        {
            "kind": "detail",
            "id": "study/local/bowl",
            "task": "8",
            "html": "<div><p>lr</p></div>",
            "error": "",
        },
        {
            "kind": "log",
            "id": "study/local/bowl",
            "task": "8",
            "first": 0,
            "total": 2,
            "ended": True,
            "times": [],
        },
    ]
