"""Kubeflow's Model Registry does what every registry does; what it is called with, others can read."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable

import pytest
from cluster import ACCESS, SECRET
from model_registry_rig import RegistryRig
from registry_conformance import RUN, RegistryConformance, draft, make_folder

from kfnb.errors import BackendError
from kfnb.remote.environment import KubeflowEnvironment
from kfnb.remote.model_registry.server import RegistryServer
from kfnb.resources.models.digest import folder_digest
from kfnb.resources.models.engine import VersionQuery
from kfnb.resources.models.kubeflow import KubeflowRegistry
from kfnb.resources.models.kubeflow.connection import registry_at
from kfnb.resources.models.kubeflow.properties import text as text_property
from kfnb.resources.models.model import ModelSource
from kfnb.resources.models.moves import AliasMove
from kfnb.resources.runs.kubeflow.connection import Access


class TestKubeflowRegistry(RegistryConformance):
    """As recorded from both servers; see ``model_registry_rig`` for real ones."""

    measured_once = True

    @pytest.fixture
    def registry(self, connected: Callable[..., KubeflowRegistry], rig: RegistryRig) -> KubeflowRegistry:
        self.one_order = rig.recorded
        return connected()

    @pytest.fixture
    def another(self, connected: Callable[..., KubeflowRegistry]) -> KubeflowRegistry:
        return connected("another")

    @pytest.fixture
    def churn(self, churn: str) -> str:
        return churn


def properties(found):
    """Custom properties as an object has them in the registry, by name."""
    return {
        name: value.get("string_value", value.get("double_value"))
        for name, value in (found.get("customProperties") or {}).items()
    }


@pytest.fixture
def server(rig):
    found = RegistryServer(rig.url)
    yield found
    found.close()


def test_long_lists_are_read_page_by_page(connected, churn, tmp_path, monkeypatch):
    monkeypatch.setattr("kfnb.remote.model_registry.server.PAGE", 2)
    registry = connected()
    for number in range(5):
        folder = make_folder(tmp_path, f"model {number}")
        registry.register(draft(churn, folder, created=float(number + 1)), folder)

    found = registry.versions(VersionQuery(name=churn))

    assert [one.version for one in found] == [5, 4, 3, 2, 1]


def test_other_clients_see_the_run_the_metrics_and_the_data(connected, server, churn, tmp_path):
    """By the convention of KEP-12020, and as the registry's page shows them."""
    folder = make_folder(tmp_path)
    known = {
        "metrics_data": "churn-data@2",
        "tags": {"team": "blue", "reviewed": ""},
        "data": ("churn-data@2",),
    }
    registered = connected().register(draft(churn, folder, source=RUN, **known), folder)
    model = server.get("/registered_model", name=churn)
    [version] = server.list(f"/registered_models/{model['id']}/versions")
    artifacts = [*server.list(f"/model_versions/{version['id']}/artifacts")]

    assert (model["owner"], version["name"], version["author"], version["state"]) == (
        "ann",
        "1",
        "ann",
        "LIVE",
    )
    shown = properties(version)
    assert (shown["accuracy"], shown["team"], shown["reviewed"]) == (0.9, "blue", "")
    assert shown["kfnb.digest"] == registered.digest
    assert json.loads(shown["kfnb.data"]) == ["churn-data@2"]
    [artifact] = [one for one in artifacts if one["artifactType"] == "model-artifact"]
    assert artifact == artifacts[0]
    assert artifact["uri"] == registered.uri
    assert artifact["modelFormatName"] == "skops"
    assert {name: artifact[name] for name in artifact if name.startswith("modelSource")} == {
        "modelSourceKind": "kfp",
        "modelSourceClass": "pipelinerun",
        "modelSourceId": "6ede6767",
        "modelSourceName": "churn 2026-11-23",
        "modelSourceGroup": "team-a",
    }
    [metric] = [one for one in artifacts if one["artifactType"] == "metric"]
    assert (metric["name"], metric["value"], properties(metric)) == (
        "accuracy",
        0.9,
        {"kfnb.data": "churn-data@2"},
    )
    [data] = [one for one in artifacts if one["artifactType"] == "dataset-artifact"]
    assert (data["name"], data["sourceType"]) == ("churn-data@2", "kfnb")


def test_other_clients_see_where_the_aliases_are(connected, server, churn, tmp_path):
    registry = connected()
    for text in ("one", "two"):
        folder = make_folder(tmp_path, text)
        registry.register(draft(churn, folder), folder)
    model = server.get("/registered_model", name=churn)
    server.update(f"/registered_models/{model['id']}", {"customProperties": {"team": text_property("blue")}})

    registry.move_alias(AliasMove(churn, "champion", 1, expected=None, by="ann", because="first"))
    registry.move_alias(AliasMove(churn, "candidate", 2, expected=None, by="ann", because=""))
    registry.move_alias(AliasMove(churn, "champion", 2, expected=1, by="bob", because="better"))
    registry.move_alias(AliasMove(churn, "candidate", None, expected=2, by="bob", because=""))

    assert properties(server.get("/registered_model", name=churn)) == {
        "team": "blue",
        "kfnb.alias.champion": "2",
    }


def test_an_alias_that_was_edited_by_hand_is_what_its_history_says(connected, server, churn, tmp_path):
    registry = connected()
    folder = make_folder(tmp_path)
    registry.register(draft(churn, folder), folder)
    registry.move_alias(AliasMove(churn, "champion", 1, expected=None, by="ann", because=""))
    model = server.get("/registered_model", name=churn)
    edited = {"kfnb.alias.champion": text_property("7"), "kfnb.alias.other": text_property("1")}
    server.update(f"/registered_models/{model['id']}", {"customProperties": edited})

    assert registry.version(churn, 1).aliases == ("champion",)
    registry.move_alias(AliasMove(churn, "stable", 1, expected=None, by="ann", because=""))

    shown = properties(server.get("/registered_model", name=churn))
    assert shown == {"kfnb.alias.champion": "1", "kfnb.alias.stable": "1"}


