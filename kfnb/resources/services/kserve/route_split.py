"""The split of KServe's Standard mode with the Gateway API: the canary is in the spec, the weights on an HTTPRoute.

KServe gives a canary its share once it is ready. A canary becomes the default by its predictor's name, without a
restart: but only if its pods are the same then, and KServe's webhook gives resources to those of a default alone. So a
canary is written with those that the default has.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kfnb.remote.kubernetes.fields import Item, at, mapping, rows, word
from kfnb.resources.services.kserve.mode import DeploymentMode
from kfnb.resources.services.kserve.objects import MODE, Write, changed, revision_of
from kfnb.resources.services.kserve.observation import Observation
from kfnb.resources.services.kserve.record import ServiceRecord

_OF_DEFAULT = ("minReplicas", "maxReplicas")


def route_writes(record: ServiceRecord, seen: Observation) -> Iterator[Write]:
    """What has to be written next."""
    canary = record.desired.of("canary")
    requested = {} if canary is None else {canary.revision: canary.percent}
    there = {revision_of(one.get("predictor")): one.get("trafficPercent") for one in seen.spec_canaries}
    default = record.desired.default.revision
    if (seen.current, there) == (default, requested):
        return
    spec: dict[str, Any] = {**mapping(seen.service, "spec"), "predictor": _default(record, seen)}
    spec["canary"] = [
        {
            "trafficPercent": percent,
            "predictor": {**_as_canary(record.written[number].predictor, seen), "name": f"r{number}"},
        }
        for number, percent in requested.items()
    ]
    if not spec["canary"]:
        del spec["canary"]
    body = changed(seen.service, spec, record.written[default].labels)
    if spec.get("canary"):  # KServe's webhook asks for the word itself
        annotations = {**mapping(body, "metadata", "annotations"), MODE: DeploymentMode.STANDARD.value}
        body = {**body, "metadata": {**body["metadata"], "annotations": annotations}}
    yield Write("inferenceservices", record.name, body)


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
