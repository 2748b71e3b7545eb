"""Versions are pushed to a cluster's registry and pulled from it: here, on two machines, with what is cut off."""

from __future__ import annotations

from dataclasses import replace

import pytest
from registry_conformance import RUN, SIGNATURE, draft, make_folder

from kfnb.errors import BackendError, UsageError
from kfnb.remote.model_registry.server import RegistryServer
from kfnb.resources.models.digest import folder_digest
from kfnb.resources.models.engine import VersionQuery
from kfnb.resources.models.local.engine import LocalRegistry
from kfnb.resources.models.model import ModelState
from kfnb.resources.models.moves import AliasMove
from kfnb.resources.models.transfer import transfer
from kfnb.resources.models.view.transfer import draw_transfer


@pytest.fixture
def here(tmp_path):
    return LocalRegistry(tmp_path / "here")


@pytest.fixture
def cluster(connected):
    return connected()


@pytest.fixture
def register(here, churn, tmp_path):
    """Register a version of ``churn`` here."""

    def act(text, registry=here, **fields):
        folder = make_folder(tmp_path / "made" / f"{registry.name}-{text}", text)
        return registry.register(draft(churn, folder, **fields), folder)

    return act


def all_of(registry, model):
    """A model's versions without what a registry gives them itself."""
    found = registry.versions(VersionQuery(name=model, archived=True))
    return {one.version: replace(one, uri="") for one in found}


def test_a_version_comes_back_from_the_cluster_as_it_was(here, cluster, churn, register, tmp_path):
    known = {
        "parameters": {"C": 0.5, "layers": [1, 2]},
        "packages": {"scikit-learn": "1.7.2"},
        "python": "3.11",
    }
    about = {"tags": {"team": "blue"}, "description": "Größer", "metrics_data": "d@2", "data": ("d@2",)}
    register("one", source=RUN, signature=SIGNATURE, transform="prepare", code="c" * 64, **known, **about)
    register("two", created=1796000001.0)
    here.move_alias(AliasMove(churn, "champion", 2, expected=None, by="ann", because="best"))

    pushed = transfer(here, cluster, churn, by="ann")

    assert (pushed.source, pushed.target, pushed.versions) == ("local", "kubeflow", {1: 1, 2: 2})
    assert (pushed.aliases, pushed.left) == ({"champion": 2}, {})
    assert all_of(cluster, churn) == all_of(here, churn)
    [change] = cluster.history(churn)
    assert (change.by, change.because) == ("ann", "copied from the local registry")
    elsewhere = LocalRegistry(tmp_path / "elsewhere")
    transfer(cluster, elsewhere, churn, by="bob")
    assert all_of(elsewhere, churn) == all_of(here, churn)
    for one in elsewhere.versions(VersionQuery(name=churn)):
        assert folder_digest(elsewhere.download(one)) == one.digest


def test_pushing_again_changes_nothing(here, cluster, churn, register, rig):
    register("one")
    here.move_alias(AliasMove(churn, "champion", 1, expected=None, by="ann", because=""))
    transfer(here, cluster, churn, by="ann")
    before = all_of(cluster, churn)
    sent = len([one for one in rig.asked if one[0] != "GET"])

    again = transfer(here, cluster, churn, by="ann")

    assert (again.versions, again.aliases, again.left) == ({1: 1}, {}, {})
    assert all_of(cluster, churn) == before
    assert len([one for one in rig.asked if one[0] != "GET"]) == sent


def test_content_that_is_there_keeps_its_number_and_new_content_gets_the_next(here, cluster, churn, register):
    register("theirs", cluster)
    register("shared", cluster)
    register("shared")
    register("ours")

    pushed = transfer(here, cluster, churn, by="ann")

    assert pushed.versions == {1: 2, 2: 3}
    assert transfer(cluster, here, churn, by="ann").versions == {1: 3, 2: 1, 3: 2}


def test_one_version_is_pushed_with_its_aliases_alone(here, cluster, churn, register):
    for text in ("one", "two", "three"):
        register(text)
    here.move_alias(AliasMove(churn, "champion", 1, expected=None, by="ann", because=""))
    here.move_alias(AliasMove(churn, "candidate", 3, expected=None, by="ann", because=""))

    pushed = transfer(here, cluster, churn, version=3, by="ann")

    assert (pushed.versions, pushed.aliases) == ({3: 1}, {"candidate": 1})


