"""The logs of a service's pods."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime

from kfnb.entities import LogLine
from kfnb.errors import BackendError, ServiceNotFound
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.fields import Item, mapping, rows, word
from kfnb.resources.services.kserve.objects import CONTAINERS, revision_of_pod
from kfnb.resources.services.kserve.observation import Observation

_POLL = 2.0


class PodLogs:
    """The lines of a service's pods, each once, however often they are asked for."""

    def __init__(self, kubernetes: Kubernetes, namespace: str) -> None:
        self._kubernetes = kubernetes
        self._pods = f"/api/v1/namespaces/{namespace}/pods"
        self._last: dict[tuple[str, str], str] = {}

    def lines(self, seen: Observation, refs: Mapping[int, str]) -> Iterator[LogLine]:
        """The lines since the last time, of the revisions with these references."""
        for pod in seen.pods:
            ref = refs.get(revision_of_pod(pod))
            if ref is not None:
                for container in CONTAINERS:
                    if _has_written(pod, container):
                        yield from self._new(pod, container, ref)

    def _new(self, pod: Item, container: str, ref: str) -> Iterator[LogLine]:
        name = word(pod, "metadata", "name")
        before = self._last.get((name, container), "")
        query = {
            "container": container,
            "timestamps": "true",
            "sinceTime": before.partition(".")[0] + "Z" * bool(before),
        }
        with suppress(BackendError):  # of a pod that has gone meanwhile
            for line in self._kubernetes.lines(f"{self._pods}/{name}/log", query):
                at, _, text = line.partition(" ")
                if at > before:
                    self._last[name, container] = at
                    yield LogLine(ref, text, _seconds(at))


def follow(looks: Iterator[Observation], logs: PodLogs, refs: Mapping[int, str]) -> Iterator[LogLine]:
    """The lines of all further looks, until the service is stopped or deleted."""
    with suppress(ServiceNotFound):
        for seen in looks:
            yield from logs.lines(seen, refs)
            if seen.stopped:
                return
            time.sleep(_POLL)


def _has_written(pod: Item, container: str) -> bool:
    """Whether a container has begun."""
    for kind in ("initContainerStatuses", "containerStatuses"):
        for one in rows(pod, "status", kind):
            if one.get("name") == container:
                return not mapping(one, "state", "waiting") or int(one.get("restartCount") or 0) > 0
    return False


def _seconds(at: str) -> float | None:
    try:
        return datetime.fromisoformat(at[:19] + "+00:00").timestamp()
    except ValueError:
        return None
