"""The true split of a service's requests, as the cluster has it: read back, never what was asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from kfnb.remote.kubernetes.fields import rows, word
from kfnb.resources.services.kserve.graph_split import weights_of_router
from kfnb.resources.services.kserve.mode import DeploymentMode
from kfnb.resources.services.kserve.objects import POD_OF, canary_name, revision_of_pod
from kfnb.resources.services.kserve.observation import Observation
from kfnb.resources.services.kserve.route_split import services_behind
from kfnb.resources.services.model import WHOLE

Shares = Mapping[int, float]


def true_shares(name: str, seen: Observation) -> Shares | None:
    """Percent by revision: empty where nothing answers, None where the split is unknown."""
    if seen.stopped:
        return {}
    if seen.mode is DeploymentMode.KNATIVE:
        return _of_knative(seen)
    if seen.splitter is not None:
        return _of_graph(name, seen)
    if seen.spec_canaries:
        return _of_route(name, seen)
    return _of_pods(name, seen)


def _of_knative(seen: Observation) -> Shares | None:
    found: Counter[int] = Counter()
    for one in rows(seen.component, "traffic"):
        percent = int(one.get("percent") or 0)
        if not percent:
            continue
        named = word(one, "revisionName") or word(seen.component, "latestReadyRevision")
        number = seen.revisions.get(named)
        if number is None:
            return None
        found[number] += percent
    return found


def _of_graph(name: str, seen: Observation) -> Shares | None:
    """By what its pods were started with: while those are replaced, some have the weights before."""
    found: Counter[int] = Counter()
    for router in seen.ready_routers:
        weights = weights_of_router(router)
        if weights is None:
            return None
        for step, weight in weights.items():
            if step in (name, canary_name(name)):
                for number, part in _of_pods(step, seen).items():
                    found[number] += weight * part / WHOLE / len(seen.ready_routers)  # type: ignore[assignment]
    return found


def _of_route(name: str, seen: Observation) -> Shares | None:
    if seen.routed is None:
        return None
    behind = services_behind(name, seen)
    total = sum(seen.routed.values())
    found: Counter[int] = Counter()
    for service, weight in seen.routed.items():
        if weight and service in behind:
            found[behind[service]] += weight * WHOLE / total  # type: ignore[assignment]
    return found


def _of_pods(inference_service: str, seen: Observation) -> Shares:
    """Of an InferenceService whose requests no one splits: its pods get equal parts."""
    ready = Counter(
        revision_of_pod(one)
        for one in seen.pods
        if word(one, "metadata", "labels", POD_OF) == inference_service
        and one in seen.ready_pods(revision_of_pod(one))
    )
    return {number: count * WHOLE / ready.total() for number, count in ready.items()}
