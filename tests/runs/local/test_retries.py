"""Tasks and nested pipelines that are tried again: how often, how late, and for how long."""

# steps are as a notebook's user writes them, or as KFP wants them
# ruff: noqa: PTH123, SIM115, UP006, UP035

from typing import List

import pytest
from kfp import dsl
from local_runs import task, tasks
from steps import component, fail, word

from kfnb.entities import RunState
from kfnb.resources.runs.handle import Run
from kfnb.resources.runs.local.spec import Retries


@component
def fails_twice(name: str) -> int:
    with open(name, "a") as file:
        file.write("x")
    times = len(open(name).read())
    if times < 3:
        raise ValueError(f"time {times}")
    return times


@component
def leave_a_mark() -> int:
    with open("marks", "a") as file:
        file.write("x")
    return 1


@dsl.pipeline
def inner() -> int:
    return fails_twice(name="inner").after(leave_a_mark()).output


def test_the_pauses_between_attempts_grow(run_pipeline):
    @dsl.pipeline
    def pipeline():
        fails_twice(name="t").set_retry(5, backoff_duration="1s", backoff_factor=0.5)

    run = run_pipeline(pipeline)

    assert (run.state, task(run, "fails-twice").attempts) == (RunState.SUCCEEDED, 3)
    assert 1.5 <= task(run, "fails-twice").seconds < 4


@pytest.mark.parametrize(
    ("attempt", "since", "pause"),
    [(1, 0.0, 10.0), (2, 10.0, 20.0), (3, 30.0, 40.0), (3, 61.0, None), (4, 30.0, None)],
)
def test_a_retry_comes_after_its_pause_unless_all_have_taken_too_long(attempt, since, pause):
    assert Retries(count=3, wait=10, factor=2, longest=100).pause(attempt, since) == pause


def test_a_nested_pipeline_is_tried_again_as_a_whole(run_pipeline, tmp_path):
    @dsl.pipeline
    def pipeline() -> int:
        return inner().set_retry(2).output

    run = run_pipeline(pipeline)

    assert run.result == {"Output": 3}
    assert [task(run, name).attempts for name in ("inner", "inner/fails-twice", "inner/leave-a-mark")] == [
        3,
        3,
        3,
    ]
    assert (tmp_path / "marks").read_text() == "xxx"


def test_the_error_tells_of_the_last_attempt_alone(run_pipeline):
    @dsl.pipeline
    def pipeline():
        inner().set_retry(1)
        fail(message="no").set_retry(1)

    run = run_pipeline(pipeline)

    assert sorted(run.error.split("; ")) == [
        "fail failed: ValueError: no",
        "fails-twice failed: ValueError: time 2",
    ]


def test_a_loop_that_is_shorter_in_a_later_attempt_has_no_more_iterations(run_pipeline, backend):
    @component
    def fewer_each_time() -> List[int]:
        with open("times", "a") as file:
            file.write("x")
        return list(range(4 - len(open("times").read())))

    @component
    def not_two(i: int) -> int:
        if i == 2:
            raise ValueError("two")
        return i

    @dsl.pipeline
    def inner() -> list:
        with dsl.ParallelFor(fewer_each_time().output) as i:
            each = not_two(i=i)
        return dsl.Collected(each.output)

    @dsl.pipeline
    def pipeline() -> list:
        return inner().set_retry(1, backoff_duration="0s").output

    run = run_pipeline(pipeline)

    assert run.result == {"Output": [0, 1]}
    assert [item.state for item in tasks(run, "not-two")] == [
        RunState.SUCCEEDED,
        RunState.SUCCEEDED,
        RunState.SKIPPED,
    ]
    assert Run(backend, run.id).outputs["not-two"] == {"Output": [0, 1]}


def test_what_an_earlier_attempt_gave_is_gone_where_the_next_takes_another_branch(run_pipeline):
    @component
    def next_number() -> int:
        with open("numbers", "a") as file:
            file.write("x")
        return len(open("numbers").read())

    @dsl.pipeline
    def inner():
        count = next_number().output
        with dsl.If(count == 1):
            fail(message=word(value="first").output)

    @dsl.pipeline
    def pipeline():
        inner().set_retry(1, backoff_duration="0s")

    run = run_pipeline(pipeline)

    assert run.state is RunState.SUCCEEDED
    assert (task(run, "word").state, task(run, "word").outputs) == (RunState.SKIPPED, {})
