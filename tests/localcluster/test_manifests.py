"""What is known of Kubeflow's manifests: parts, what they need, and where they stand."""

from itertools import pairwise

import pytest

from kfnb.errors import UsageError
from kfnb.resources.cluster import compatibility
from kfnb.resources.localcluster import manifests

RELEASES = list(manifests.releases())


@pytest.mark.parametrize("name", RELEASES)
def test_every_part_comes_after_what_it_needs(name):
    before = set()
    for part in manifests.release(name).parts:
        assert set(part.needs) <= before
        assert part.folders
        before.add(part.name)


@pytest.mark.parametrize("name", RELEASES)
def test_every_release_is_one_whose_versions_are_known_and_starts_a_kubernetes_that_it_was_tested_with(name):
    known = {one.release: one for one in compatibility.releases()}
    assert name in known
    fits, _ = compatibility.supported(manifests.release(name).kubernetes, known[name])
    assert fits
    assert "@sha256:" in manifests.release(name).image


def test_the_newest_release_is_the_one_that_is_meant_where_none_is_named():
    assert manifests.release().release == compatibility.releases()[-1].release


@pytest.mark.parametrize("name", RELEASES)
def test_no_folder_stands_in_two_parts(name):
    folders = sorted(folder for part in manifests.release(name).parts for folder in part.folders)
    assert all(one != other for one, other in pairwise(folders))


@pytest.mark.parametrize("part", ["pipelines", "katib", "notebooks"])
def test_a_part_brings_what_lets_a_person_log_in_and_have_a_namespace(part):
    names = [one.name for one in manifests.release().chosen([part])]
    login = ["namespace", "cert-manager", "istio", "oauth2-proxy", "dex", "roles", "dashboard", "user"]
    assert names == [*login, part]


def test_kserve_brings_knative_and_no_other_application():
    names = {one.name for one in manifests.release().chosen(["kserve"])}
    assert {"kserve", "knative"} <= names
    assert not names & {"pipelines", "katib", "trainer", "spark", "notebooks"}


def test_fewer_parts_need_a_smaller_machine():
    release = manifests.release()
    whole, few = manifests.size(release.parts), manifests.size(release.chosen(["katib"]))
    assert few.cores < whole.cores
    assert few.memory < whole.memory
    assert few.disk < whole.disk
    assert whole == manifests.Size(cores=6, memory=15, disk=85)


@pytest.mark.parametrize(
    ("given", "built"),
    [
        ("/kubeflow", "/kubeflow/common/dex"),
        (
            "https://github.com/kubeflow/manifests?ref=v1.10.2",
            "https://github.com/kubeflow/manifests//common/dex?ref=v1.10.2",
        ),
        ("https://github.com/me/manifests/", "https://github.com/me/manifests//common/dex"),
        ("git@example.com:me/manifests.git?ref=x", "git@example.com:me/manifests.git//common/dex?ref=x"),
    ],
)
def test_a_part_is_found_in_a_checkout_or_in_a_repository(given, built):
    assert manifests.place(given, "common/dex") == built


def test_a_checkout_of_another_release_is_refused_and_told_by_its_name(old_checkout):
    release = manifests.release()
    with pytest.raises(UsageError, match=r"it fits --release 1\.9\.1"):
        manifests.check(str(old_checkout), release, release.parts)
    old = manifests.release("1.9.1")
    manifests.check(str(old_checkout), old, old.parts)
