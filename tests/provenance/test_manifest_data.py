"""A manifest as data and as JSON, which is read however new, damaged or empty it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kfnb
from kfnb.entities.manifest import Layer, LayerName, Manifest, StepEnvironment, joined_layers
from kfnb.entities.manifest_facts import FACTS
from kfnb.entities.manifest_json import manifest_data, read_manifest
from kfnb.resources import provenance

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def manifest(**facts: Any) -> Manifest:
    kernel = Layer(LayerName.OS, {"kernel": "Linux 6.1", **facts}, {"limits": "PermissionError"})
    own = StepEnvironment("d1", ("train", "loop/0/score"), (Layer(LayerName.OS, {"kernel": "Linux 5.4"}),))
    return Manifest("r1", "run", 12.5, "local", "prod", (kernel,), (own,), ("a note",))


def test_it_comes_back_from_json() -> None:
    assert read_manifest(json.loads(json.dumps(manifest_data(manifest())))) == manifest()


@pytest.mark.parametrize("which", ["whole", "empty", "here"])
def test_its_json_is_what_the_schema_says(which: str) -> None:
    one = {"whole": manifest, "empty": lambda: Manifest("here", "kernel"), "here": kfnb.manifest}[which]()
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(
        Path(provenance.__file__).with_name("manifest.schema.json").read_text(encoding="utf-8")
    )
    jsonschema.validate(json.loads(json.dumps(manifest_data(one))), schema)
    assert list(schema["$defs"]["layers"]["properties"]) == list(LayerName)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(manifest_data(one) | {"kind": "weather"}, schema)


def test_it_has_ten_layers_in_order_whatever_is_known() -> None:
    assert [layer.name for layer in manifest()] == list(LayerName) == list(FACTS)
    assert manifest()["os"].facts["kernel"] == "Linux 6.1"
    assert not manifest()["drivers"].recorded
    with pytest.raises(KeyError, match="the layers are model, ux"):
        manifest()["firmware"]


def test_a_task_has_the_layers_of_its_own_environment() -> None:
    assert manifest().of_task("score")["os"].facts["kernel"] == "Linux 5.4"
    assert manifest().of_task("other")["os"].facts["kernel"] == "Linux 6.1"


def test_none_hidden_and_not_recorded_are_three_things() -> None:
    layer = Layer(LayerName.DRIVERS, {"nvidia": None}, {"cuda": "403"})
    assert layer.facts["nvidia"] is None
    assert "cuda" in layer.hidden
    assert "nccl" not in layer.facts
    (*_, joined) = [
        one for one in joined_layers((layer,), (Layer(LayerName.DRIVERS, {"cuda": "12.4"}),)) if one.recorded
    ]
    assert joined.facts == {"nvidia": None, "cuda": "12.4"}
    assert not joined.hidden


def test_a_newer_one_is_read_as_far_as_it_is_known() -> None:
    data = manifest_data(manifest()) | {"version": 7, "weather": "fine"}
    data["layers"]["firmware"] = {"facts": {}}
    read = read_manifest(data)
    assert read["os"] == manifest()["os"]
    assert [note for note in read.notes if "newer" in note] == [
        "its format 7 is newer than 1, which this kfnb knows: what is new is left out",
        "unknown layer firmware: a newer kfnb wrote it",
    ]


def test_one_without_layers_says_so() -> None:
    assert "damaged: it has no layers" in read_manifest({"schema": "kfnb.manifest", "version": 1}).notes


def test_what_is_not_a_manifest_is_refused() -> None:
    with pytest.raises(ValueError, match="not a manifest"):
        read_manifest({"schema": "other"})


@given(
    st.dictionaries(st.sampled_from(["version", "layers", "environments", "notes", "kind", "created"]), JSON)
)
def test_damaged_ones_are_read_without_an_error(data: dict[str, Any]) -> None:
    read = read_manifest({"schema": "kfnb.manifest", **data})
    assert len(read.layers) == len(LayerName)


@given(st.dictionaries(st.sampled_from([*map(str, LayerName), "x"]), JSON))
def test_a_damaged_layer_does_not_take_the_others_with_it(layers: dict[str, Any]) -> None:
    kept = {"model": {"facts": {"pipeline": "p"}}}
    read = read_manifest({"schema": "kfnb.manifest", "version": 1, "layers": {**layers, **kept}})
    assert read["model"].facts["pipeline"] == "p"
