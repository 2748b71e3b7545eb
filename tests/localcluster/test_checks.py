"""What is checked of a machine before a cluster is started on it."""

import pytest

from kfnb.resources.cluster.model import Machine
from kfnb.resources.localcluster import checks
from kfnb.resources.localcluster.checks import Verdict
from kfnb.resources.localcluster.manifests import Size

BIG, SMALL = Size(6, 15, 0), Size(2, 4, 0)
GIB = 2**30


@pytest.fixture
def linux(tmp_path):
    """A folder that stands for a Linux with these limits."""

    def made(instances, watches):
        folder = tmp_path / "proc/sys/fs/inotify"
        folder.mkdir(parents=True)
        (folder / "max_user_instances").write_text(f"{instances}\n")
        (folder / "max_user_watches").write_text(f"{watches}\n")
        return tmp_path

    return made


def found(looked, name):
    return next(check for check in looked if check.name == name)


def test_a_machine_that_has_enough_is_fine(linux):
    looked = checks.of_machine(BIG, SMALL, Machine(8, 16 * GIB), linux(2280, 1255360))
    assert {check.verdict for check in looked} == {Verdict.FINE}
    assert not any(check.fix for check in looked)


@pytest.mark.parametrize(
    ("machine", "name"), [(Machine(4, 16 * GIB), "cores"), (Machine(8, 8 * GIB), "memory")]
)
def test_a_machine_that_is_too_small_is_told_of_fewer_parts(linux, machine, name):
    check = found(checks.of_machine(BIG, SMALL, machine, linux(2280, 1255360)), name)
    assert check.verdict is Verdict.MISSING
    assert check.fix == "kfnb cluster up --only pipelines"


def test_a_machine_that_is_too_small_for_any_part_is_told_of_none(linux):
    check = found(checks.of_machine(BIG, SMALL, Machine(1, 16 * GIB), linux(2280, 1255360)), "cores")
    assert check.verdict is Verdict.MISSING
    assert (check.text, check.fix) == ("1, 6 needed", "")


def test_limits_of_inotify_that_are_too_low_come_with_the_command_that_raises_them(linux):
    looked = checks.of_machine(BIG, SMALL, Machine(8, 16 * GIB), linux(128, 8192))
    instances = found(looked, "fs.inotify.max_user_instances")
    assert (instances.text, instances.fix) == (
        "128, 2280 needed",
        "sudo sysctl fs.inotify.max_user_instances=2280",
    )
    assert found(looked, "fs.inotify.max_user_watches").verdict is Verdict.MISSING


def test_a_machine_without_inotify_is_not_asked_for_it(tmp_path):
    looked = checks.of_machine(BIG, SMALL, Machine(8, 16 * GIB), tmp_path)
    assert [check.name for check in looked] == ["cores", "memory", "disk"]
