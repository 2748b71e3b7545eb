"""The table of releases is well formed, and tells which release a cluster has and what it supports."""

import re
from pathlib import Path

import pytest
import yaml

import kfnb.resources.cluster.compatibility as table
from kfnb.resources.cluster.compatibility import release_of, releases, releases_for, supported
from kfnb.resources.cluster.kubeflow_parts import PARTS

RELEASES = {one.release: one for one in releases()}
FILE = Path(table.__file__).with_name("compatibility.yaml")


def test_the_releases_that_matter_are_there_the_oldest_first():
    assert list(RELEASES) == ["1.9.1", "1.10.2", "1.11.0", "26.03", "26.03.1"]
    dates = [str(row["date"]) for row in yaml.safe_load(FILE.read_text())["releases"]]
    assert dates == sorted(dates)


@pytest.mark.parametrize("row", yaml.safe_load(FILE.read_text())["releases"], ids=lambda row: row["release"])
def test_a_row_is_well_formed(row):
    assert set(row) == {"release", "date", "kubernetes", "kustomize", "parts", "source"}
    minors = [row["kubernetes"]["least"], *row["kubernetes"]["tested"]]
    assert all(re.fullmatch(r"1\.\d\d", one) for one in minors)
    assert minors == sorted(minors)
    assert row["source"].startswith("https://")
    assert row["kustomize"].startswith("5.")
    names = {part.name for part in PARTS}
    assert set(row["parts"]) <= names, "a part that the status does not look for"
    assert {"Pipelines", "Katib", "KServe", "Notebooks", "Istio"} <= set(row["parts"])
    assert all(re.fullmatch(r"\d+\.\d+\.\d+(-\w+\.\d+)?", version) for version in row["parts"].values())


def test_a_release_is_known_by_its_parts():
    assert release_of(RELEASES["26.03"].parts).release == "26.03"
    seen = {"Pipelines": "2.16.1", "Katib": "0.19.0", "KServe": "v0.18.0", "Istio": "1.99.0"}
    assert release_of(seen).release == "26.03.1"
    assert release_of({"Pipelines": "9.9.9", "Katib": "0.19.0", "KServe": "9.9.9"}) is None


@pytest.mark.parametrize(
    ("kubernetes", "release", "good", "words"),
    [
        ("v1.34.2", "26.03", True, "tested with Kubernetes 1.33, 1.34 and 1.35"),
        ("v1.36.2", "26.03", None, "newer"),
        ("v1.28.9", "26.03", False, "too old"),
        ("v1.34.1-gke.100", "1.11.0", True, "tested with Kubernetes 1.34"),
    ],
)
def test_whether_a_release_supports_a_kubernetes(kubernetes, release, good, words):
    verdict, told = supported(kubernetes, RELEASES[release])
    assert verdict is good
    assert words in told


def test_the_releases_releases_for_a_kubernetes():
    assert [one.release for one in releases_for("v1.36.2")] == ["26.03.1"]
    assert releases_for("v1.20.0") == ()
