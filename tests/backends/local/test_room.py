"""How many tasks run at once, by the cores and GPUs that they ask for."""

import pytest
from kfp import dsl
from running import submission, task, wait
from steps import nap, word

from kfnb.backends.local import LocalBackend


def overlap(run, one, other):
    """Whether two tasks ran at once."""
    a, b = task(run, one), task(run, other)
    return max(a.started, b.started) < min(a.finished, b.finished)


@pytest.fixture
def run_on_two_cores(tmp_path):
    def run(pipeline, **arguments):
        backend = LocalBackend(tmp_path / "home", jobs=2)
        return wait(backend, backend.submit(submission(pipeline, tmp_path, **arguments)))

    return run


@pytest.mark.parametrize("cores", ["2", "64", "1500m"])
def test_a_step_that_wants_all_cores_or_more_runs_alone(run_on_two_cores, cores):
    @dsl.pipeline
    def pipeline():
        nap(seconds=0.3).set_cpu_limit(cores)
        nap(seconds=0.3)

    assert not overlap(run_on_two_cores(pipeline), "nap", "nap-2")


def test_steps_that_want_half_a_core_run_four_at_once(run_on_two_cores):
    @dsl.pipeline
    def pipeline():
        for _ in range(4):
            nap(seconds=0.5).set_cpu_request("500m")

    run = run_on_two_cores(pipeline)

    assert max(item.started for item in run.tasks) < min(item.finished for item in run.tasks)


def test_steps_that_want_a_gpu_take_turns(run_on_two_cores):
    @dsl.pipeline
    def pipeline():
        for _ in range(2):
            nap(seconds=0.3).set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(8)

    assert not overlap(run_on_two_cores(pipeline), "nap", "nap-2")


def test_cores_may_come_from_a_parameter_or_a_tasks_output(run_on_two_cores):
    @dsl.pipeline
    def pipeline(cores: str = "2"):
        nap(seconds=0.3).set_cpu_limit(cores)
        nap(seconds=0.3).set_cpu_limit(word(value="2").output)

    assert not overlap(run_on_two_cores(pipeline), "nap", "nap-2")
    assert "it asks for 'many' as its CPUs" in run_on_two_cores(pipeline, cores="many").error
