"""Manifests in the forms of other tools."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from kfnb.cli import main
from kfnb.entities.manifest import Layer, LayerName, Manifest
from kfnb.errors import BackendError, UsageError
from kfnb.resources.provenance.exports.cyclonedx import cyclonedx
from kfnb.resources.provenance.exports.pylock import pylock
from kfnb.resources.provenance.exports.ro_crate import ro_crate
from kfnb.resources.provenance.exports.slsa import slsa

SHA = "a1" * 32
PACKAGES: dict[str, dict[str, Any]] = {
    "toy": {"version": "1.0", "digest": SHA, "installer": "uv"},
    "own": {"version": "0.1", "url": "file:///work/own", "editable": True},
}


def whole(**packages: Any) -> Manifest:
    facts: dict[LayerName, dict[str, Any]] = {
        LayerName.MODEL: {
            "pipeline": "churn",
            "arguments": {"C": 0.5, "rows": [1, 2]},
            "outputs": {"train.model": f"sha256:{SHA}", "evaluate.accuracy": 0.9, "train.other": None},
            "metrics": {"evaluate.accuracy": 0.9},
            "data": {"churn-data@2": SHA, "other@1": ""},
        },
        LayerName.UX: {"notebook": "churn.ipynb", "user": "ada"},
        LayerName.TOOLING: {
            "python": "3.11.7",
            "kfnb": "0.1.0",
            "commit": "c" * 40,
            "repository": "https://host/r.git",
        },
        LayerName.FRAMEWORK: {"packages": packages or PACKAGES, "blas_build": "OpenBLAS"},
        LayerName.STORAGE: {"store": "s3"},
        LayerName.RUNTIME: {
            "image": "python:3.11",
            "image_digest": f"sha256:{SHA}",
            "container": "Kubernetes",
        },
        LayerName.DRIVERS: {"nvidia": "550.54.15", "nccl": None},
        LayerName.OS: {"distribution": "Debian GNU/Linux 12", "environment": {"LANG": "C"}},
        LayerName.ACCELERATOR: {"devices": [{"model": "NVIDIA A100", "memory": 1}]},
        LayerName.HARDWARE: {"cpu": "AMD EPYC", "microcode": "0x1"},
    }
    layers = tuple(Layer(name, own) for name, own in facts.items())
    return Manifest("r1", "run", 1.8e9, "local", "prod", layers)


def test_cyclonedx_has_a_component_of_each_type_of_layer() -> None:
    bill = json.loads(cyclonedx(whole()))
    assert {one["type"] for one in bill["components"]} == {
        *("application", "framework", "library", "data", "platform", "container", "device-driver"),
        *("operating-system", "firmware", "device"),
    }
    libraries = {one["purl"] for one in bill["components"] if one["type"] == "library"}
    assert libraries == {"pkg:pypi/toy@1.0", "pkg:pypi/own@0.1"}


@pytest.mark.parametrize("made", [whole(), Manifest("churn@3", "model"), Manifest("here", "kernel", 1.0)])
def test_cyclonedx_is_valid_by_its_schema(made: Manifest) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema")
    validator = validation.JsonStrictValidator(schema.SchemaVersion.V1_6)
    assert validator.validate_str(cyclonedx(made)) is None


def test_the_statement_names_what_was_made_and_what_of() -> None:
    statement = json.loads(slsa(whole()))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    assert statement["subject"] == [{"name": "train.model", "digest": {"sha256": SHA}}]
    definition = statement["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["arguments"] == {"C": 0.5, "rows": [1, 2]}
    taken = {one["uri"]: one.get("digest") for one in definition["resolvedDependencies"]}
    assert taken["git+https://host/r.git"] == {"gitCommit": "c" * 40}
    assert taken["kfnb-data:churn-data@2"] == {"sha256": SHA}
    assert taken["docker://python:3.11"] == {"sha256": SHA}
    assert statement["predicate"]["runDetails"]["metadata"]["startedOn"] == "2027-01-15T08:00:00Z"


def test_a_statement_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="has made nothing whose digest is known"):
        slsa(Manifest("here", "kernel"))


def test_every_entity_that_the_crate_refers_to_is_in_it() -> None:
    graph = json.loads(ro_crate(whole()))["@graph"]
    known = {one["@id"] for one in graph}
    assert len(known) == len(graph)

    def refs(value: Any) -> list[str]:
        if isinstance(value, dict) and set(value) == {"@id"}:
            return [value["@id"]]
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return [ref for part in parts for ref in refs(part)]

    missing = {ref for one in graph for ref in refs(one)} - known
    assert missing == {"https://w3id.org/ro/crate/1.1"}
    (action,) = [one for one in graph if one["@type"] == "CreateAction"]
    assert {"@id": "#outputs/train.model"} in action["result"]
    assert {"@id": "#argument/C"} in action["object"]


def wheel(folder: Path, name: str, version: str) -> None:
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", "")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")


def test_the_lock_has_the_hashes_of_the_recorded_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("uv") is None:
        pytest.importorskip("uv")
    wheel(tmp_path, "toy", "1.0")
    wheel(tmp_path, "toy", "2.0")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_OFFLINE", "1")
    lock = pylock(whole())
    assert 'name = "toy"' in lock
    assert 'version = "1.0"' in lock
    assert "sha256" in lock
    assert "# not from an index: own 0.1, file:///work/own" in lock
    with pytest.raises(BackendError, match="r1 cannot be locked"):
        pylock(whole(gone={"version": "9.9"}))


def test_the_command_writes_a_file_or_prints(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["manifest", "--format", "cyclonedx", "--file", "bill.json"]) == 0
    assert json.loads(Path("bill.json").read_text())["bomFormat"] == "CycloneDX"
    capsys.readouterr()
    assert main(["manifest", "here", "--format", "ro-crate"]) == 0
    assert "@graph" in json.loads(capsys.readouterr().out)
    assert main(["manifest", "--file", "x"]) == 2
