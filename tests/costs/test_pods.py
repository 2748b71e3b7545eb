"""What pods cost, with the pods of a real Kubeflow's runs: to the cent what a sum by hand says."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from real_pods import recorded_pods

from kfnb.entities import Purpose
from kfnb.prices.rates import Rates
from kfnb.remote.kubernetes.pod_usage import gpus_of, merged, pod_usage
from kfnb.resources.runs.kubeflow.occupied import by_pods

RATES = Rates("own", "USD", "2026-11-01", "here", cores=36.0, memory=7.2, storage=3.6, gpus={"": 3600.0})
"""A second of a core is one cent, a second of a GiB 0.2 cents, of a volume's GiB 0.1 cents, of a GPU one dollar."""


def pod(**spec: Any) -> dict[str, Any]:
    """A pod that ran for 100 seconds."""
    return {
        "metadata": {"annotations": {"pipelines.kubeflow.org/runtime-role": "launcher"}},
        "spec": spec,
        "status": {
            "phase": "Succeeded",
            "conditions": [
                {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-11-23T14:00:00Z"}
            ],
            "containerStatuses": [{"state": {"terminated": {"finishedAt": "2026-11-23T14:01:40Z"}}}],
        },
    }


def container(**requests: str) -> dict[str, Any]:
    return {"resources": {"requests": requests}}


def test_the_recorded_run_costs_what_a_sum_by_hand_says() -> None:
    cost = RATES.cost(by_pods(recorded_pods("success"), {}, now=0.0))
    # seconds from scheduled to finished, from the pods: of 7 drivers of containers, 8 of DAGs, 7 launchers
    drivers = (4 + 3 + 3 + 4 + 3 + 4 + 4) + (5 + 5 + 5 + 4 + 5 + 5 + 3 + 4)
    launchers = 5 + 12 + 5 + 5 + 4 + 7 + 5
    # a driver requests 0.1 core and 64 Mi; a launcher has an init container of 0.1 core and 256 Mi
    by_hand = (drivers + launchers) * 0.1 * 0.01 + (drivers / 16 + launchers / 4) * 0.002
    assert cost.amount is not None
    assert round(cost.amount, 2) == round(by_hand, 2) == 0.13
    assert cost.amount == pytest.approx(by_hand)
    assert cost.overhead == pytest.approx(drivers * (0.1 * 0.01 + 0.002 / 16))


def test_the_cached_run_costs_its_drivers_alone() -> None:
    cost = RATES.cost(by_pods(recorded_pods("success-cached"), {}, now=0.0))
    assert cost.amount == pytest.approx(cost.overhead)
    assert cost.amount


def test_failed_attempts_stand_apart() -> None:
    cost = RATES.cost(by_pods(recorded_pods("failure"), {}, now=0.0))
    assert cost.failed
    assert cost.amount is not None
    assert 0 < cost.failed < cost.amount


def test_a_pod_reserves_its_containers_together_or_more_for_an_init_container() -> None:
    usage = pod_usage(
        pod(
            containers=[container(cpu="500m", memory="1Gi"), container(cpu="250m")],
            initContainers=[container(memory="2Gi"), {**container(cpu="1"), "restartPolicy": "Always"}],
        ),
        Purpose.WORK,
        now=0.0,
    )
    assert usage is not None
    assert (usage.seconds, usage.cores, usage.memory) == (100.0, 1.75, 2 * 2**30)


def test_a_limit_is_reserved_where_nothing_is_requested() -> None:
    usage = pod_usage(
        pod(containers=[{"resources": {"limits": {"cpu": "2", "nvidia.com/gpu": "1"}}}]),
        Purpose.WORK,
        now=0.0,
    )
    assert usage is not None
    assert (usage.cores, usage.gpus) == (2.0, 1.0)


def test_a_pod_that_was_never_scheduled_costs_nothing() -> None:
    waiting = pod(containers=[container(cpu="1")])
    waiting["status"] = {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False"}]}
    assert pod_usage(waiting, Purpose.WORK, now=0.0) is None


def test_a_running_pod_costs_until_now() -> None:
    running = copy.deepcopy(pod(containers=[container(cpu="1")]))
    running["status"]["phase"] = "Running"
    usage = pod_usage(running, Purpose.WORK, now=1795442400.0 + 250)
    assert usage is not None
    assert usage.seconds == pytest.approx(250.0)


@pytest.mark.parametrize(
    ("requests", "gpus"),
    [
        ({"nvidia.com/gpu": 2.0}, 2.0),
        ({"amd.com/gpu": 1.0}, 1.0),
        ({"nvidia.com/gpu.shared": 1.0}, 1.0),
        ({"nvidia.com/mig-1g.5gb": 1.0}, 1 / 7),
        ({"nvidia.com/mig-3g.20gb": 2.0}, 6 / 7),
        ({"nvidia.com/gpu": 1.0, "nvidia.com/gpucores": 30.0}, 0.3),
        ({"cpu": 4.0}, 0.0),
    ],
)
def test_slices_and_shares_of_a_gpu_count_as_such(requests: dict[str, float], gpus: float) -> None:
    assert gpus_of(requests) == pytest.approx(gpus)


def test_a_volume_counts_once_while_several_pods_mount_it() -> None:
    volume = {"persistentVolumeClaim": {"claimName": "data"}}
    pods = [pod(containers=[], volumes=[volume]), pod(containers=[], volumes=[volume])]
    cost = RATES.cost(by_pods(pods, {"data": 10 * 2**30}, now=0.0))
    assert cost.amount == pytest.approx(100 * 10 * 0.001)
    assert merged([(0, 10), (5, 20), (30, 31)]) == 21


def test_a_volume_that_lives_with_its_pod_counts_as_long_as_that() -> None:
    claim = {"spec": {"resources": {"requests": {"storage": "5Gi"}}}}
    usage = pod_usage(
        pod(containers=[], volumes=[{"ephemeral": {"volumeClaimTemplate": claim}}]), Purpose.WORK, now=0.0
    )
    assert usage is not None
    assert usage.storage == 5 * 2**30
