"""Which of the ways to split requests a service goes, and what has to be written next on that way."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kfnb.resources.services.kserve.graph_split import graph_writes
from kfnb.resources.services.kserve.knative_split import knative_writes
from kfnb.resources.services.kserve.mode import DeploymentMode, KServeSettings
from kfnb.resources.services.kserve.objects import Write
from kfnb.resources.services.kserve.observation import Observation
from kfnb.resources.services.kserve.record import ServiceRecord
from kfnb.resources.services.kserve.route_split import route_writes


def next_writes(
    record: ServiceRecord, seen: Observation, settings: Callable[[], KServeSettings]
) -> Iterator[Write]:
    """What has to be written next for what is requested of a service; nothing while its mode is unknown.

    A service that has a graph or a canary in its spec keeps to that way. ``settings`` is asked only where a first
    canary needs to know.
    """
    if seen.mode is DeploymentMode.KNATIVE:
        return knative_writes(record, seen)
    if seen.graph is not None or seen.canary is not None:
        return graph_writes(record, seen)
    if seen.spec_canaries:
        return route_writes(record, seen)
    if record.desired.of("canary") is None:
        return route_writes(record, seen)  # a default alone is the same on both ways
    if seen.mode is None:
        return iter(())
    return route_writes(record, seen) if settings().weighs_routes else graph_writes(record, seen)
