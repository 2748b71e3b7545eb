"""What each attempt at a step occupied is recorded: what it requested, what it used, and what came of it."""

import dataclasses

import pytest
from kfp import dsl
from local_runs import submission, task, wait
from steps import component, fail, number

from kfnb.entities import Amounts, Purpose, RunSnapshot, RunState, Task, Usage


@component
def compute(seconds: float) -> int:
    import time

    content = bytearray(64 * 2**20)
    while time.process_time() < seconds:
        content[0] += 1
        content[0] = 0
    return len(content)


@component
def rest(seconds: float) -> int:
    import time

    time.sleep(seconds)
    return 1


def test_a_step_that_requests_nothing_occupies_what_it_used(run_pipeline):
    @dsl.pipeline
    def pipeline():
        compute(seconds=0.4)

    (usage,) = task(run_pipeline(pipeline), "compute").usage
    assert usage.purpose is Purpose.WORK
    assert (usage.cores, usage.memory) == (0.0, 0.0)
    assert 0.3 < (usage.cpu_seconds or 0) < 10
    assert (usage.peak or 0) > 64 * 2**20
    assert usage.seconds > 0.3


def test_a_step_that_waits_occupies_no_core_unless_it_requests_one(run_pipeline):
    @dsl.pipeline
    def pipeline():
        rest(seconds=0.5)

    @dsl.pipeline
    def requesting():
        rest(seconds=0.5).set_cpu_request("2").set_cpu_limit("2").set_memory_request("3Gi")

    (idle,) = task(run_pipeline(pipeline), "rest").usage
    (reserved,) = task(run_pipeline(requesting), "rest").usage
    assert idle.amounts.cores < idle.seconds / 3600 / 2
    assert (reserved.cores, reserved.memory) == (2.0, 3 * 2**30)
    assert reserved.amounts.cores == pytest.approx(2 * reserved.seconds / 3600)


def test_failed_attempts_are_recorded_apart(run_pipeline):
    @dsl.pipeline
    def pipeline():
        fail(message="no").set_retry(2, backoff_duration="0s")

    run = run_pipeline(pipeline)
    assert [usage.purpose for usage in task(run, "fail").usage] == [Purpose.FAILED] * 3
    assert run.occupied[Purpose.FAILED].cores > 0
    assert run.occupied[Purpose.WORK] == Amounts()


def test_a_cached_step_occupies_nothing_and_says_what_it_saved(run_pipeline):
    @dsl.pipeline
    def pipeline():
        compute(seconds=0.2)

    first, second = run_pipeline(pipeline, cache=True), run_pipeline(pipeline, cache=True)
    assert task(second, "compute").cached
    assert second.occupied[Purpose.WORK] == Amounts()
    assert second.occupied[Purpose.SAVED].cores == pytest.approx(first.occupied[Purpose.WORK].cores)


def test_a_list_of_runs_has_the_totals_of_finished_runs(backend, tmp_path, run_pipeline):
    @dsl.pipeline
    def pipeline():
        number(value=1)

    run = run_pipeline(pipeline)
    (row,) = backend.list()
    assert row.tasks == ()
    assert row.occupied[Purpose.WORK].cores == pytest.approx(run.occupied[Purpose.WORK].cores, abs=1e-8)
    assert backend.occupied(run.id) == run.occupied


def test_a_stopped_attempt_counts_as_failed(backend, tmp_path):
    @dsl.pipeline
    def pipeline():
        rest(seconds=60.0)

    id = backend.submit(submission(pipeline, tmp_path))
    wait_for = next(
        event
        for event in backend.events(id)
        if event.kind == "state" and event.task == "rest" and event.data["state"] == RunState.RUNNING
    )
    assert wait_for
    backend.stop(id)
    run = wait(backend, id)
    assert [usage.purpose for usage in task(run, "rest").usage] == [Purpose.FAILED]


def test_attempts_without_a_record_are_unknown_and_not_nothing():
    lost = Task("a", "a", RunState.FAILED, attempts=2, usage=(Usage(1.0, purpose=Purpose.FAILED),))
    run = RunSnapshot("r", "r", "p", "local", RunState.FAILED, tasks=(lost,))
    assert run.occupied[Purpose.WORK].unknown == 1
    cached = dataclasses.replace(lost, state=RunState.SUCCEEDED, cached=True, attempts=1, usage=())
    assert dataclasses.replace(run, tasks=(cached,)).occupied == {Purpose.WORK: Amounts()}
