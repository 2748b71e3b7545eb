"""What a run on a cluster occupied: by its pods, or where they are gone, by what its pipeline requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kfnb.entities import Amounts, Purpose, RunSnapshot, RunState, Task, Usage, added_up
from kfnb.remote.kubernetes.pod_usage import claims_of, merged, pod_span, pod_usage
from kfnb.resources.runs.kubeflow.components import Components
from kfnb.text.quantity import amount

Json = Mapping[str, Any]

_ROLE = "pipelines.kubeflow.org/runtime-role"


def by_pods(pods: Iterable[Json], claims: Mapping[str, float], now: float) -> dict[Purpose, Amounts]:
    """What pods and the volumes that they mount occupied. ``claims`` has the bytes of volume claims by name.

    A claim counts for the time in which any of the pods mounts it.
    """
    items = list(pods)
    usages = [usage for pod in items if (usage := pod_usage(pod, _purpose(pod), now)) is not None]
    return added_up((*usages, *_volumes(items, claims, now)))


def by_requests(run: RunSnapshot, spec: Json) -> dict[Purpose, Amounts]:
    """What the tasks of a run occupied by what its pipeline requests; unknown of those that request nothing.

    The drivers of KFP are not part of it.
    """
    components = Components(spec)
    total: dict[Purpose, Amounts] = {Purpose.WORK: Amounts()}
    for task in run.tasks:
        if task.group or task.cached or task.started is None:
            continue
        usage = _by_request(task, components.requests(task.id), run)
        purpose = Purpose.FAILED if task.state in (RunState.FAILED, RunState.CANCELED) else Purpose.WORK
        amounts = Amounts(unknown=1) if usage is None else usage.amounts
        total[purpose] = total.get(purpose, Amounts()) + amounts
    return total


def _by_request(task: Task, requests: Json, run: RunSnapshot) -> Usage | None:
    cpu = requests.get("resourceCpuRequest") or requests.get("resourceCpuLimit")
    memory = requests.get("resourceMemoryRequest") or requests.get("resourceMemoryLimit")
    accelerator = requests.get("accelerator") or {}
    count = accelerator.get("resourceCount") or accelerator.get("count") or 0
    ended = task.finished or run.finished
    if not (cpu or memory or count) or ended is None or task.started is None:
        return None
    model = str(accelerator.get("resourceType") or accelerator.get("type") or "")
    return Usage(
        seconds=ended - task.started,
        cores=amount(cpu or 0),
        memory=amount(memory or 0),
        gpus=amount(count),
        gpu="" if "/" in model else model,
    )


def _purpose(pod: Json) -> Purpose:
    if ((pod.get("metadata") or {}).get("annotations") or {}).get(_ROLE) != "launcher":
        return Purpose.OVERHEAD
    failed = (pod.get("status") or {}).get("phase") == "Failed"
    return Purpose.FAILED if failed else Purpose.WORK


def _volumes(pods: list[Json], claims: Mapping[str, float], now: float) -> Iterator[Usage]:
    spans: dict[str, list[tuple[float, float]]] = {}
    for pod in pods:
        span = pod_span(pod, now)
        for claim in claims_of(pod) if span else ():
            spans.setdefault(claim, []).append(span)  # type: ignore[arg-type]
    for claim, found in spans.items():
        if claim in claims:
            yield Usage(seconds=merged(found), storage=claims[claim])
