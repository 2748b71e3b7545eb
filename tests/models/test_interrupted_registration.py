"""A registration or a move that is cut off between two requests leaves nothing half, and is done again without harm."""

from __future__ import annotations

import pytest
from registry_conformance import draft, make_folder

from kfnb.errors import BackendError, BackendUnavailable, UsageError
from kfnb.remote.model_registry.server import RegistryServer
from kfnb.remote.retry import RetryPolicy
from kfnb.resources.models.engine import VersionQuery
from kfnb.resources.models.moves import AliasMove

ONCE = RetryPolicy(tries=1, connect=2.0, read=2.0, deadline=10.0)
KNOWN = {"metrics": {"accuracy": 0.9}, "data": ("churn-data@2",), "metrics_data": "churn-data@2"}


def artifacts_of(rig, model, number=1):
    """The kinds and names of a version's artifacts in the registry."""
    server = RegistryServer(rig.url)
    found = server.get("/registered_model", name=model)
    [version] = [
        one for one in server.list(f"/registered_models/{found['id']}/versions") if one["name"] == str(number)
    ]
    listed = server.list(f"/model_versions/{version['id']}/artifacts")
    return [(one["artifactType"], one["name"]) for one in listed]


@pytest.mark.parametrize("done", [False, True], ids=["not-done", "done"])
@pytest.mark.parametrize("request_", ["/registered_models$", "/model_versions$", "/artifacts$"])
def test_what_was_cut_off_is_there_completely_or_absent(rig, connected, churn, tmp_path, request_, done):
    folder = make_folder(tmp_path)
    wanted = draft(churn, folder, **KNOWN)
    rig.fail(method="POST", match=request_, drop=True, done=done)

    with pytest.raises(BackendUnavailable):
        connected(retry=ONCE).register(wanted, folder)

    registry = connected()
    try:
        kept = registry.versions(VersionQuery(name=churn))
    except UsageError:
        kept = []
    assert all(
        (one.digest, one.metrics, one.data) == (wanted.digest, wanted.metrics, wanted.data) for one in kept
    )
    assert all(registry.download(one).exists() for one in kept)
    again = registry.register(wanted, folder)
    assert again.version == 1
    assert [one.version for one in registry.versions(VersionQuery(name=churn))] == [1]
    assert sorted(artifacts_of(rig, churn)) == [
        ("dataset-artifact", "churn-data@2"),
        ("metric", "accuracy"),
        ("model-artifact", churn),
    ]


@pytest.mark.parametrize("request_", ["/registered_models$", "/model_versions$", "/artifacts$"])
def test_a_request_whose_answer_was_lost_is_not_done_twice(rig, connected, churn, tmp_path, request_):
    folder = make_folder(tmp_path)
    registry = connected()
    rig.fail(method="POST", match=request_, drop=True, done=True)

    assert registry.register(draft(churn, folder, **KNOWN), folder).version == 1

    assert len(registry.versions(VersionQuery(name=churn))) == 1
    assert len(artifacts_of(rig, churn)) == 3


def test_a_move_whose_answer_was_lost_is_in_the_history_once(rig, connected, churn, tmp_path):
    folder = make_folder(tmp_path)
    registry = connected()
    registry.register(draft(churn, folder), folder)
    rig.fail(method="POST", match="/artifacts$", drop=True, done=True)

    change = registry.move_alias(AliasMove(churn, "champion", 1, expected=None, by="ann", because="best"))

    assert registry.history(churn) == [change]
    assert registry.version(churn, 1).aliases == ("champion",)


def test_a_move_that_was_cut_off_is_complete_in_the_history(rig, connected, churn, tmp_path):
    """The properties, which show it to others, are written with the next move."""
    for text in ("one", "two"):
        folder = make_folder(tmp_path, text)
        connected().register(draft(churn, folder), folder)
    rig.fail(method="PATCH", match="/registered_models/", drop=True)

    with pytest.raises(BackendUnavailable):
        connected(retry=ONCE).move_alias(
            AliasMove(churn, "champion", 1, expected=None, by="ann", because="best")
        )

    registry, server = connected(), RegistryServer(rig.url)
    assert registry.version(churn, 1).aliases == ("champion",)
    assert not server.get("/registered_model", name=churn).get("customProperties")
    registry.move_alias(AliasMove(churn, "stable", 2, expected=None, by="ann", because=""))
    shown = server.get("/registered_model", name=churn)["customProperties"]
    assert {name: value["string_value"] for name, value in shown.items()} == {
        "kfnb.alias.champion": "1",
        "kfnb.alias.stable": "2",
    }


def test_without_the_model_folder_nothing_is_registered(connected, objects, churn, tmp_path):
    folder = make_folder(tmp_path)
    objects.refuses.add("PUT")

    with pytest.raises(BackendError, match=r"cannot write the model to s3://mlpipeline/.*pipeline_root"):
        connected().register(draft(churn, folder), folder)

    with pytest.raises(UsageError, match=f"unknown model {churn}|unknown version"):
        connected().version(churn, 1)


def test_a_folder_that_changes_during_the_registration_is_refused(connected, churn, tmp_path):
    folder = make_folder(tmp_path)
    wanted = draft(churn, folder)
    (folder / "model.skops").write_bytes(b"changed")

    with pytest.raises(BackendError, match="changed while it was registered"):
        connected().register(wanted, folder)


def test_a_download_is_verified(connected, objects, churn, tmp_path):
    folder = make_folder(tmp_path)
    version = connected().register(draft(churn, folder), folder)
    [key] = [key for key in objects.held if key.endswith("model.skops")]
    objects.held[key] = b"x" * len(objects.held[key])

    with pytest.raises(BackendError, match="is damaged"):
        connected().download(version)

    del objects.held[key]
    with pytest.raises(BackendError, match="is damaged"):
        connected().download(version)
    objects.held.clear()
    with pytest.raises(BackendError, match=r"cannot fetch the model at s3://.*: it does not exist"):
        connected().download(version)
    assert not [*(tmp_path / "one").rglob("model.skops")]
