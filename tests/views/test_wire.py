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

from kfnb.entities import RunSnapshot, RunState, Task, TaskError
from kfnb.live.messages import (
    ChangeMessage,
    DetailMessage,
    FileMessage,
    GoneMessage,
    LogMessage,
    PieceMessage,
    ReplyMessage,
    WholeMessage,
    to_json,
)
from kfnb.resources.runs import wire
from kfnb.resources.runs.wire import RunsWire, RunWire
from kfnb.resources.studies.model import Trial, TrialState
from kfnb.resources.studies.wire import StudyWire

MESSAGES = Path(__file__).parent / "golden" / "messages.json"


def changed(run, task_id, **fields):
    tasks = tuple(replace(task, **fields) if task.id == task_id else task for task in run.tasks)
    return replace(run, tasks=tasks)


@pytest.fixture
def running():
    return RunSnapshot(
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
    told = RunWire(lambda run: f"%kf_submit {run.pipeline}").whole(running)
    load, train = told.parts
    assert (told.head["pipeline"], told.head["state"]) == ("p", "RUNNING")
    assert told.head["command"] == "%kf_submit p"
    assert (load["state"], load["began"], load["path"]) == ("RUNNING", [samples.START], ["load"])
    assert train["needs"] == {"load": ["df", "cols"]}


def test_then_only_what_is_new(running):
    later = changed(running, "load", state=RunState.SUCCEEDED, finished=samples.START + 2)
    told = RunWire().change(running, later)
    assert told.head == {}
    assert told.parts == [{"id": "load", "state": "SUCCEEDED", "finished": samples.START + 2}]


def test_what_says_the_same_in_other_objects_is_not_told(running):
    again = replace(running, tasks=tuple(replace(task) for task in running.tasks))
    assert not RunWire().change(running, again)


def test_the_run_s_own_fields_and_a_new_task_are_told_as_they_come(running):
    later = replace(
        running,
        state=RunState.FAILED,
        error="no",
        finished=samples.START + 9,
        tasks=(*running.tasks, samples.task("report", RunState.SKIPPED)),
    )
    told = RunWire().change(running, later)
    assert told.head == {"state": "FAILED", "error": "no", "finished": samples.START + 9}
    assert [part["name"] for part in told.parts] == ["report"]


def test_turns_of_a_loop_share_a_path_and_have_numbers():
    run = samples.succeeded()
    told = {task["id"]: task for task in RunWire().whole(run).parts}
    assert "for-loop-1/0" not in told  # a turn is no task
    assert told["for-loop-1/2/train"]["path"] == ["for-loop-1", "train"]
    assert told["for-loop-1/2/train"]["turn"] == [2]
    assert told["for-loop-1/1/condition-2/deploy"]["path"] == ["for-loop-1", "condition-2", "deploy"]
    assert told["for-loop-1/1/condition-2/deploy"]["turn"] == [1]
    assert told["for-loop-1"]["title"] == "loop"


def test_a_branch_is_told_by_its_condition_and_by_what_that_came_to():
    branch = samples.task("condition-2", group=True, condition="if acc > 0.9", decided="0.93 > 0.9: taken")
    told = RunWire().whole(RunSnapshot("r", "r", "p", "local", tasks=(branch,))).parts[0]
    assert (told["title"], told["branch"], told["decided"]) == ("if acc > 0.9", True, "0.93 > 0.9: taken")


def test_a_run_that_has_not_begun_says_what_is_being_done():
    run = RunSnapshot("r", "r", "p", "local", state=RunState.PENDING)
    assert RunWire().whole(run).head["doing"] == "Starting the engine"
    assert RunWire().whole(replace(run, state=RunState.RUNNING)).head["doing"] == ""


def test_tasks_whose_parents_go_round_in_a_ring_are_told_all_the_same():
    tasks = (Task("a", "a", parent="b"), Task("b", "b", parent="a"))
    run = RunSnapshot("r", "r", "p", "local", tasks=tasks)
    assert len(RunWire().whole(run).parts) == 2


def test_a_change_stays_under_a_kilobyte_however_much_there_is_to_say(running):
    error = TaskError("x" * 100_000, "y" * 100_000, "cell train [3], line 2")
    later = changed(running, "load", state=RunState.FAILED, error=error, finished=1.0, doing="z" * 9999)
    assert len(json.dumps(RunWire().change(running, later).parts)) < 1024


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.text(), values, max_size=4), st.text(), st.sampled_from(RunState))
def test_whatever_a_run_holds_is_told_as_json(arguments, text, state):
    run = RunSnapshot(
        id=text, name=text, pipeline=text, backend=text, state=state, arguments=arguments, error=text,
        notes=(text,), tasks=(Task(text, text, needs=(text,), doing=text, error=TaskError(text, text, text)),),
    )  # fmt: skip
    told = RunWire().whole(run)
    said = json.dumps([told.head, told.parts], allow_nan=False)
    assert json.loads(said)[0]["state"] == state


def test_the_page_s_own_tests_read_what_is_sent_today():
    """`KFNB_WRITE=1` writes the file anew."""
    messages = json.dumps(every_message(), indent=1, sort_keys=True) + "\n"
    if os.environ.get("KFNB_WRITE"):
        MESSAGES.write_text(messages)
    assert MESSAGES.read_text() == messages


def every_message():
    """One message of each kind that the kernel sends."""
    done, failed = samples.succeeded(), samples.failed()
    began = changed(failed, "train", state=RunState.RUNNING, error=None, finished=None)
    task = "run", done.id, "load"
    messages = [
        whole("run", done.id, RunWire().whole(done)),
        whole("run", failed.id, RunWire().whole(began)),
        change("run", failed.id, RunWire().change(began, failed)),
        GoneMessage("run", failed.id, "no run is called that any more"),
        DetailMessage("run", failed.id, "train", html="<div><p>ValueError</p></div>", error="train failed"),
        wire.labels("run", done),
        LogMessage(*task, first=0, total=2, ended=True, times=[(0, 1.5)]),
        FileMessage(*task, name="load.log", last=True),
        ReplyMessage("run", done.id, "Stopping.", ok=True),
        PieceMessage("run", done.id, "report", "outputs/page", "report-page.html", size=3, first=0, error=""),
        whole("runs", "runs-1", RunsWire().whole([done, failed])),
        *study_messages(),
    ]
    return [to_json(message) for message in messages]


def whole(type, id, content):
    return WholeMessage(type, id, 0, samples.NOW, content.head, content.parts)


def change(type, id, content):
    return ChangeMessage(type, id, 1, samples.NOW, content.head, content.parts)


def study_messages():
    """A study as it goes on, and then: a trial that has ended, one that failed, one that is new."""
    study = studies.going_on(14, 8)
    ended = replace(study.trials[8], state=TrialState.SUCCEEDED, value=0.5, finished=samples.NOW)
    failed = replace(study.trials[9], state=TrialState.FAILED, error=studies.ERROR)
    new = Trial(10, TrialState.RUNNING, {"lr": 0.01, "layers": 2, "act": "relu", "dropout": 0.1})
    later = replace(study, trials=(*study.trials[:8], ended, failed, new), importances={"lr": 1.0})
    trial = "study", "local/bowl", "8"
    return [
        whole("study", "local/bowl", StudyWire().whole(study)),
        change("study", "local/bowl", StudyWire().change(study, later)),
        DetailMessage(*trial, html="<div><p>lr</p></div>", error=""),
        LogMessage(*trial, first=0, total=2, ended=True, times=[]),
    ]
