"""What a run on a cluster costs: by the pods that Kubernetes still has, else by what the pipeline requests."""

from contextlib import suppress

import pytest
from replay import BAD, GOOD, serving

from kfnb.entities import Amounts, Purpose, RunSnapshot, RunState, Task
from kfnb.errors import RunFailed
from kfnb.prices.rates import Rates
from kfnb.remote.kfp.server import KfpServer
from kfnb.resources.runs.handle import Run
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.kubeflow.occupied import by_requests
from kfnb.resources.runs.kubeflow.pods import Pods
from kfnb.resources.runs.kubeflow.run_details import RunDetails

RATES = Rates("own", "USD", "2026-11-01", "here", cores=36.0, memory=7.2)


@pytest.fixture
def engine(kubernetes):
    details = RunDetails(None, None, Pods(kubernetes.api(), "kubeflow"), "not here")
    with serving(speed=10_000.0) as server:
        yield KubeflowRunEngine(KfpServer(server.url), insight=details)


def handle(engine, id):
    run = Run(engine, id)
    with suppress(RunFailed):
        run.wait(60)
    return run


def test_the_recorded_run_costs_the_sum_of_its_pods_with_drivers_apart(engine, kubernetes):
    kubernetes.load("success")
    occupied = handle(engine, GOOD).occupied
    cost = RATES.cost(occupied)
    assert round(cost.amount, 2) == 0.13  # by hand: test_pods
    assert occupied[Purpose.OVERHEAD].cores == pytest.approx(61 * 0.1 / 3600)
    assert occupied[Purpose.WORK].cores == pytest.approx(43 * 0.1 / 3600)


def test_failed_attempts_of_the_recorded_run_stand_apart(engine, kubernetes):
    kubernetes.load("failure")
    assert handle(engine, BAD).occupied[Purpose.FAILED].cores > 0


def test_without_pods_the_cost_of_tasks_that_request_nothing_is_unknown(engine, kubernetes):
    cost = RATES.cost(handle(engine, GOOD).occupied)
    assert (cost.amount, str(cost)) == (None, "unknown")
    assert "was not recorded" in cost.why


def test_a_refusal_of_kubernetes_counts_as_no_pods(engine, kubernetes):
    kubernetes.load("success")
    kubernetes.refuses = lambda path: (403, {"reason": "Forbidden"}) if path.endswith("/pods") else None
    assert RATES.cost(handle(engine, GOOD).occupied).amount is None


def test_without_pods_a_task_costs_what_its_pipeline_requests():
    resources = {
        "resourceCpuRequest": "500m",
        "resourceMemoryLimit": "2Gi",
        "accelerator": {"count": "1", "type": "T4"},
    }
    spec = {
        "root": {"dag": {"tasks": {"train": {"componentRef": {"name": "comp-train"}}}}},
        "components": {"comp-train": {"executorLabel": "exec-train"}},
        "deploymentSpec": {"executors": {"exec-train": {"container": {"resources": resources}}}},
    }
    done = Task("train", "train", RunState.SUCCEEDED, started=0.0, finished=3600.0, attempts=1)
    cached = Task("load", "load", RunState.SUCCEEDED, started=0.0, finished=0.0, cached=True)
    run = RunSnapshot("r", "r", "p", "kubeflow", RunState.SUCCEEDED, tasks=(done, cached))
    assert by_requests(run, spec) == {Purpose.WORK: Amounts(cores=0.5, memory=2.0, gpus={"T4": 1.0})}
