"""``%kf_models push`` and ``pull``, and references to the cluster's registry, as a user has them."""

from __future__ import annotations

import json

import pytest
from cluster import ACCESS, SECRET
from registry_conformance import draft, make_folder

import kfnb
from kfnb import settings as config
from kfnb.cli import main
from kfnb.errors import UsageError
from kfnb.remote import environment
from kfnb.remote.current import Current
from kfnb.remote.environment import KubeflowEnvironment
from kfnb.resources.models import api
from kfnb.resources.models.kubeflow import connection


@pytest.fixture(autouse=True)
def cluster(rig, objects, tmp_path, monkeypatch):
    """A user of the cluster, by settings of the environment alone."""
    monkeypatch.setattr(connection, "_current", Current())
    monkeypatch.setattr(environment, "read", KubeflowEnvironment)
    root = f"s3://mlpipeline/v2?endpoint={objects.address}&disableSSL=true&s3ForcePathStyle=true"
    values = {
        "MODEL_REGISTRY": rig.url,
        "PIPELINE_ROOT": root,
        "HOME": str(tmp_path / "home"),
        "OWNER": "ann",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"KFNB_{name}", value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    config.reset(start=tmp_path)
    yield
    monkeypatch.undo()
    config.reset()


@pytest.fixture
def register(tmp_path, churn):
    """Register versions of ``churn`` here."""

    def act(*texts):
        for text in texts:
            folder = make_folder(tmp_path / "made", text)
            api.registry_of().register(draft(churn, folder, metrics_data="d@2"), folder)

    return act


def output(capsys, *words):
    """What a verb prints on stdout and stderr, and its exit code."""
    capsys.readouterr()
    code = main([*words])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_a_model_is_pushed_promoted_there_and_pulled_elsewhere(
    capsys, tmp_path, register, churn, monkeypatch
):
    register("one", "two")
    kfnb.model(f"{churn}@2").promote(because="best")

    code, out, err = output(capsys, "models", "push", churn)
    assert (code, f"copying {churn}@1" in err) == (0, True)
    assert "2 versions from local to kubeflow" in out
    assert "champion" in out

    assert kfnb.model(f"kubeflow:{churn}@champion").version == 2
    assert output(capsys, "models", "promote", f"kubeflow:{churn}@1", "--because", "slow")[0] == 0
    assert output(capsys, "models", "rollback", f"kubeflow:{churn}", "--because", "no")[0] == 0
    assert output(capsys, "models", "promote", f"kubeflow:{churn}@1", "--because", "yes")[0] == 0
    history = json.loads(output(capsys, "models", "history", f"kubeflow:{churn}", "--json")[1])
    assert [(one["to_version"], one["because"]) for one in history] == [
        (1, "yes"),
        (2, "rollback: no"),
        (1, "slow"),
        (2, "copied from the local registry"),
    ]
    assert kfnb.model(f"{churn}@champion").version == 2

    _, out, _ = output(capsys, "models", "push", churn)
    assert f"kubeflow has {churn}@champion already, on version 1, and it was not moved" in out

    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "elsewhere"))
    config.reset(start=tmp_path)
    code, out, _ = output(capsys, "models", "pull", f"{churn}@champion", "--json")
    assert code == 0
    assert json.loads(out)["versions"] == {"1": 1}
    assert json.loads(out)["aliases"] == {"champion": 1}
    assert (kfnb.model(churn).path() / "model.skops").read_bytes() == b"one" * 100


def test_the_clusters_models_are_ranked_and_shown(capsys, register, churn):
    register("one")
    output(capsys, "models", "push", churn)

    board = kfnb.models(churn, backend="kubeflow")

    assert [(one.ref, one.rank) for one in board] == [(f"kubeflow:{churn}@1", 1)]
    assert f"kubeflow:{churn}@1" in output(capsys, "models", churn, "--backend", "kubeflow")[1]
    shown = output(capsys, "models", "show", f"kubeflow:{churn}@1")[1]
    assert f'kfnb.model("kubeflow:{churn}@1").load()' in shown
    assert output(capsys, "models", "archive", f"kubeflow:{churn}@1")[0] == 0
    assert not kfnb.models(churn, backend="kubeflow")


def test_a_model_is_registered_on_the_cluster_at_once(capsys, tmp_path, churn):
    made = make_folder(tmp_path)
    (made / "kfnb_model.json").write_text('{"format": "skops", "file": "model.skops"}')
    folder = str(made)
    version = kfnb.register(folder, churn, metrics={"accuracy": 0.9}, alias="champion", backend="kubeflow")

    assert repr(kfnb.model(f"kubeflow:{churn}@champion")) == repr(version)
    code, out, _ = output(capsys, "register", folder, "--name", churn, "--backend", "kubeflow", "--json")
    assert (code, json.loads(out)["aliases"]) == (0, ["champion"])
    assert [one.name for one in api.registered()] == []
    with pytest.raises(UsageError, match="unknown backend katib"):
        kfnb.register(folder, churn, backend="katib")


def test_what_cannot_be_copied_is_one_message(capsys, register, churn):
    assert f"unknown model {churn}" in output(capsys, "models", "push", churn)[2]
    assert f"unknown model {churn}" in output(capsys, "models", "pull", churn)[2]
    register("one")
    assert f"unknown version {churn}@7" in output(capsys, "models", "push", f"{churn}@7")[2]
    code, _, err = output(capsys, "models", "push", f"kubeflow:{churn}")
    assert (code, f"kubeflow:{churn} is not in the local registry: use pull" in err) == (2, True)
    assert "use push" in output(capsys, "models", "pull", f"local:{churn}")[2]
    assert "model name 'a/b'" in output(capsys, "models", "push", "a/b")[2]


def test_without_a_cluster_the_message_says_what_to_set(capsys, register, churn, monkeypatch, tmp_path):
    monkeypatch.delenv("KFNB_MODEL_REGISTRY")
    config.reset(start=tmp_path)
    register("one")
    code, _, err = output(capsys, "models", "push", churn)
    assert "KFNB_MODEL_REGISTRY=ADDRESS" in err
    assert code == 1


def test_the_magics_do_the_same(shell, register, churn):
    register("one")
    assert shell.run(f"%kf_models push {churn}").versions == {1: 1}
    assert shell.run(f"%kf_models pull {churn}@1").versions == {1: 1}
    assert "use pull" in shell.fails(f"%kf_models push kubeflow:{churn}")
