"""What trials reported while they ran, from Katib's DB manager over gRPC.

Field numbers are those of Katib's ``api.proto``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from kfnb.remote.grpc import GrpcApi, calls

SERVICE, PORT = "katib-db-manager", 6789
"""Where the DB manager is, in the namespace that Kubeflow is installed in."""

_TIMEOUT = 10.0
_MESSAGES: Mapping[str, tuple[tuple[str, int, str], ...]] = {
    "GetObservationLogRequest": (("trial_name", 1, "string"), ("metric_name", 2, "string")),
    "GetObservationLogReply": (("observation_log", 1, "ObservationLog"),),
    "ObservationLog": (("metric_logs", 1, "*MetricLog"),),
    "MetricLog": (("time_stamp", 1, "string"), ("metric", 2, "Metric")),
    "Metric": (("name", 1, "string"), ("value", 2, "string")),
}
API = GrpcApi("api.v1.beta1", "DBManager", _MESSAGES)

Curve = tuple[tuple[float, float], ...]


class Observations:
    """The DB manager at ``address`` (``host:port``).

    A channel is open for as long as curves are read, so that gRPC has no threads but then: a kernel forks.
    """

    def __init__(self, address: str) -> None:
        self.address = address

    def curves(self, trials: Iterable[str], metric: str) -> Iterator[tuple[str, Curve]]:
        """For each trial by its name: the metric's intermediate values, as pairs of a step (from 0) and a value.

        Raises ``BackendError``.
        """
        with calls(API, self.address, server="Katib's DB manager", timeout=_TIMEOUT) as call:
            for trial in trials:
                answer = call("GetObservationLog", {"trial_name": trial, "metric_name": metric})
                yield trial, tuple(_points(answer, metric))


def _points(answer: Any, metric: str) -> Iterator[tuple[float, float]]:
    """What is a number among a metric's values; where there was none, Katib itself put ``unavailable``."""
    step = 0
    for log in answer.observation_log.metric_logs:
        if log.metric.name != metric:
            continue
        with suppress(ValueError):
            value = float(log.metric.value)
            if math.isfinite(value):
                yield float(step), value
                step += 1
