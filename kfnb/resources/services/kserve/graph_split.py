"""The split of an InferenceGraph over two InferenceServices, for clusters that split the requests of none.

The canary is an InferenceService beside that of the default. The graph's weights follow what is ready, so that a
request never goes to what cannot answer; once there is a graph it stays, since callers have its address.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from kfnb.remote.kubernetes.fields import Item, mapping, rows, word
from kfnb.resources.services.kserve.objects import (
    POD_OF,
    Write,
    canary_name,
    changed,
    graph_name,
    number_of,
    revision_of,
    written,
)
from kfnb.resources.services.kserve.observation import Observation
from kfnb.resources.services.kserve.record import ServiceRecord
from kfnb.resources.services.kserve.runtimes import is_v2
from kfnb.resources.services.model import WHOLE
from kfnb.resources.services.protocols import V1, V2

_ROOT, _GRAPH = "root", "--graph-json"
_CHANGED = "kfnb/weights-changed"
"""The annotation of a graph with the time of its weights, in seconds since 1970."""
_DRAIN = 60.0
"""Seconds for which a canary stays after the graph was changed."""


def graph_writes(record: ServiceRecord, seen: Observation, *, now: float | None = None) -> Iterator[Write]:
    """What has to be written next, in order: requests leave a version before it is replaced or deleted."""
    pair = _Pair(record, seen, time.time() if now is None else now)
    yield from pair.graph()
    yield from pair.service()
    yield from pair.canary()


class _Pair:
    """The InferenceService of the default and the one of the canary."""

    def __init__(self, record: ServiceRecord, seen: Observation, now: float) -> None:
        self._record, self._seen, self._now = record, seen, now
        self._mine, self._beside = record.name, canary_name(record.name)
        self._default, self._requested = record.desired.default.revision, record.desired.of("canary")
        self._second = revision_of(mapping(seen.canary, "spec", "predictor"))

    def graph(self) -> Iterator[Write]:
        """The graph, once there is a canary to which requests can go."""
        weights = self._weights()
        urls = {name: self._predict_url(name) for name in weights}
        if (self._seen.graph is None and self._beside not in weights) or not all(urls.values()):
            return
        if self._seen.graph is not None and weights_of(self._seen.graph) == weights:
            return
        steps = [
            {"name": name, "serviceUrl": urls[name], "weight": weight} for name, weight in weights.items()
        ]
        spec: dict[str, Any] = {"nodes": {_ROOT: {"routerType": "Splitter", "steps": steps}}}
        name, there = graph_name(self._mine), self._seen.graph
        if there is None:
            body = written("inferencegraphs", name, self._mine, spec, self._seen.service)
        else:
            body = changed(there, {**mapping(there, "spec"), **spec}, {})
        annotations = {**mapping(body, "metadata", "annotations"), _CHANGED: str(int(self._now))}
        body = {**body, "metadata": {**body["metadata"], "annotations": annotations}}
        yield Write("inferencegraphs", name, body, exists=there is not None)

    def service(self) -> Iterator[Write]:
        """The default. Its pods are replaced one by one, as the new ones become ready."""
        if self._seen.current != self._default:
            yield Write("inferenceservices", self._mine, self._as(self._default, self._seen.service))

    def canary(self) -> Iterator[Write]:
        """The canary; deleted once no request goes to it."""
        if self._stands_in():
            return
        there = self._seen.canary
        if self._requested is not None:
            if self._second != self._requested.revision:
                new = written("inferenceservices", self._beside, self._mine, {}, self._seen.service)
                body = self._as(self._requested.revision, new if there is None else there)
                yield Write("inferenceservices", self._beside, body, exists=there is not None)
        elif there is not None and self._drained():
            yield Write("inferenceservices", self._beside, None)

    def _weights(self) -> dict[str, int]:
        """The shares of the two by what is ready now."""
        default_ready = self._answers(self._mine, self._default)
        if not default_ready and self._stands_in() and self._answers(self._beside, self._default):
            return {self._beside: WHOLE}
        requested = self._requested
        if requested is not None and default_ready and self._answers(self._beside, requested.revision):
            return {self._mine: WHOLE - requested.percent, self._beside: requested.percent}
        return {self._mine: WHOLE}

    def _stands_in(self) -> bool:
        """Whether the canary was promoted, and answers until the service has become the same version."""
        return self._second == self._default and not self._answers(self._mine, self._default)

    def _answers(self, name: str, revision: int) -> bool:
        """Whether an InferenceService is a revision, and a pod of it answers."""
        is_it = (self._seen.current if name == self._mine else self._second) == revision
        pods = self._seen.ready_pods(revision)
        return is_it and any(word(one, "metadata", "labels", POD_OF) == name for one in pods)

    def _drained(self) -> bool:
        """Whether the graph has sent no requests to the canary for a while: its own pods are replaced meanwhile."""
        if self._seen.graph is None:
            return True
        since = number_of(word(self._seen.graph, "metadata", "annotations", _CHANGED))
        splits = [weights_of(self._seen.graph), *map(weights_of_router, self._seen.ready_routers)]
        return not any(self._beside in (one or ()) for one in splits) and self._now - since >= _DRAIN

    def _predict_url(self, name: str) -> str:
        """Where an InferenceService predicts within the cluster; empty until it does.

        kfnb's program calls the model as the service, and a runtime of KServe's as its InferenceService.
        """
        item = self._seen.service if name == self._mine else self._seen.canary
        address, predictor = (
            word(item, "status", "address", "url").rstrip("/"),
            mapping(item, "spec", "predictor"),
        )
        protocol = V2() if is_v2(predictor) else V1()
        path = protocol.path(name if "model" in predictor else self._mine, "predict")
        return f"{address}{path}" if address else ""

    def _as(self, revision: int, item: Item) -> dict[str, Any]:
        """An InferenceService that is a revision."""
        there = self._record.written[revision]
        return changed(item, {**mapping(item, "spec"), "predictor": there.predictor}, there.labels)


def weights_of(graph: Item) -> dict[str, int]:
    """The shares that a graph gives, by the names of its steps."""
    steps = rows(graph, "spec", "nodes", _ROOT, "steps")
    return {word(one, "name"): int(one.get("weight") or 0) for one in steps}


def weights_of_router(pod: Item) -> dict[str, int] | None:
    """The shares that a pod of a graph gives, which it was started with; None if it does not say."""
    words = [one for container in rows(pod, "spec", "containers") for one in container.get("args") or ()]
    try:
        return weights_of({"spec": json.loads(words[words.index(_GRAPH) + 1])})
    except (ValueError, IndexError, TypeError):
        return None
