"""What a process records of itself, by Python's own library alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

from kfnb.capture.embedded import layers as recorder
from kfnb.capture.embedded.layers import kfnb_layers, kfnb_record
from kfnb.capture.embedded.libraries import kfnb_nvml
from kfnb.capture.embedded.packages import kfnb_installed_packages
from kfnb.entities.manifest_facts import FACTS
from kfnb.entities.manifest_json import read_layers
from tests.provenance.recorded_nvml import RecordedNvml

ROOT = Path(recorder.__file__).parents[3]
PROGRAM = """
import json, sys
sys.path.append(sys.argv[1])
from kfnb.capture.embedded.layers import kfnb_layers
print(json.dumps(kfnb_layers()))
"""


def recorded(python: Path | str = sys.executable, imports: str = "", **variables: str) -> dict[str, Any]:
    """The layers that another process records."""
    program = f"{imports}\n{PROGRAM}"
    done = subprocess.run(
        [python, "-c", program, str(ROOT)],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return {name: layer["facts"] for name, layer in json.loads(done.stdout).items()}


def test_every_fact_has_a_name_that_people_read() -> None:
    for layer, own in kfnb_layers().items():
        assert "hidden" not in own
        assert set(own["facts"]) <= set(FACTS[layer])  # type: ignore[index]


def test_packages_are_as_installed_with_the_digest_of_their_files() -> None:
    packages = kfnb_installed_packages()
    assert packages["pytest"]["version"] == pytest.__version__
    assert len(packages["pytest"]["digest"]) == 64
    assert packages["ruamel-yaml" if "ruamel-yaml" in packages else "pytest"]["installer"]


def test_a_package_tells_where_it_came_from_without_its_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "toy_pack-1.0.dist-info"
    folder.mkdir()
    url = "https://user:hunter2secret@host/repo.git?token=hunter2secret#egg=x"
    (folder / "direct_url.json").write_text(json.dumps({"url": url, "dir_info": {"editable": True}}))
    monkeypatch.syspath_prepend(str(tmp_path))
    assert kfnb_installed_packages()["toy-pack"] == {
        "version": "1.0",
        "url": "https://host/repo.git",
        "editable": True,
    }


def test_the_digest_of_a_package_does_not_depend_on_the_program_that_installed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for number, record in enumerate(
        (
            "toy/a.py,sha256=x,1\n../../../bin/toy,sha256=p1,2\ntoy-1.0.dist-info/INSTALLER,sha256=pip,4\ntoy/a.pyc,,\n",
            "toy-1.0.dist-info/INSTALLER,sha256=uv,2\ntoy/a.py,sha256=x,1\n",
        )
    ):
        folder = tmp_path / str(number) / "toy-1.0.dist-info"
        folder.mkdir(parents=True)
        (folder / "RECORD").write_text(record)
        monkeypatch.setattr(sys, "path", [str(folder.parent)])
        found.append(kfnb_installed_packages()["toy"]["digest"])
    assert found[0] == found[1]


def test_a_thousand_tasks_of_one_environment_store_it_once(tmp_path: Path) -> None:
    for number in range(1000):
        kfnb_record(str(tmp_path / "packages"), str(tmp_path / "environments"), str(tmp_path / f"{number}"))
    assert len(list((tmp_path / "environments").iterdir())) == 1
    lists = list((tmp_path / "packages").glob("*.json"))
    assert len(lists) == 1
    (kept,) = (tmp_path / "environments").iterdir()
    assert {(tmp_path / f"{number}").read_text() for number in range(1000)} == {kept.stem}
    assert kept.stat().st_size < 20_000
    assert kept.stat().st_mode & 0o077 == 0
    assert lists[0].stat().st_mode & 0o077 == 0


def test_packages_are_listed_again_where_one_was_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "site"
    (place / "one-1.0.dist-info").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(place)])
    before = kfnb_layers(str(tmp_path / "store"))["framework"]["facts"]["packages_digest"]
    (place / "work.txt").write_text("a file of a step")
    os.utime(place, (1, 1))
    (place / "two-1.0.dist-info").mkdir()
    after = kfnb_layers(str(tmp_path / "store"))["framework"]["facts"]["packages_digest"]
    assert before != after
    assert set(json.loads((tmp_path / "store" / f"{after}.json").read_text())) == {"one", "two"}


def test_the_kernel_of_blas_and_its_threads_are_recorded() -> None:
    pytest.importorskip("numpy")
    here = recorded(imports="import numpy")
    if "openblas" not in "".join(here["framework"]["threads"]):
        pytest.skip("this numpy has another BLAS")
    other = recorded(imports="import numpy", OPENBLAS_CORETYPE="Nehalem", OPENBLAS_NUM_THREADS="1")
    assert other["hardware"]["blas_kernel"] == "Nehalem" != here["hardware"]["blas_kernel"]
    assert set(other["framework"]["threads"].values()) == {1}
    assert other["os"]["environment"]["OPENBLAS_CORETYPE"] == "Nehalem"


def test_two_environments_differ_where_they_do_and_nowhere_else(tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    here = recorded(LC_ALL="C", TZ="UTC")
    there = recorded(
        tmp_path / "bare" / "bin" / "python", LC_ALL="C.UTF-8", TZ="Asia/Tokyo", PYTHONHASHSEED="0"
    )
    assert "pytest" in here["framework"]["packages"]
    assert there["framework"]["packages"] == {}
    assert there["os"]["timezone"] == "JST +9 h"
    assert there["os"]["hash_seed"] == "0"
    assert "C.UTF-8" in there["os"]["locale"]
    for same in ("hardware", "drivers", "accelerator", "tooling"):
        assert here[same] == there[same]


def test_what_cannot_be_read_is_hidden_and_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def kfnb_os_layer() -> dict[str, Any]:
        raise PermissionError("not for you")

    monkeypatch.setattr(recorder, "kfnb_os_layer", kfnb_os_layer)
    layers, notes = read_layers(kfnb_layers())
    (own,) = [layer for layer in layers if layer.name == "os"]
    assert own.hidden == {"os_layer": "PermissionError"}
    assert notes == ()


def test_the_answers_of_nvml_are_the_devices() -> None:
    nvml = RecordedNvml()
    device = {"model": "NVIDIA A100-SXM4-80GB", "memory": 85899345920, "mig": False, "ecc": None}
    assert kfnb_nvml(nvml) == {
        "driver": "550.54.15",
        "cuda": "12.4",
        "devices": [device, {**device, "mig": True}],
    }
    assert nvml.closed


def test_no_driver_is_no_device() -> None:
    assert kfnb_nvml(None) == {}
    assert kfnb_nvml(RecordedNvml(broken=True)) == {}
