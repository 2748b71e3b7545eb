"""Models that the steps of a run on a cluster saved: registered here once the run is seen to have succeeded."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cluster import Kubernetes, Metadata, Objects, running
from replay import BAD, GOOD, serving
from sklearn.linear_model import LogisticRegression

from kfnb.capture.embedded.models import kfnb_read_model, kfnb_write_model
from kfnb.entities import RunSnapshot
from kfnb.jobs.polling import Pace
from kfnb.remote.kfp.server import KfpServer
from kfnb.resources.models.engine import VersionQuery
from kfnb.resources.models.local.engine import LocalRegistry
from kfnb.resources.models.local.saved_models import Destination
from kfnb.resources.models.model import ModelState
from kfnb.resources.runs.handle import Run
from kfnb.resources.runs.kubeflow import mlmd, saved_models
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.kubeflow.mlmd import Recorded
from kfnb.resources.runs.kubeflow.pods import Pods
from kfnb.resources.runs.kubeflow.run_details import RunDetails

SAVED = {
    "folder": "churn",
    "name": "churn",
    "metrics": {"accuracy": 0.9},
    "data": "",
    "description": "a try",
}


class Saving(mlmd.Metadata):
    """What ML Metadata recorded, with what ``kf.save`` writes beside the artifact of one of the runs' steps."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.entries: list[dict[str, Any]] = [SAVED]

    def run(self, run_id: str, known: Recorded | None = None) -> Recorded | None:
        """The records of a run; lists are wrapped, as KFP's launcher does."""
        found = super().run(run_id, known)
        if found is None or found is known:
            return found
        artifacts = {
            number: replace(one, properties={**one.properties, "kfnb_models": {"list": self.entries}})
            if one.uri.endswith("/model")
            else one
            for number, one in found.artifacts.items()
        }
        return replace(found, artifacts=artifacts)


@dataclass
class Cluster:
    """A cluster with a run that saved a model, and a session for each call."""

    url: str
    metadata: Saving
    kubernetes: Kubernetes
    objects: Objects
    registry: LocalRegistry

    def look(self, run: str = GOOD) -> RunSnapshot:
        """A run as a new session sees it at its end."""
        return self.session(run).snapshot()

    def session(self, run: str = GOOD) -> Run:
        """The run's handle in a new session, when the run has ended."""
        api = self.kubernetes.api()
        details = RunDetails(self.metadata, self.objects.store(api), Pods(api, "kubeflow"))
        to = Destination(self.registry.folder, "", "ann")
        handle = Run(KubeflowRunEngine(KfpServer(self.url), insight=details, registry=lambda: to), run)
        while not handle.state.finished:
            time.sleep(0.05)
        return handle

    def versions(self) -> list[tuple[int, ModelState]]:
        """The registered versions of the model."""
        return [(one.version, one.state) for one in self.registry.versions(VersionQuery(archived=True))]


@pytest.fixture
def cluster(
    tmp_path: Path, kubernetes: Kubernetes, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cluster]:
    monkeypatch.setattr(KubeflowRunEngine, "polling", Pace(0.01, 0.05))
    [key] = [one for one in objects.held if one.endswith("/model") and GOOD in one]
    del objects.held[key]
    folder = tmp_path / "churn"
    kfnb_write_model(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), str(folder))
    for file in folder.iterdir():
        objects.held[f"{key}/churn/{file.name}"] = file.read_bytes()
    kubernetes.load("success")
    kubernetes.load("failure")
    with serving(speed=1e6) as server, running(Metadata()) as metadata:
        registry = LocalRegistry(tmp_path / "registry")
        yield Cluster(server.url, Saving(metadata.address), kubernetes, objects, registry)


