"""What one may use: quotas, machines and GPUs, storage, and what pods are given."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from kfnb.errors import BackendError
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.fields import Item, at, condition, rows
from kfnb.resources.cluster.model import ClusterNode, Gpus, PodDefault, Quota, VolumeClaim
from kfnb.resources.cluster.probe import MOST, More, ProbeTarget, first
from kfnb.text.quantity import amount

_GPU = re.compile(r"[\w.-]+/(gpu|.*mig-|tpu|gaudi|i915|xe)")
_PRODUCTS = ("nvidia.com/gpu.product", "amd.com/gpu.product-name", "cloud.google.com/gke-accelerator")
_PAGES = 4
"""How many pages of pods are read to count the GPUs that they use; with more pods, that stays unknown."""
_AUDIENCE = "pipelines.kubeflow.org"
"""The audience of Kubeflow Pipelines' tokens."""
_HOLDING = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed"
"""The pods for which a node keeps what they ask for, running or not."""


def quota(place: ProbeTarget) -> tuple[tuple[Quota, ...], More]:
    """What the namespace may use, and does."""
    found, more = first(place.kubernetes, place.within("api/v1", "resourcequotas"))
    return tuple(one for item in found for one in _quota(item.get("status") or {})), more


def _quota(status: Item) -> Sequence[Quota]:
    used, hard = status.get("used") or {}, status.get("hard") or {}
    return [
        Quota(name, str(used.get(name, "0")), str(limit), _share(used.get(name, "0"), limit))
        for name, limit in hard.items()
    ]


def _share(used: object, hard: object) -> float:
    limit = amount(hard)
    return min(1.0, amount(used) / limit) if limit else 1.0


def machines(place: ProbeTarget) -> tuple[tuple[tuple[ClusterNode, ...], tuple[Gpus, ...]], More]:
    """The machines of the cluster; its GPUs by kind, and how many of them no pod has."""
    found, more = first(place.kubernetes, "/api/v1/nodes")
    return (tuple(map(_node, found)), _gpus(place.kubernetes, found)), more


def _node(item: Item) -> ClusterNode:
    status, ready = item.get("status") or {}, condition(item, "Ready")
    may = status.get("allocatable") or {}
    return ClusterNode(
        item["metadata"]["name"],
        ready.get("status") == "True",
        amount(may.get("cpu")),
        int(amount(may.get("memory"))),
        sum(int(amount(count)) for name, count in may.items() if _GPU.match(name)),
        not (item.get("spec") or {}).get("unschedulable"),
        (status.get("nodeInfo") or {}).get("kubeletVersion", ""),
        "" if ready.get("status") == "True" else ready.get("message", ""),
    )


def _gpus(kubernetes: Kubernetes, found: Sequence[Item]) -> tuple[Gpus, ...]:
    total: dict[tuple[str, str], int] = {}
    kinds: dict[str, str] = {}
    for item in found:
        labels = item["metadata"].get("labels") or {}
        kind = next((labels[name] for name in _PRODUCTS if name in labels), "")
        for name, count in ((item.get("status") or {}).get("allocatable") or {}).items():
            if _GPU.match(name) and amount(count):
                kinds[item["metadata"]["name"]] = kind or name
                total[kind or name, name] = total.get((kind or name, name), 0) + int(amount(count))
    used = _used(kubernetes, kinds) if total else None
    return tuple(
        Gpus(kind, name, count, None if used is None else count - used.get((kind, name), 0))
        for (kind, name), count in total.items()
    )


def _used(kubernetes: Kubernetes, kinds: Mapping[str, str]) -> dict[tuple[str, str], int] | None:
    """How many GPUs the pods have, by kind; None where they cannot be seen, or are too many."""
    found: dict[tuple[str, str], int] = {}
    token = ""
    for _ in range(_PAGES):
        query = {"limit": MOST, "fieldSelector": _HOLDING, "continue": token}
        try:
            page = kubernetes.get("/api/v1/pods", query)
        except BackendError:
            return None
        for pod in page.get("items") or ():
            kind = kinds.get(pod["spec"].get("nodeName", ""))
            for name, count in _of_pod(pod).items() if kind else ():
                found[kind or "", name] = found.get((kind or "", name), 0) + count
        token = (page.get("metadata") or {}).get("continue", "")
        if not token:
            return found
    return None


def _of_pod(pod: Item) -> Counter[str]:
    """The GPUs that a node keeps for a pod: those of its containers and sidecars, or of one that runs before them."""
    before = rows(pod, "spec", "initContainers")
    sidecars = [one for one in before if one.get("restartPolicy") == "Always"]
    together = sum(map(_limits, (*rows(pod, "spec", "containers"), *sidecars)), Counter[str]())
    for one in before:
        together |= _limits(one)  # the larger of each
    return together


def _limits(container: Item) -> Counter[str]:
    limits = at(container, "resources", "limits") or {}
    return Counter({name: int(amount(count)) for name, count in limits.items() if _GPU.match(name)})


def volumes(place: ProbeTarget) -> tuple[tuple[VolumeClaim, ...], More]:
    """The claims to storage."""
    found, more = first(place.kubernetes, place.within("api/v1", "persistentvolumeclaims"))
    return tuple(map(_volume, found)), more


def _volume(item: Item) -> VolumeClaim:
    spec, status = item.get("spec") or {}, item.get("status") or {}
    requested = ((spec.get("resources") or {}).get("requests") or {}).get("storage", "")
    return VolumeClaim(
        item["metadata"]["name"],
        (status.get("capacity") or {}).get("storage") or requested,
        status.get("phase", ""),
        spec.get("storageClassName", ""),
        tuple(spec.get("accessModes") or ()),
    )


def pod_defaults(place: ProbeTarget) -> tuple[tuple[PodDefault, ...], More]:
    """What pods with certain labels are given, and whether this pod has them."""
    found, more = first(place.kubernetes, place.within("apis/kubeflow.org/v1alpha1", "poddefaults"))
    labels = _own_labels(place) if found else None
    return tuple(_pod_default(item, labels) for item in found), more


def _pod_default(item: Item, own: Mapping[str, str] | None) -> PodDefault:
    spec = item.get("spec") or {}
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    terms = tuple(f"{name}={value}" for name, value in labels.items())
    on = None if own is None else all(own.get(name) == value for name, value in labels.items())
    return PodDefault(item["metadata"]["name"], spec.get("desc", ""), terms, on, _opens_pipelines(item))


def _opens_pipelines(item: Item) -> bool:
    """Whether a PodDefault gives a token for Kubeflow Pipelines, by any name."""
    tokens = (
        at(source, "serviceAccountToken", "audience")
        for volume in rows(item, "spec", "volumes")
        for source in rows(volume, "projected", "sources")
    )
    return _AUDIENCE in tokens


def _own_labels(place: ProbeTarget) -> Mapping[str, str] | None:
    if not place.pod:
        return None
    try:
        pod = place.kubernetes.get(place.within("api/v1", f"pods/{place.pod}"))
    except BackendError:
        return None
    labels: Mapping[str, str] = pod["metadata"].get("labels") or {}
    return labels
