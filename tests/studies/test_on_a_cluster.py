"""``%%kf_tune --backend kubeflow``: what the magics hand to Katib, at a small cluster of the tests' own."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent / "katib"))

from katib_server import NAMESPACE, KatibServer, katib_server

import kfnb
from kfnb.entities import RunState
from tests.conftest import Shell

CELL = (
    "%%kf_tune bowl --space 'x=float(0,1)' --objective loss --minimize --trials 4 --backend kubeflow {}\n"
    "loss = x ** 2"
)


@pytest.fixture
def cluster(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KatibServer]:
    with katib_server() as server:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "small",
            "clusters": [{"name": "c", "cluster": {"server": server.url}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "small", "context": {"cluster": "c", "user": "u", "namespace": NAMESPACE}}],
        }
        (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
        where = "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"  # read once, at its import
        monkeypatch.setattr(where, str(tmp_path / "kubeconfig"))
        shell.run("%kf_config context=small")
        yield server


def test_a_dry_run_shows_the_experiment_and_starts_nothing(
    shell: Shell, cluster: KatibServer, capsys
) -> None:
    shell.run(CELL.format("--dry-run"))
    told = yaml.safe_load(capsys.readouterr().out)
    assert told["kind"] == "Experiment"
    assert told["spec"]["objective"]["objectiveMetricName"] == "loss"
    assert not [name for name in cluster.objects if "experiments" in name]


def test_a_cell_becomes_an_experiment_that_is_seen_as_a_study(shell: Shell, cluster: KatibServer) -> None:
    cell = shell.kernel.trial_cell("bowl", "", "loss = x ** 2")
    from kfnb.capture.component import Options
    from kfnb.resources.studies.api import cell_subject

    subject = cell_subject(cell, Options(), "x=float(0,1)", objective="loss")
    study = kfnb.tune(subject, "x=float(0,1)", objective="loss", maximize=False, backend="kubeflow", trials=4)
    assert study.backend == "kubeflow"
    assert cluster.experiment("bowl")["spec"]["maxTrialCount"] == 4
    assert study.state in (RunState.PENDING, RunState.RUNNING)
    assert [one.name for one in kfnb.studies(backend="kubeflow")] == ["bowl"]
    shell.run("%kf_config backend=kubeflow")
    assert kfnb.study("bowl").name == "bowl"


def test_a_study_that_is_not_on_the_cluster_is_looked_for_here(shell: Shell, cluster: KatibServer) -> None:
    shell.run("%%kf_tune here --space 'x=float(0,1)' --objective loss --minimize --trials 2\nloss = x")
    shell.run("%kf_config backend=kubeflow")
    assert len(shell.run("%kf_study here").trials) == 2


def test_without_a_cluster_it_is_said_how_to_name_one(shell: Shell) -> None:
    assert "%kf_config context=NAME" in shell.fails(CELL.format(""))


def test_a_small_file_that_the_trial_names_travels_and_a_large_one_is_refused(
    shell: Shell, cluster: KatibServer, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("data").mkdir()
    Path("data/train.csv").write_text("1")
    shell.run(CELL.format("--dry-run") + ' + len(open("data/train.csv").read())')
    assert "'data/train.csv':" in capsys.readouterr().out
    Path("data/train.csv").write_bytes(os.urandom(200_000))
    told = shell.fails(CELL.format("--dry-run") + ' + len(open("data/train.csv").read())')
    assert "is a file beside the notebook that is too large for a trial (48 KiB a step, packed)" in told


def test_a_large_file_beside_the_notebook_is_refused_before_there_is_an_experiment(
    shell: Shell, cluster: KatibServer
) -> None:
    Path("big.bin").write_bytes(bytes(range(256)) * 5_000 + os.urandom(100_000))
    shell.run(
        "%%kf_component train --param x:float=0.5 --output loss\nwith open('big.bin', 'rb') as f:\n"
        "    loss = x + len(f.read())"
    )
    told = shell.fails("%kf_tune train --space 'x=float(0,1)' --objective loss --minimize --backend kubeflow")
    assert "is a file beside the notebook that is too large for a trial (48 KiB a step, packed)" in told
    assert not [name for name in cluster.objects if "experiments" in name]