def test_versions_of_other_clients_are_numbered_and_kept_unchanged(connected, server, churn, tmp_path):
    model = server.create("/registered_models", {"name": churn, "owner": "carl"})
    for name in ("v1", "2026-11-30", "3"):
        body = {"name": name, "registeredModelId": model["id"], "author": "carl"}
        body["customProperties"] = {
            "accuracy": {"metadataType": "MetadataDoubleValue", "double_value": 0.5},
            "epochs": {"metadataType": "MetadataIntValue", "int_value": "3"},
            "final": {"metadataType": "MetadataBoolValue", "bool_value": True},
            "label": text_property(""),
            "kfnb.signature": text_property("[not JSON"),
            "kfnb.data": text_property('{"not": "a list"}'),
            "kfnb.size": text_property("large"),
        }
        version = server.create("/model_versions", body)
    artifact = {
        "artifactType": "model-artifact",
        "name": churn,
        "uri": "s3://models/3",
        "modelFormatName": "onnx",
    }
    server.create(f"/model_versions/{version['id']}/artifacts", artifact)
    registry = connected()

    found = {one.version: one for one in registry.versions(VersionQuery(name=churn))}

    assert sorted(found) == [1, 2, 3]
    assert found[3].metrics == {"accuracy": 0.5, "epochs": 3.0}
    assert found[3].tags == {"label": "", "final": "true"}
    assert (found[3].owner, found[3].digest, found[3].data, found[3].size) == ("carl", "", (), 0)
    whole = registry.version(churn, 3)
    assert (whole.uri, whole.format) == ("s3://models/3", "onnx")
    folder = make_folder(tmp_path)
    assert registry.register(draft(churn, folder), folder).version == 4
    registry.move_alias(AliasMove(churn, "champion", 2, expected=None, by="ann", because=""))
    registry.annotate(churn, 2, tags={"reviewed": "yes", "final": None})
    again = server.list(f"/registered_models/{model['id']}/versions")
    [edited] = [one for one in again if one["name"] == "2026-11-30"]
    assert properties(edited)["reviewed"] == "yes"
    assert "final" not in properties(edited)
    assert edited["customProperties"]["epochs"] == {"metadataType": "MetadataIntValue", "int_value": "3"}
    assert registry.version(churn, 2).aliases == ("champion",)


@pytest.fixture
def from_settings(rig, objects, tmp_path, monkeypatch):
    """The registry that settings alone lead to: its address, a pipeline root, and keys of the environment."""
    for name, value in {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET}.items():
        monkeypatch.setenv(name, value)
    root = f"s3://mlpipeline/v2?endpoint={objects.address}&disableSSL=true&s3ForcePathStyle=true"
    found = registry_at(Access(pipeline_root=root), KubeflowEnvironment(), rig.url, tmp_path / "kept")
    yield found
    found.close()


def test_the_settings_lead_to_the_registry_and_its_object_store(from_settings, objects, churn, tmp_path):
    folder = make_folder(tmp_path)

    version = from_settings.register(draft(churn, folder), folder)

    digest = version.digest
    assert version.uri == f"s3://mlpipeline/v2/kfnb-models/sha256/{digest[:2]}/{digest[2:]}"
    assert sorted(objects.held) == sorted(
        f"v2/kfnb-models/sha256/{digest[:2]}/{digest[2:]}/{file}"
        for file in ("code/transform.py", "kfnb_model.json", "model.skops")
    )
    there = from_settings.download(version)
    assert folder_digest(there) == digest
    assert there.is_relative_to(tmp_path / "kept")
    modes = {stat.S_IMODE(one.stat().st_mode) for one in there.rglob("*") if one.is_file()}
    assert modes == {0o400}


@pytest.mark.parametrize("uri", ["file:///etc", "http://127.0.0.1:1/x", "/etc", "kfnb", "s3://", ""])
def test_only_objects_are_opened_whatever_address_a_version_has(from_settings, rig, churn, uri):
    """Anyone who may write to the registry writes addresses."""
    server = RegistryServer(rig.url)
    model = server.create("/registered_models", {"name": churn})
    version = server.create("/model_versions", {"name": "1", "registeredModelId": model["id"]})
    artifact = {"artifactType": "model-artifact", "name": churn, "uri": uri}
    server.create(f"/model_versions/{version['id']}/artifacts", artifact)
    server.close()

    with pytest.raises(BackendError) as caught:
        from_settings.download(from_settings.version(churn, 1))

    assert (f"cannot fetch the model at {uri}" if uri else "has no model artifact") in str(caught.value)


def test_a_run_of_this_machine_is_not_shown_as_one_of_the_cluster(connected, server, churn, tmp_path):
    """The registry's page would lead to a run that does not exist there."""
    folder = make_folder(tmp_path)
    source = ModelSource("kfp", "pipelinerun", "261130-a", "churn", "", "train", "local")
    registry = connected()
    registry.register(draft(churn, folder, source=source), folder)

    model = server.get("/registered_model", name=churn)
    [version] = server.list(f"/registered_models/{model['id']}/versions")
    [artifact] = [
        one
        for one in server.list(f"/model_versions/{version['id']}/artifacts")
        if one["artifactType"] == "model-artifact"
    ]
    assert not [name for name in artifact if name.startswith("modelSource")]
    assert registry.version(churn, 1).source == source
