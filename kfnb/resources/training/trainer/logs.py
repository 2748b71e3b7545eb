"""The log of a training: the lines of all pods, also of those that another has replaced, and the reports among them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kfnb.errors import BackendError
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.fields import Item, mapping, word
from kfnb.resources.runs.kubeflow.log_lines import Sieve
from kfnb.resources.training.trainer.objects import CONTAINER, container_of, index_of
from kfnb.resources.training.trainer.pod_program import MARK
from kfnb.text.timestamps import seconds


@dataclass(frozen=True)
class PodLine:
    """A line of a pod: text, or a report of a ``kind`` with its ``facts``."""

    pod: str
    node: int
    at: float | None
    text: str = ""
    kind: str = ""
    facts: Mapping[str, Any] | None = None


class TrainingLogs:
    """Reads the logs of a training's pods, each line once, however often it is asked."""

    def __init__(self, kubernetes: Kubernetes, namespace: str) -> None:
        self._kubernetes = kubernetes
        self._pods = f"/api/v1/namespaces/{namespace}/pods"
        self._last: dict[tuple[str, bool], str] = {}
        self._sieves: dict[str, Sieve] = {}
        self._complete: set[str] = set()

    def new(self, pods: Iterable[Item]) -> list[PodLine]:
        """The lines since the last time, in the order of their times."""
        found = [line for pod in pods for line in self._of(pod)]
        return sorted(found, key=lambda line: line.at or 0.0)

    def _of(self, pod: Item) -> Iterator[PodLine]:
        uid = word(pod, "metadata", "uid")
        status = container_of(pod)
        state = mapping(status, "state")
        restarts = int(status.get("restartCount") or 0)
        if uid in self._complete or (not restarts and not ({"running", "terminated"} & state.keys())):
            return
        if restarts:
            yield from self._read(pod, previous=True)
        yield from self._read(pod, previous=False)
        if "terminated" in state:
            self._complete.add(uid)

    def _read(self, pod: Item, *, previous: bool) -> Iterator[PodLine]:
        name = word(pod, "metadata", "name")
        key = (word(pod, "metadata", "uid"), previous)
        before = self._last.get(key, "")
        query = {
            "container": CONTAINER,
            "timestamps": "true",
            "previous": "true" if previous else "",
            "sinceTime": before.partition(".")[0] + "Z" * bool(before),
        }
        sieve = self._sieves.setdefault(key[0], Sieve())
        with suppress(BackendError):  # of a pod that has gone meanwhile
            for line in self._kubernetes.lines(f"{self._pods}/{name}/log", query):
                at, _, text = line.partition(" ")
                if at <= before:
                    continue
                self._last[key] = at
                yield from split_line(PodLine(name, index_of(pod), seconds(at), text), sieve)


def split_line(line: PodLine, sieve: Sieve) -> Iterator[PodLine]:
    """What a line of a container's log holds: text, a report, or a text that a report has interrupted."""
    text, mark, report = line.text.partition(MARK)
    if (text or not mark) and sieve.passes(text):
        yield PodLine(line.pod, line.node, line.at, text)
    if mark:
        kind, _, facts = report.partition(" ")
        with suppress(ValueError):  # a training may print anything
            found = json.loads(facts)
            if isinstance(found, dict):
                yield PodLine(line.pod, line.node, line.at, kind=kind, facts=found)
