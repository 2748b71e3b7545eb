"""What a pod occupies of its node: what it requests, from when it was scheduled until its last container ended."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kfnb.entities import Purpose, Usage
from kfnb.text.quantity import amount
from kfnb.text.timestamps import seconds

Item = Mapping[str, Any]

_GPU = re.compile(r"(nvidia|amd|intel|habana)\.(com|ai)/(gpu|gaudi|i915|xe)(\.shared)?")
_SLICE = re.compile(r"nvidia\.com/mig-(?P<slices>\d+)g\..*")
_SLICES = 7
"""MIG divides a GPU into seven slices."""
_HAMI_CORES = "nvidia.com/gpucores"
"""HAMi's percent of a GPU's cores, of each GPU that is requested."""
_MODEL = ("nvidia.com/gpu.product", "cloud.google.com/gke-accelerator", "k8s.amazonaws.com/accelerator")
"""Labels with the model of GPU, by which a pod selects its node."""


def pod_usage(pod: Item, purpose: Purpose, now: float) -> Usage | None:
    """What a pod occupied until it ended, or until ``now``; None if it was never scheduled."""
    span = pod_span(pod, now)
    if span is None:
        return None
    requests = dict(_requests(pod.get("spec") or {}))
    return Usage(
        seconds=span[1] - span[0],
        cores=requests.get("cpu", 0.0),
        memory=requests.get("memory", 0.0),
        gpus=gpus_of(requests),
        gpu=_model(pod.get("spec") or {}),
        storage=sum(_ephemeral(pod.get("spec") or {})),
        purpose=purpose,
    )


def pod_span(pod: Item, now: float) -> tuple[float, float] | None:
    """When a pod was scheduled, and when it ended."""
    status: Item = pod.get("status") or {}
    found = [one for one in status.get("conditions") or () if one.get("type") == "PodScheduled"]
    scheduled = [one for one in found if one.get("status") == "True"]
    start = seconds(scheduled[0].get("lastTransitionTime")) if scheduled else None
    if start is None:
        return None
    if status.get("phase") not in ("Succeeded", "Failed"):
        return start, max(start, now)
    return start, max([start, *_ends(status)])


def gpus_of(requests: Mapping[str, float]) -> float:
    """How many GPUs requests by resource name occupy: whole ones, MIG slices in sevenths, HAMi's shares.

    A GPU that is shared by time counts as a whole one: how many share it is not part of the pod.
    """
    share = min(1.0, requests.get(_HAMI_CORES, 100.0) / 100)
    total = 0.0
    for name, count in requests.items():
        if found := _SLICE.fullmatch(name):
            total += count * int(found["slices"]) / _SLICES
        elif _GPU.fullmatch(name):
            total += count * share
    return total


def claims_of(pod: Item) -> Iterator[str]:
    """The names of the volume claims that a pod mounts."""
    for volume in (pod.get("spec") or {}).get("volumes") or ():
        if name := (volume.get("persistentVolumeClaim") or {}).get("claimName"):
            yield str(name)


def merged(spans: Iterable[tuple[float, float]]) -> float:
    """The seconds that some spans cover together."""
    total, until = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def _requests(spec: Item) -> Iterator[tuple[str, float]]:
    """What the scheduler reserves: the sum of the containers, or more where an init container needs more."""
    containers = [_of_container(one) for one in spec.get("containers") or ()]
    beside = [_of_container(one) for one in spec.get("initContainers") or () if _stays(one)]
    first = [_of_container(one) for one in spec.get("initContainers") or () if not _stays(one)]
    overhead = {name: amount(value) for name, value in (spec.get("overhead") or {}).items()}
    for name in {name for one in (*containers, *beside, *first) for name in one}:
        together = sum(one.get(name, 0.0) for one in (*containers, *beside))
        once = sum(one.get(name, 0.0) for one in beside) + max(
            (one.get(name, 0.0) for one in first), default=0.0
        )
        yield name, max(together, once) + overhead.get(name, 0.0)


def _of_container(container: Item) -> dict[str, float]:
    """A container's requests; its limits, where it requests nothing else of a resource."""
    resources: Item = container.get("resources") or {}
    both = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return {name: amount(value) for name, value in both.items()}


def _stays(container: Item) -> bool:
    """Whether an init container is a sidecar, which runs on beside the others."""
    return container.get("restartPolicy") == "Always"


def _model(spec: Item) -> str:
    selected: Item = spec.get("nodeSelector") or {}
    return next((str(selected[label]) for label in _MODEL if label in selected), "")


def _ephemeral(spec: Item) -> Iterator[float]:
    """The bytes of the volumes that exist as long as the pod."""
    for volume in spec.get("volumes") or ():
        template = ((volume.get("ephemeral") or {}).get("volumeClaimTemplate") or {}).get("spec") or {}
        yield amount(((template.get("resources") or {}).get("requests") or {}).get("storage", "0"))


def _ends(status: Item) -> Iterator[float]:
    for kind in ("containerStatuses", "initContainerStatuses"):
        for container in status.get(kind) or ():
            ended = ((container.get("state") or {}).get("terminated") or {}).get("finishedAt")
            if (end := seconds(ended)) is not None:
                yield end