def test_an_alias_of_the_cluster_is_never_moved(here, cluster, churn, register):
    """It may be what is in production."""
    register("theirs", cluster)
    cluster.move_alias(AliasMove(churn, "champion", 1, expected=None, by="bob", because="in production"))
    register("ours")
    here.move_alias(AliasMove(churn, "champion", 1, expected=None, by="ann", because=""))

    pushed = transfer(here, cluster, churn, by="ann")

    assert (pushed.aliases, pushed.left) == ({}, {"champion": (1, 2)})
    assert cluster.version(churn, 1).aliases == ("champion",)
    assert len(cluster.history(churn)) == 1


def test_an_archived_version_stays_archived_where_it_is(here, cluster, churn, register):
    for text in ("one", "two"):
        register(text)
    here.set_state(churn, 1, ModelState.ARCHIVED)
    transfer(here, cluster, churn, by="ann")
    states = {number: one.state for number, one in all_of(cluster, churn).items()}
    assert states == {1: ModelState.ARCHIVED, 2: ModelState.LIVE}
    here.set_state(churn, 1, ModelState.LIVE)
    cluster.set_state(churn, 2, ModelState.ARCHIVED)

    transfer(here, cluster, churn, by="ann")

    states = {number: one.state for number, one in all_of(cluster, churn).items()}
    assert states == dict.fromkeys((1, 2), ModelState.ARCHIVED)


def test_a_push_that_was_cut_off_is_done_again(here, cluster, churn, register, objects):
    for text in ("one", "two"):
        register(text)
    objects.refuses.add("PUT")
    with pytest.raises(BackendError, match="cannot write the model"):
        transfer(here, cluster, churn, by="ann")
    objects.refuses.clear()

    assert transfer(here, cluster, churn, by="ann").versions == {1: 1, 2: 2}


def test_a_damaged_folder_is_not_pushed(here, cluster, churn, register):
    version = register("one")
    file = here.download(version) / "model.skops"
    file.chmod(0o600)
    file.write_bytes(b"other")

    with pytest.raises(BackendError, match="was changed on disk"):
        transfer(here, cluster, churn, by="ann")

    assert churn not in {one.name for one in cluster.models()}


def test_what_does_not_exist_is_not_transferred(here, cluster, churn, register):
    with pytest.raises(UsageError, match=f"unknown model {churn}"):
        transfer(here, cluster, churn, by="ann")
    register("one")
    with pytest.raises(UsageError, match=f"unknown version {churn}@7"):
        transfer(here, cluster, churn, version=7, by="ann")


def test_what_another_client_registered_is_skipped_and_named(rig, here, cluster, churn, register):
    """It is not a model folder, so that kfnb could not load it."""
    server = RegistryServer(rig.url)
    model = server.create("/registered_models", {"name": churn})
    version = server.create("/model_versions", {"name": "1.0.0", "registeredModelId": model["id"]})
    artifact = {"artifactType": "model-artifact", "name": churn, "uri": "s3://bucket/onnx"}
    server.create(f"/model_versions/{version['id']}/artifacts", artifact)
    register("ours", cluster)

    pulled = transfer(cluster, here, churn, by="ann")

    assert (pulled.versions, pulled.skipped) == ({2: 1}, (1,))
    with pytest.raises(UsageError, match=f"{churn}@1 was registered by another client .*s3://bucket/onnx"):
        transfer(cluster, here, churn, version=1, by="ann")
    server.close()


def test_an_alias_is_not_set_on_what_is_archived_there(here, churn, tmp_path):
    there = LocalRegistry(tmp_path / "there")
    for registry in (here, there):
        folder = make_folder(tmp_path / registry.folder.name)
        registry.register(draft(churn, folder), folder)
    here.move_alias(AliasMove(churn, "champion", 1, expected=None, by="ann", because=""))
    there.set_state(churn, 1, ModelState.ARCHIVED)

    for _ in range(2):  # a second push works as well
        pushed = transfer(here, there, churn, by="ann")

        assert (pushed.versions, pushed.aliases, pushed.archived) == ({1: 1}, {}, {"champion": 1})
        assert there.version(churn, 1).state is ModelState.ARCHIVED
    shown = draw_transfer(pushed)["text/plain"]
    assert f"{churn}@champion was not set: {churn}@1 in local is archived; restore it first" in shown
