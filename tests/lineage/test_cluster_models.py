"""The lineage of a model in the cluster's registry: its run by KEP-12020's fields, and its data by their digests."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "runs" / "kubeflow"))
sys.path.insert(0, str(Path(__file__).parent.parent / "models"))

from cluster import Metadata, running
from registry_conformance import draft, make_folder
from replay import GOOD, serving

import kfnb
from kfnb.errors import NotFound, UsageError
from kfnb.remote.kfp.server import KfpServer
from kfnb.remote.retry import RetryPolicy
from kfnb.resources.models import api
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.models.local.engine import LocalRegistry
from kfnb.resources.models.model import ModelSource, VersionSnapshot
from kfnb.resources.models.moves import AliasMove
from kfnb.resources.runs import api as runs
from kfnb.resources.runs.kubeflow import mlmd
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.kubeflow.run_details import RunDetails

MADE = ModelSource("kfp", "pipelinerun", GOOD, "good", "team-a", "train", "kubeflow")
OTHER = "f" * 64


class ClusterRegistry(LocalRegistry):
    """A registry that answers as the cluster's."""

    name = "kubeflow"


@pytest.fixture
def there(home, monkeypatch) -> Iterator[ClusterRegistry]:
    """The registry of a cluster whose runs are recorded."""
    here = api.registry_of
    registry = ClusterRegistry(home / "elsewhere")
    monkeypatch.setattr(
        api, "registry_of", lambda backend=None: registry if backend == "kubeflow" else here(backend)
    )
    retry = RetryPolicy(tries=3, pause=0.01, longest=0.05, connect=10.0, read=30.0)
    with serving(speed=1e6) as server, running(Metadata()) as metadata:
        details = RunDetails(mlmd.Metadata(metadata.address), None, None)
        engine = KubeflowRunEngine(KfpServer(server.url, retry=retry), insight=details)
        monkeypatch.setattr(runs._connection, "engine", lambda: engine)
        yield registry


@pytest.fixture
def register(there, tmp_path) -> Callable[..., VersionSnapshot]:
    def act(**fields: object) -> VersionSnapshot:
        folder = make_folder(tmp_path / "made")
        return there.register(replace(draft("churn", folder), **{"source": MADE, **fields}), folder)

    return act


def test_its_run_and_its_data_are_behind_it(register) -> None:
    data = kfnb.add_data("churn-data", pd.DataFrame({"a": [1]}))
    register(data=("churn-data@1",), data_digests={"churn-data@1": data.digest})
    found = kfnb.lineage("kubeflow:churn@1")
    assert f"{GOOD}/train" in found.above
    assert found.data == ("churn-data@1",)
    assert [found.node(one).refs[0] for one in found.subjects] == ["kubeflow:churn@1"]
    assert found.notes == ()


def test_a_model_is_named_as_everywhere(register, there) -> None:
    register()
    there.move_alias(AliasMove("churn", "champion", 1, expected=None, by="ann", because=""))
    found = kfnb.lineage("kubeflow:churn@1")
    for ref in ("kubeflow:churn", "kubeflow:churn@champion", kfnb.model("kubeflow:churn")):
        assert kfnb.lineage(ref) == found
    assert kfnb.model("kubeflow:churn").lineage() == found


def test_the_same_model_here_is_the_same_node(register, there, home) -> None:
    version = register()
    LocalRegistry(home / "registry").register(replace(version, uri=""), there.download(version))
    found = kfnb.lineage("kubeflow:churn@1")
    assert set(found.node(found.subjects[0]).refs) == {
        "churn",
        "churn@1",
        "churn@latest",
        "kubeflow:churn@1",
    }
    assert f"{GOOD}/train" in found.above


def test_data_of_the_same_name_with_other_content_is_another_node(register) -> None:
    kfnb.add_data("churn-data", pd.DataFrame({"a": [1]}))
    register(data=("churn-data@1", "sales@2"), data_digests={"churn-data@1": OTHER, "sales@2": "e" * 64})
    assert set(kfnb.lineage("kubeflow:churn@1").data) == {"kubeflow:churn-data@1", "sales@2"}


def test_a_run_that_is_gone_is_a_note(register) -> None:
    register(source=replace(MADE, id="00000000-0000-0000-0000-000000000000"))
    found = kfnb.lineage("kubeflow:churn@1")
    assert "the run that made kubeflow:churn@1 cannot be read" in found.notes[0]
    assert len(found.nodes) == 1


def test_a_run_of_the_cluster_is_still_named_by_its_id(there) -> None:
    assert kfnb.lineage(f"kubeflow:{GOOD}").runs == (GOOD,)


@pytest.mark.parametrize("ref", ["kubeflow:chrun", "kubeflow:churn@7", "kubeflow:churn@prod"])
def test_what_the_registry_does_not_have_is_named(register, ref: str) -> None:
    register()
    with pytest.raises(
        (UsageError, NotFound), match=r"unknown model chrun; did you mean churn|churn@7|no alias prod"
    ):
        kfnb.lineage(ref)


def test_the_index_keeps_nothing_of_it(register) -> None:
    register()
    kfnb.lineage("kubeflow:churn@1")
    with pytest.raises(NotFound):
        kfnb.lineage("churn@1")
    assert isinstance(kfnb.model("kubeflow:churn"), ModelVersion)
