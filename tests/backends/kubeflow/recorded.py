"""All runs that were recorded, of both Argo configurations, and what stood beside their server."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from cluster import Kubernetes, Metadata, Objects, running
from replay import NAMES, RUNS, STOCK, exchanges, looks, text_of

from kfnb.backends.backend import Pace
from kfnb.backends.kubeflow import mlmd
from kfnb.backends.kubeflow.insight import Cluster
from kfnb.backends.kubeflow.look import Look
from kfnb.backends.kubeflow.objects import Store, read_secrets
from kfnb.backends.kubeflow.pods import Pods
from kfnb.model import Run

WORKFLOWS = (
    *("success", "success-cached", "failure", "cancel"),
    *("stock/loops", "stock/cached", "stock/failures", "stock/stopped", "stock/big"),
)
"""The recordings that have the Workflows, pods and logs of their runs."""


@cache
def names() -> dict[str, str]:
    """The runs' ids by their names; those of the stock configuration are ``stock: NAME``."""
    found = {}
    for name in (*NAMES, *STOCK):
        for row in exchanges(name):
            if row["method"] == "POST" and row["path"] == RUNS and row["status"] == 200:
                answer = row["response"]
                whose = "stock: " if name in STOCK else ""
                if looks(answer["run_id"]):
                    found[whose + answer["display_name"]] = answer["run_id"]
    return found


@cache
def workflows() -> dict[str, Any]:
    """The Argo Workflows as Kubernetes had them in the end, by the ids of their runs."""
    found = {}
    for name in WORKFLOWS:
        told = json.loads(text_of(f"{name}.workflow.json"))
        for item in told.get("items", [told]):
            found[item["metadata"]["labels"]["pipeline/runid"]] = item
    return found


class _Server:
    """Answers that a run is as it was at one look."""

    url = "http://recorded"

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def get(self, path: str) -> Any:
        return self._answer

    def with_spec(self, answer: Any) -> Any:
        return answer


@dataclass
class Beside:
    """What stood beside the server of one set of recordings."""

    metadata: Metadata
    kubernetes: Kubernetes
    objects: Objects

    def cluster(self, *, metadata: bool = True, kubernetes: bool = True) -> Cluster:
        """What asks it, where each of them may be out of reach."""
        api = self.kubernetes.api()
        return Cluster(
            mlmd.Metadata(self.metadata.address) if metadata else None,
            Store("kubeflow", read_secrets(api), lambda _: self.objects.address),
            Pods(api, "kubeflow") if kubernetes else None,
        )


@contextmanager
def beside(stock: bool) -> Iterator[Beside]:
    """The servers of one of the sets."""
    folder = "stock/" if stock else ""
    with ExitStack() as open_:
        metadata = open_.enter_context(running(Metadata(folder)))
        objects = open_.enter_context(running(Objects(folder)))
        kubernetes = open_.enter_context(running(Kubernetes()))
        for name in WORKFLOWS:
            if name.startswith("stock/") is stock:
                kubernetes.load(name)
        kubernetes.workflows += workflows().values()
        yield Beside(metadata, kubernetes, objects)


def at(run_id: str, answer: Any, cluster: Cluster | None) -> Run:
    """A run as a look sees it where the server says ``answer``."""
    server: Any = _Server(answer)
    look = Look(server, run_id, lambda _: "", server, cluster, lambda _: "", lambda: Pace(1, 15))
    return look.watch.run()


def in_the_end(run_id: str, cluster: Cluster | None) -> Run:
    """A run as its last look sees it."""
    return at(run_id, looks(run_id)[-1], cluster)
