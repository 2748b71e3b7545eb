"""What trials said on their way: Katib's DB manager, asked over gRPC.

The ``kubeflow-katib`` package does not install beside kfp, so the few messages that are read here are described at run
time. Field numbers are those of Katib's ``api.proto``; unknown fields, of a newer one, are skipped as protobuf does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from kfnb.errors import BackendError, BackendUnavailable
from kfnb.extras import require

SERVICE, PORT = "katib-db-manager", 6789
"""Where the DB manager is, in the namespace that Kubeflow is installed in."""

_METHOD = "/api.v1.beta1.DBManager/GetObservationLog"
_PACKAGE = "api.v1.beta1"
_TIMEOUT = 10.0
_MESSAGES: Mapping[str, tuple[tuple[str, int, str], ...]] = {
    "GetObservationLogRequest": (("trial_name", 1, ""), ("metric_name", 2, "")),
    "GetObservationLogReply": (("observation_log", 1, "ObservationLog"),),
    "ObservationLog": (("metric_logs", 1, "*MetricLog"),),
    "MetricLog": (("time_stamp", 1, ""), ("metric", 2, "Metric")),
    "Metric": (("name", 1, ""), ("value", 2, "")),
}
"""Each field's name and number, and its message (``*`` before it: repeated); a text where it is empty."""

Curve = tuple[tuple[float, float], ...]


class Observations:
    """The DB manager at ``address`` (``host:port``).

    A channel is open for as long as curves are read, so that gRPC has no threads but then: a kernel forks.
    """

    def __init__(self, address: str) -> None:
        self.address = address

    def curves(self, trials: Iterable[str], metric: str) -> Iterator[tuple[str, Curve]]:
        """For each trial by its name: the metric on its way, as pairs of a step, counted from 0, and a value.

        Raises ``BackendError``.
        """
        require("grpc", "reading them")
        import grpc

        options = [("grpc.max_receive_message_length", -1), ("grpc.enable_http_proxy", 0)]
        request, reply = messages()["GetObservationLogRequest"], messages()["GetObservationLogReply"]
        with grpc.insecure_channel(self.address, options) as channel:
            ask = channel.unary_unary(_METHOD, lambda sent: sent.SerializeToString(), reply.FromString)
            for trial in trials:
                try:
                    answer = ask(request(trial_name=trial, metric_name=metric), timeout=_TIMEOUT)
                except grpc.RpcError as error:
                    raise self._said(error) from None
                yield trial, tuple(_points(answer, metric))

    def _said(self, error: Any) -> BackendError:
        code, details = error.code().name, error.details() or ""
        if code in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
            return BackendUnavailable(f"Katib's DB manager does not answer at {self.address}: {details}")
        return BackendError(f"Katib's DB manager at {self.address} refused ({code}): {details}")


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


@cache
def messages() -> dict[str, Any]:
    """The message classes by name, made once."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    pool = descriptor_pool.DescriptorPool()
    file = descriptor_pb2.FileDescriptorProto(name="kfnb/katib.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, number, kind in fields:
            added = message.field.add(name=field_name, number=number, type=9)
            added.label = added.LABEL_REPEATED if kind.startswith("*") else added.LABEL_OPTIONAL
            if kind:
                added.type, added.type_name = added.TYPE_MESSAGE, f".{_PACKAGE}.{kind.removeprefix('*')}"
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
        for name in _MESSAGES
    }
