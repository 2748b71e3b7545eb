"""What the pods of a service have counted: each is asked through the API server, as their addresses may be closed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kfnb.errors import BackendError
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.fields import Item, word
from kfnb.remote.retry import RetryPolicy
from kfnb.resources.services.kserve.observation import Observation
from kfnb.resources.services.kserve.predictor import PORT
from kfnb.resources.services.model import Counters, RequestFailure, Revision, ServiceSnapshot

_QUICK = RetryPolicy(tries=1, connect=2.0, read=3.0, deadline=4.0)
_MOST_PODS = 10
"""Pods of a revision that are asked; of more, nothing is known."""
_AGAIN = 60.0
"""Seconds after which a pod that could not be asked is asked again."""
_VERBS = ("predict", "explain")
_FIRST_ERROR = 400
_MOST_FAILURES = 20
_COUNTED = "requests are counted by the pods that run now, since each of them started; there are no rates on a cluster"

Stats = Mapping[str, Any]
"""What ``/kfnb/stats`` of a pod answers (``kfnb/server/counters.py``)."""


@dataclass(frozen=True)
class _UnknownCounts:
    """Why a pod could not be asked, and when it may be asked again."""

    why: str
    until: float


class PodCounters:
    """Asks the pods of a namespace, and remembers which of them cannot be asked."""

    def __init__(self, kubernetes: Kubernetes, namespace: str) -> None:
        self._kubernetes = Kubernetes(lambda: kubernetes.configuration, retry=_QUICK)
        self._pods = f"/api/v1/namespaces/{namespace}/pods"
        self._unknown: dict[str, _UnknownCounts] = {}

    def counted(self, now: ServiceSnapshot, seen: Observation) -> ServiceSnapshot:
        """The service with what its pods have counted, and a note that says what is not known."""
        found = {one.number: self._revision(one, seen) for one in now.revisions}
        unknown = [one.why for one in found.values() if isinstance(one, _UnknownCounts)]
        known = any(isinstance(one, Counters) for one in found.values())
        revisions = tuple(_with(one, found[one.number]) for one in now.revisions)
        notes = [*([_COUNTED] if known else []), *(f"requests are not known: {why}" for why in unknown[:1])]
        return replace(now, revisions=revisions, notes=(*now.notes, *notes))

    def _revision(self, one: Revision, seen: Observation) -> Counters | _UnknownCounts | None:
        """What the pods of a revision have counted; None where it has none that count."""
        pods = [] if one.target.runtime else seen.ready_pods(one.number)
        if len(pods) > _MOST_PODS:
            return _UnknownCounts(f"{one.ref} has {len(pods)} pods; their /metrics is for Prometheus", 0.0)
        answers = [self._ask(pod) for pod in pods]
        refused = next((one for one in answers if isinstance(one, _UnknownCounts)), None)
        stats = [one for one in answers if not isinstance(one, _UnknownCounts)]
        try:
            return refused or (counters_of(stats) if stats else None)
        except (ValueError, TypeError, KeyError, AttributeError):
            return _UnknownCounts(f"the pods of {one.ref} answer in an unknown format", 0.0)

    def _ask(self, pod: Item) -> Stats | _UnknownCounts:
        name, now = word(pod, "metadata", "name"), time.monotonic()
        self._unknown = {key: one for key, one in self._unknown.items() if one.until > now}
        if name in self._unknown:
            return self._unknown[name]
        try:
            return self._kubernetes.get(f"{self._pods}/{name}:{PORT}/proxy/kfnb/stats")
        except BackendError as error:
            self._unknown[name] = _UnknownCounts(str(error), now + _AGAIN)
            return self._unknown[name]


def counters_of(stats: Sequence[Stats]) -> Counters:
    """What several pods have counted, added. Raises ``ValueError`` and the like for another format."""
    requests, bad_inputs = Counter[str](), Counter[tuple[str, str]]()
    for one in stats:
        for verb in _VERBS:
            requests.update(one["requests"].get(verb, {}))
        for kind, columns in one["bad_inputs"].items():
            bad_inputs.update({(kind, column): times for column, times in columns.items()})
    failures = sorted((_failure(one) for each in stats for one in each["failures"]), key=lambda one: one.at)
    return Counters(
        sum(requests.values()),
        {status: times for status, times in requests.items() if int(status) >= _FIRST_ERROR},
        _latency(stats),
        _nested(bad_inputs),
        tuple(failures[-_MOST_FAILURES:]),
    )


def _latency(stats: Sequence[Stats]) -> tuple[tuple[float, int], ...]:
    """The histogram of all pods, in milliseconds: their bounds are the same."""
    bounds = (*(1000 * bound for bound in stats[0]["latency"]["bounds"]), float("inf"))
    counts = [one["latency"]["counts"].get(verb, [0] * len(bounds)) for one in stats for verb in _VERBS]
    return tuple(zip(bounds, map(sum, zip(*counts, strict=True)), strict=True))


def _failure(one: Mapping[str, Any]) -> RequestFailure:
    return RequestFailure(one["at"], one["status"], one["code"], one["message"], one["id"])


def _nested(counts: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    kinds: Iterable[str] = dict.fromkeys(kind for kind, _ in counts)
    return {kind: {column: times for (own, column), times in counts.items() if own == kind} for kind in kinds}


def _with(one: Revision, found: Counters | _UnknownCounts | None) -> Revision:
    return replace(one, counters=found) if isinstance(found, Counters) else one
