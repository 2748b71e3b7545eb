"""The split of KServe's Standard mode with the Gateway API: the canary is in the spec, the weights on an HTTPRoute.

KServe gives a canary its share once it is ready. A canary becomes the default by its predictor's name, without a
restart: but only if its pods are the same then, and KServe's webhook gives resources to those of a default alone. So a
canary is written with those that the default has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from kfnb.remote.kubernetes.fields import Item, at, mapping, rows, word
from kfnb.resources.services.kserve.mode import DeploymentMode
from kfnb.resources.services.kserve.objects import MODE, Write, changed, revision_of
from kfnb.resources.services.kserve.observation import Observation
from kfnb.resources.services.kserve.record import ServiceRecord
from kfnb.resources.services.model import WHOLE

_OF_DEFAULT = ("minReplicas", "maxReplicas")


def route_writes(record: ServiceRecord, seen: Observation) -> Iterator[Write]:
    """What has to be written next: requests leave a version before KServe ends its pods."""
    canary = record.desired.of("canary")
    requested = {} if canary is None else {canary.revision: canary.percent}
    there = {
        revision_of(one.get("predictor")): int(one.get("trafficPercent") or 0) for one in seen.spec_canaries
    }
    default = record.desired.default.revision
    if (seen.current, there) == (default, requested):
        return
    leaving = set(there) - {default, *requested}
    if default in there:  # else the default's pods are replaced one by one
        leaving.add(seen.current)
    if _gets_requests(leaving, record.name, seen):
        before = _without(leaving, default, there)
        if before != there:
            labels = mapping(seen.service, "metadata", "labels")
            yield _write(record.name, seen, seen.predictor, _with_shares(seen.spec_canaries, before), labels)
        return
    canaries = [
        {
            "trafficPercent": percent,
            "predictor": {**_as_canary(record.written[number].predictor, seen), "name": f"r{number}"},
        }
        for number, percent in requested.items()
    ]
    yield _write(record.name, seen, _default(record, seen), canaries, record.written[default].labels)


def _without(leaving: AbstractSet[int], default: int, there: Mapping[int, int]) -> dict[int, int]:
    """The shares of the canaries that are there when those that leave have none."""
    return {
        number: 0 if number in leaving else WHOLE if number == default else percent
        for number, percent in there.items()
    }


def _gets_requests(leaving: AbstractSet[int], name: str, seen: Observation) -> bool:
    """Whether the route sends requests to versions that leave; not where it is stopped, or may not be read."""
    behind = services_behind(name, seen)
    sent = {behind.get(service) for service, weight in (seen.routed or {}).items() if weight}
    return not seen.stopped and bool(sent & leaving)


def _write(
    name: str, seen: Observation, predictor: Item, canaries: Sequence[Item], labels: Mapping[str, str]
) -> Write:
    spec = {**mapping(seen.service, "spec"), "predictor": predictor, "canary": canaries}
    if not canaries:
        del spec["canary"]
    body = changed(seen.service, spec, labels)
    if canaries:  # KServe's webhook asks for the word itself
        annotations = {**mapping(body, "metadata", "annotations"), MODE: DeploymentMode.STANDARD.value}
        body = {**body, "metadata": {**body["metadata"], "annotations": annotations}}
    return Write("inferenceservices", name, body)


def _with_shares(canaries: Sequence[Item], shares: Mapping[int, int]) -> list[Item]:
    return [{**one, "trafficPercent": shares[revision_of(one.get("predictor"))]} for one in canaries]


def _default(record: ServiceRecord, seen: Observation) -> Item:
    """The default's predictor, under the name that it has: as the default, or as the canary that it was."""
    number = record.desired.default.revision
    if seen.current == number:
        return seen.predictor
    written = record.written[number].predictor
    for one in seen.spec_canaries:
        if revision_of(one.get("predictor")) == number:
            return {**written, **mapping(one, "predictor")}
    named = word(seen.predictor, "name")
    return {**written, **({"name": named} if named else {})}


def _as_canary(predictor: Item, seen: Observation) -> dict[str, Any]:
    """A predictor without what only a default may have, and with the resources that the default was given."""
    found = {name: value for name, value in predictor.items() if name not in _OF_DEFAULT}
    given = [mapping(one, "resources") for one in rows(seen.predictor, "containers")]
    if given and "containers" in found:
        found["containers"] = [_with(one, given[0]) for one in found["containers"]]
    return found


def _with(container: Item, given: Item) -> dict[str, Any]:
    own = mapping(container, "resources")
    resources = {bound: {**mapping(given, bound), **mapping(own, bound)} for bound in {**given, **own}}
    return {**container, "resources": resources}


def services_behind(record_name: str, seen: Observation) -> dict[str, int]:
    """The services behind the route, with the revisions that they are."""
    predictors = [seen.predictor, *(at(one, "predictor") for one in seen.spec_canaries)]
    found = {}
    for one in predictors:
        name = word(one, "name")
        found[f"{record_name}-{name}-predictor" if name else f"{record_name}-predictor"] = revision_of(one)
    return found
