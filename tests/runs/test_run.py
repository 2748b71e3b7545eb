"""The handle of a run: what it joins, what it says, and what it raises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kfnb import entities
from kfnb.entities import Artifact, RunState, Task
from kfnb.errors import RunFailed
from kfnb.jobs.fold import Event
from kfnb.jobs.polling import Pace
from kfnb.resources.runs.events import RunFold, decode, encode, fold
from kfnb.resources.runs.handle import Run, RunList


class Kept:
    """A backend that has one run, and lets nothing happen to it."""

    name = "kept"
    pace = Pace(0.01, 0.05)

    def __init__(self, run: entities.RunSnapshot) -> None:
        self.run = run

    def get(self, run_id: str) -> entities.RunSnapshot:
        assert run_id == self.run.id
        return self.run

    def events(self, run_id: str, *, after: int = 0, follow: bool = True) -> Iterator[Event]:
        del run_id, follow
        about = {name: getattr(self.run, name) for name in ("name", "pipeline", "backend")}
        state = {"state": self.run.state, "error": self.run.error}
        facts = [Event(1, 0.0, "created", data=about), Event(2, 1.0, "state", data=state)]
        yield from (fact for fact in facts if fact.seq > after)


def handle(*tasks: Task, state: RunState = RunState.SUCCEEDED, **fields: Any) -> Run:
    return Run(Kept(entities.RunSnapshot("r1", "name", "churn", "kept", state, tasks=tasks, **fields)), "r1")  # type: ignore[arg-type]


def task(task_id: str, **fields: Any) -> Task:
    return Task(task_id, task_id.rpartition("/")[2], RunState.SUCCEEDED, **fields)


def test_outputs_are_by_task_and_name() -> None:
    run = handle(task("load", outputs={"n": 3}), task("train-model", outputs={"a": 1}, metrics={"loss": 0.5}))
    assert run.outputs["load"]["n"] == 3
    assert run.outputs["train_model"]["a"] == 1  # as the notebook calls it
    assert run.metrics["train-model"] == {"loss": 0.5}


def test_a_task_in_a_loop_gives_lists_in_the_order_of_its_iterations() -> None:
    tasks = [task(f"loop/{i}/train", iteration=i, outputs={"a": 10 * i}) for i in (2, 0, 1)]
    assert handle(*tasks).outputs["train"]["a"] == [0, 10, 20]


def test_a_loop_in_a_loop_gives_lists_of_lists() -> None:
    groups = [Task(f"out/{i}/in", "in", group=True, iteration=i, parent="out") for i in range(2)]
    inner = [
        task(f"out/{i}/in/{j}/t", iteration=j, outputs={"v": (i, j)}) for i in range(2) for j in range(3)
    ]
    assert handle(*groups, *inner).outputs["t"]["v"] == [[(0, 0), (0, 1), (0, 2)], [(1, 0), (1, 1), (1, 2)]]


def test_a_task_in_a_loop_and_one_of_its_name_outside_of_it_do_not_get_lost() -> None:
    tasks = [task("loop/0/t", iteration=0, outputs={"v": 1}), task("t", outputs={"v": 0})]
    assert handle(*tasks).outputs["t"]["v"] == [0, 1]


def test_a_name_that_is_not_there_tells_which_are() -> None:
    run = handle(task("load", outputs={"n": 3}))
    with pytest.raises(KeyError, match="unknown task lode; the run has load"):
        run.outputs["lode"]
    with pytest.raises(KeyError, match="load has no output m; it has n; --output NAME"):
        run.outputs["load"]["m"]
    with pytest.raises(KeyError, match=r"load has no metric m; it has none$"):
        run.metrics["load"]["m"]


def test_what_a_running_run_does_not_have_yet_is_told_with_how_to_wait_for_it() -> None:
    run = handle(Task("train", "train", RunState.RUNNING), state=RunState.RUNNING)
    waits = r"run\.wait\(\) waits for"
    with pytest.raises(
        KeyError, match=f"output loss of train is not available yet: train is running; {waits}"
    ):
        run.outputs["train"]["loss"]
    with pytest.raises(
        KeyError, match=f"task evaluate does not exist yet, and the run is still running; {waits}"
    ):
        run.outputs["evaluate"]
    assert "loss" not in run.outputs["train"]


def test_a_failed_task_is_told_as_what_has_no_output() -> None:
    run = handle(Task("train", "train", RunState.FAILED), state=RunState.FAILED)
    with pytest.raises(KeyError, match="train is failed and has no output loss; it has none"):
        run.outputs["train"]["loss"]


def test_keys_are_completed_by_ipython_too() -> None:
    assert handle(task("load", outputs={"n": 3})).outputs._ipython_key_completions_() == ["load"]


def test_waiting_for_a_failed_run_raises_with_its_error() -> None:
    with pytest.raises(RunFailed, match="run r1 of churn: train failed"):
        handle(state=RunState.FAILED, error="train failed").wait()


def test_waiting_no_longer_than_asked() -> None:
    with pytest.raises(TimeoutError, match=r"run r1 is still RUNNING after 0\.01 s"):
        handle(state=RunState.RUNNING).wait(0.01)


def test_a_run_and_a_list_of_runs_are_tables_too() -> None:
    run = handle(task("load", outputs={"n": 3}, started=1.0, finished=3.5))
    assert run.to_frame().to_dict("records") == [
        {"task": "load", "state": "SUCCEEDED", "seconds": 2.5, "cached": False, "output.n": 3}
    ]
    runs = RunList(lambda: [handle(metrics={"train.loss": 0.5}, arguments={"C": 1}).snapshot()])
    frame = runs.to_frame()
    assert frame["pipeline"].tolist() == ["churn"]
    assert (frame["metric.train.loss"].tolist(), frame["argument.C"].tolist()) == ([0.5], [1])


def test_events_and_fields_that_are_unknown_are_skipped_and_counted() -> None:
    total = RunFold("r1")
    total.add(Event(1, 0.0, "created", data={"name": "n", "pipeline": "p", "color": "red"}))
    total.add(Event(2, 0.0, "comet", data={}))
    total.add(Event(3, 1.0, "state", data={"state": "RUNNING"}))
    assert total.skipped == 2
    assert total.run.notes == ("2 events of a newer kfnb were skipped; update kfnb to see everything",)
    assert (total.run.pipeline, total.run.state, total.seq) == ("p", RunState.RUNNING, 3)


def test_a_retried_task_counts_its_attempts_and_keeps_its_first_start() -> None:
    states = ["RUNNING", "FAILED", "RUNNING", "SUCCEEDED"]
    events = [Event(0, 0.0, "task", "a", {"name": "a"})]
    events += [Event(i, float(i), "state", "a", {"state": state}) for i, state in enumerate(states, start=1)]
    (only,) = fold("r1", events).tasks
    assert (only.attempts, only.started, only.finished, only.state) == (2, 1.0, 4.0, RunState.SUCCEEDED)


def test_the_time_of_a_run_that_is_tried_again_begins_with_the_retry() -> None:
    facts = [("", "RUNNING"), ("a", "RUNNING"), ("a", "FAILED"), ("", "FAILED")]
    facts += [
        ("", "PENDING"),
        ("", "RUNNING"),
        ("a", "PENDING"),
        ("a", "RUNNING"),
        ("a", "SUCCEEDED"),
        ("", "SUCCEEDED"),
    ]
    events = [Event(0, 0.0, "task", "a", {"name": "a"})]
    times = [1.0, 1.0, 2.0, 2.0, 301.0, 301.0, 301.0, 301.5, 303.0, 303.0]
    events += [
        Event(n, time, "state", task, {"state": state})
        for n, (time, (task, state)) in enumerate(zip(times, facts, strict=True), start=1)
    ]
    run = fold("r1", events)
    assert (run.seconds, run.tasks[0].seconds) == (2.0, 1.5)


def test_artifacts_survive_json_wherever_they_stand() -> None:
    artifact = Artifact("model", "system.Model", "/tmp/model", {"format": "skops"})
    value = {"a": [1, {"b": artifact}], "c": artifact}
    assert decode(encode(value)) == value
