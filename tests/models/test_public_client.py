"""What kfnb registers, the public Python client of the Model Registry reads, and the other way round.

Recorded with model-registry 0.3.18 for v1, and 0.3.9 for v1alpha3.
"""

from __future__ import annotations

import pytest
from registry_conformance import RUN, draft, make_folder

from kfnb.resources.models.engine import VersionQuery
from kfnb.resources.models.model import ModelState
from kfnb.resources.models.moves import AliasMove


@pytest.fixture(autouse=True)
def client(rig):
    if not rig.recorded and not rig.python:
        pytest.skip("KFNB_TEST_MODEL_REGISTRY_CLIENT names no Python with the public client")


def test_the_public_client_reads_what_kfnb_registers(rig, connected, churn, tmp_path):
    registry = connected()
    for text in ("one", "two"):
        folder = make_folder(tmp_path, text)
        given = draft(churn, folder, source=RUN, tags={"team": "blue"}, description="Größer", data=("d@2",))
        version = registry.register(given, folder)
    registry.move_alias(AliasMove(churn, "champion", 2, expected=None, by="ann", because="better"))
    registry.set_state(churn, 1, ModelState.ARCHIVED)

    found = rig.client("read", churn)

    assert (found["owner"], found["listed"]) == ("ann", True)
    assert found["properties"] == {"kfnb.alias.champion": "2"}
    assert {name: one["state"] for name, one in found["versions"].items()} == {"1": "ARCHIVED", "2": "LIVE"}
    second = found["versions"]["2"]
    assert (second["author"], second["description"], second["format"]) == ("ann", "Größer", "skops")
    assert (second["uri"], second["kind"], second["run"]) == (version.uri, "kfp", "6ede6767")
    assert second["properties"]["accuracy"] == 0.9
    assert second["properties"]["team"] == "blue"
    assert second["properties"]["kfnb.digest"] == version.digest


def test_kfnb_reads_what_the_public_client_registers(rig, connected, churn, tmp_path):
    rig.client("register", churn)
    registry = connected()

    [found] = registry.versions(VersionQuery(name=churn))
    assert (found.version, found.owner, found.description) == (1, "carl", "by the public client")
    assert (found.metrics, found.tags) == ({"accuracy": 0.75, "epochs": 3.0}, {"license": "mit"})
    whole = registry.version(churn, 1)
    assert (whole.uri, whole.format, whole.source.kind, whole.source.id) == (
        "s3://bucket/models/onnx",
        "onnx",
        "kfp",
        "run-7",
    )


def test_both_register_versions_of_one_model(rig, connected, churn, tmp_path):
    rig.client("register", churn)
    registry = connected()
    folder = make_folder(tmp_path)

    assert registry.register(draft(churn, folder), folder).version == 2
    registry.move_alias(AliasMove(churn, "champion", 1, expected=None, by="ann", because=""))

    found = rig.client("read", churn)
    assert sorted(found["versions"]) == ["1.0.0", "2"]
    assert registry.version(churn, 1).aliases == ("champion",)
