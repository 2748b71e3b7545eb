"""All runs that were recorded, of both Argo configurations, and what stood beside their server."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from cluster import Kubernetes, Metadata, Objects, running
from replay import NAMES, RUNS, STOCK, exchanges, looks, text_of

from kfnb.entities import RunSnapshot
from kfnb.jobs.polling import Pace
from kfnb.resources.runs.kubeflow import mlmd
from kfnb.resources.runs.kubeflow.argo_nodes import name_of, task_of
from kfnb.resources.runs.kubeflow.mlmd import Recorded
from kfnb.resources.runs.kubeflow.pods import Pods, TaskPod
from kfnb.resources.runs.kubeflow.run_details import RunDetails
from kfnb.resources.runs.kubeflow.tracked_run import TrackedRun
from kfnb.resources.runs.kubeflow.workflow import Workflow, _nodes, parse
from kfnb.text.timestamps import seconds

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
        self.answer = answer

    def get(self, path: str) -> Any:
        return self.answer

    def with_spec(self, answer: Any) -> Any:
        return answer


@dataclass
class Beside:
    """What stood beside the server of one set of recordings."""

    metadata: Metadata
    kubernetes: Kubernetes
    objects: Objects

    def cluster(self, *, metadata: bool = True, kubernetes: bool = True) -> RunDetails:
        """What asks it, where each of them may be out of reach."""
        api = self.kubernetes.api()
        return RunDetails(
            mlmd.Metadata(self.metadata.address) if metadata else None,
            self.objects.store(api),
            Pods(api, "kubeflow") if kubernetes else None,
        )


class AsItWas:
    """What ML Metadata and Kubernetes knew of a recorded run at a moment, ``now``, told from how it ended."""

    def __init__(self, run_id: str, metadata: Metadata) -> None:
        self.now = 0.0
        found = mlmd.Metadata(metadata.address).run(run_id)
        assert found is not None
        self._recorded = found
        self._workflow = workflows()[run_id]
        self._nodes = _nodes(self._workflow["status"])

    def run(self, run_id: str, known: Recorded | None = None) -> Recorded:
        """ML Metadata's answer."""
        begun = [one for one in self._recorded.executions if one.created <= self.now]
        states = (one if one.updated <= self.now else replace(one, state="RUNNING") for one in begun)
        return replace(self._recorded, executions=tuple(states))

    def of_run(self, run_id: str, *, succeeded: bool = True) -> tuple[TaskPod, ...]:
        """The pods."""
        pods = ((node, self._phase(node)) for node in self._nodes if node["type"] == "Pod")
        return tuple(
            TaskPod(
                name=node["id"],
                task=task_of(node["name"]),
                role="launcher" if name_of(node["name"]) == "executor" else "driver",
                phase=phase,
                created=node["startedAt"],
            )
            for node, phase in pods
            if phase and (succeeded or phase != "Succeeded")
        )

    def events(self, pod: str) -> tuple[str, ...]:
        """What Kubernetes says of a pod."""
        return ()

    def workflow(self, run_id: str) -> Workflow:
        """The Workflow."""
        nodes = {node["id"]: {**node, "phase": phase} for node in self._nodes if (phase := self._phase(node))}
        return parse({"status": {"phase": "Running", "nodes": nodes}})

    def _phase(self, node: Any) -> str:
        began, ended = seconds(node["startedAt"]), seconds(node["finishedAt"])
        assert began is not None
        assert ended is not None
        return "" if began > self.now else "Running" if ended > self.now else str(node["phase"])


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


def look_at(run_id: str, answer: Any, cluster: RunDetails | None) -> TrackedRun:
    """What looks at a run of which the server says ``answer``."""
    server: Any = _Server(answer)
    return TrackedRun(server, run_id, lambda _: "", server, cluster, lambda _: "", lambda: Pace(1, 15))


def at(run_id: str, answer: Any, cluster: RunDetails | None) -> RunSnapshot:
    """A run as a look sees it where the server says ``answer``."""
    return look_at(run_id, answer, cluster).watch.run()


def in_the_end(run_id: str, cluster: RunDetails | None) -> RunSnapshot:
    """A run as its last look sees it."""
    return at(run_id, looks(run_id)[-1], cluster)
