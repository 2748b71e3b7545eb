"""What a run tells of itself without its tasks: what they logged, and in what it ran."""

import platform

from kfp import dsl
from local_runs import submission, wait
from steps import component, fail

from kfnb.entities import RunState


@component
def measure(value: float, metrics: dsl.Output[dsl.Metrics]):
    metrics.log_metric("loss", value)
    metrics.metadata["said"] = "not a number"


@dsl.pipeline(name="measured")
def measured(deploys: bool = False):
    first = measure(value=0.5)
    with dsl.ParallelFor([1.0, 2.0, 3.0]) as value:
        measure(value=value)
    with dsl.If(deploys == True):  # noqa: E712 - as KFP has it
        fail(message="no").after(first)


def test_a_finished_run_tells_the_metrics_of_its_tasks_without_them(backend, tmp_path):
    run_id = backend.submit(submission(measured, tmp_path))
    run = wait(backend, run_id)

    (listed,) = backend.list()
    assert listed.tasks == ()
    assert listed.metrics == run.metrics == {"measure.loss": 0.5, "measure-2.loss": [1.0, 2.0, 3.0]}


def test_a_failed_run_tells_what_was_logged_until_then(backend, tmp_path):
    run_id = backend.submit(submission(measured, tmp_path, deploys=True))
    run = wait(backend, run_id)

    assert run.state is RunState.FAILED
    assert run.result == {}
    assert backend.list()[0].metrics["measure.loss"] == 0.5


def test_a_run_tells_its_arguments_and_the_defaults_of_the_rest(backend, tmp_path):
    assert backend.get(backend.submit(submission(measured, tmp_path))).arguments == {"deploys": False}
    given = backend.submit(submission(measured, tmp_path, deploys=True))
    assert backend.get(given).arguments == {"deploys": True}


def test_a_run_tells_in_what_it_runs_from_the_start(backend, tmp_path):
    environment = backend.get(backend.submit(submission(measured, tmp_path))).environment

    assert environment["python"] == platform.python_version()
    assert platform.machine() in environment["platform"]
    assert environment["kfp"].startswith("2.")
    assert environment["measure: image"] == "python:3.11-slim"