def test_a_run_that_has_succeeded_registers_what_its_steps_saved(cluster: Cluster) -> None:
    run = cluster.look()
    version = cluster.registry.version("churn", 1)
    assert (version.owner, version.metrics, version.description) == ("ann", {"accuracy": 0.9}, "a try")
    assert (version.parameters["lr"], version.format) == (0.1, "skops")
    source = version.source
    assert (source.kind, source.cls, source.id, source.task, source.backend) == (
        "kfp",
        "pipelinerun",
        GOOD,
        "train",
        "kubeflow",
    )
    assert version.code == next(task.code for task in run.tasks if task.id == "train") != ""
    assert isinstance(
        kfnb_read_model(str(cluster.registry.download(version)), pickle=False, trust=()), LogisticRegression
    )
    assert "registered churn@1 (saved by train)" in run.notes


def test_wait_returns_when_the_models_are_registered(cluster: Cluster) -> None:
    cluster.session().wait(10)
    assert cluster.versions() == [(1, ModelState.LIVE)]


def test_a_look_at_an_old_run_changes_nothing(cluster: Cluster) -> None:
    cluster.look()
    cluster.registry.set_state("churn", 1, ModelState.ARCHIVED)
    cluster.objects.asked.clear()
    assert "registered churn@1 (saved by train)" in cluster.look().notes
    assert cluster.versions() == [(1, ModelState.ARCHIVED)]
    assert cluster.objects.asked == []  # nothing was downloaded again


def test_sessions_that_look_at_once_register_one_version(cluster: Cluster) -> None:
    sessions = [cluster.session for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = [one.result().snapshot() for one in [pool.submit(session) for session in sessions]]
    assert cluster.versions() == [(1, ModelState.LIVE)]
    assert all(any("churn@1" in note for note in run.notes) for run in found)


def test_a_run_that_failed_registers_nothing(cluster: Cluster) -> None:
    assert not any("registered" in note for note in cluster.look(BAD).notes)
    assert not cluster.registry.folder.exists()


def test_a_run_that_saved_no_model_touches_no_registry(cluster: Cluster) -> None:
    cluster.metadata.entries = []
    cluster.look()
    assert not cluster.registry.folder.exists()


def test_what_cannot_be_read_is_said_and_tried_again(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, cluster.objects.held = cluster.objects.held, {}
    run = cluster.session()
    [note] = [one for one in run.snapshot().notes if "churn" in one]
    assert note.startswith("model churn of train is not registered: no such object")
    cluster.objects.held = held
    assert note in run.snapshot().notes  # not at each poll
    monkeypatch.setattr(saved_models, "_PAUSE", 0.0)
    assert _soon(lambda: "registered churn@1 (saved by train)" in run.snapshot().notes)
    assert not any("is not registered" in note for note in run.snapshot().notes)


def test_a_registry_that_cannot_be_used_is_said(cluster: Cluster) -> None:
    cluster.registry.folder.parent.joinpath("registry").write_text("a file")
    [note] = [one for one in cluster.look().notes if "models" in one]
    assert note.startswith("the models of the run are not registered: ")


@pytest.mark.parametrize("name", ["../../churn", "/etc/churn", "a/b", "Churn"])
def test_a_name_that_is_a_path_leaves_the_folder_alone(cluster: Cluster, name: str) -> None:
    cluster.metadata.entries = [{**SAVED, "name": name, "folder": name}]
    [note] = [one for one in cluster.look().notes if name in one]
    assert note.startswith(f"model {name} of train is not registered: ")
    assert cluster.versions() == []


@pytest.mark.parametrize("entries", [[1], [{}], [{"name": "churn"}], [{**SAVED, "folder": "other"}]])
def test_what_a_step_writes_in_the_place_of_models_does_no_harm(cluster: Cluster, entries: Any) -> None:
    cluster.metadata.entries = json.loads(json.dumps(entries))
    cluster.look()
    assert not cluster.registry.folder.exists()


def _soon(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + 5
    while not (found := true()) and time.monotonic() < until:
        time.sleep(0.02)
    return found
