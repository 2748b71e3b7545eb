"""The split of Knative: ``canaryTrafficPercent`` of the requests for the newest revision, the rest for the one before.

Knative gives the newest revision's share to the newest one that is *ready*. So a predictor is never replaced by another
with a share above 0 except where the one before may have those requests, and a first revision has no canary: it
would get everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kfnb.remote.kubernetes.fields import mapping
from kfnb.resources.services.kserve.objects import Write, changed
from kfnb.resources.services.kserve.observation import Observation
from kfnb.resources.services.kserve.record import ServiceRecord, WrittenRevision

_PERCENT = "canaryTrafficPercent"


def knative_writes(record: ServiceRecord, seen: Observation) -> Iterator[Write]:
    """What has to be written next; nothing where all is as it is requested, or something has to become ready first."""
    revision, percent = _next(record, seen)
    if (revision, percent) == (seen.current, seen.predictor.get(_PERCENT)):
        return
    yield Write("inferenceservices", record.name, _service(record.written[revision], seen, percent))


def _next(record: ServiceRecord, seen: Observation) -> tuple[int, int | None]:
    """The revision that the predictor has to be, and the percent that it gets (None for all)."""
    default, canary = record.desired.default.revision, record.desired.of("canary")
    rolled_out = seen.of_knative("latestRolledoutRevision")
    if canary is None or rolled_out != default:
        return default, _percent_of_default(default, rolled_out, seen)
    return canary.revision, _percent_of_canary(canary.revision, default, canary.percent, seen)


def _percent_of_default(default: int, rolled_out: int | None, seen: Observation) -> int | None:
    percent = seen.predictor.get(_PERCENT)
    if percent is None or rolled_out is None:
        return None
    if seen.current != default or rolled_out == default:
        return 0  # the revision that was rolled out continues alone
    return None if seen.of_knative("latestReadyRevision") == default else 0


def _percent_of_canary(canary: int, default: int, requested: int, seen: Observation) -> int:
    if seen.current == default:
        return requested  # until the canary is ready, its share is the default's
    waits = seen.current != canary or not seen.predictor.get(_PERCENT)
    return 0 if waits and seen.of_knative("latestReadyRevision") != canary else requested


def _service(written: WrittenRevision, seen: Observation, percent: int | None) -> Mapping[str, Any]:
    predictor = {**written.predictor, **({} if percent is None else {_PERCENT: percent})}
    spec = {**mapping(seen.service, "spec"), "predictor": predictor}
    return changed(seen.service, spec, written.labels)
