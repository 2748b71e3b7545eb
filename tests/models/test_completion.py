"""References to models and data are completed, here and on a cluster, and no Tab waits for a server."""

from __future__ import annotations

import time

import pandas as pd
import pytest
from registry_conformance import make_folder

import kfnb
from kfnb.commands import completion
from kfnb.resources.models import api
from kfnb.resources.models.model import RegisteredModel
from kfnb.settings import settings
from tests.conftest import Shell
from tests.ipython.test_completion import complete


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "answers", completion.SlowAnswers())
    monkeypatch.setattr(completion, "TIMEOUT", 10.0)  # of a busy machine


@pytest.fixture
def churn(shell: Shell, tmp_path) -> None:
    del shell
    kfnb.add_data("churn-data", pd.DataFrame({"a": [1]}))
    for text in ("one", "two"):
        folder = make_folder(tmp_path / text, text)
        (folder / "kfnb_model.json").write_text('{"format": "skops", "file": "model.skops"}')
        kfnb.register(folder, "churn", notify=lambda _: None)
    kfnb.model("churn@1").promote()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%kf_models show chu", ["churn", "churn@champion", "churn@2", "churn@1"]),
        ("%kf_models show churn@", ["churn@champion", "churn@2", "churn@1"]),
        ("%kf_models show local:churn@c", ["local:churn@champion"]),
        ("%kf_models rollback chu", ["churn"]),
        ("%kf_models check churn@", ["churn@champion", "churn@2", "churn@1"]),
        ("%kf_models promote churn@1 --alias ch", ["champion"]),
        ("%kf_models --data churn-data@", ["churn-data@1"]),
        ("%kf_register model --data churn-data@", ["churn-data@1"]),
        ("%kf_lineage churn@", ["churn@1", "churn@2", "churn@champion", "churn@latest"]),
    ],
)
def test_a_reference_is_completed(shell: Shell, churn: None, line: str, expected: list[str]) -> None:
    assert complete(shell, line) == expected


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster whose registry answers at once."""
    settings().model_registry = "http://127.0.0.1:9"
    known = [RegisteredModel("churn", versions=3, aliases={"champion": 2})]
    here = api.registered
    monkeypatch.setattr(
        api, "registered", lambda backend=None: known if backend == "kubeflow" else here(backend)
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%kf_models show ku", ["kubeflow:"]),
        ("%kf_lineage ku", ["kubeflow:"]),
        ("%kf_models show kubeflow:churn@", [f"kubeflow:churn@{one}" for one in ("champion", 3, 2, 1)]),
        ("%kf_models history kubeflow:", ["kubeflow:churn"]),
        ("%kf_lineage kubeflow:churn@c", ["kubeflow:churn@champion"]),
    ],
)
def test_a_reference_to_the_cluster_is_completed(
    shell: Shell, churn: None, cluster: None, line: str, expected: list[str]
) -> None:
    assert complete(shell, line) == expected


def test_a_cluster_that_is_not_known_is_not_offered(shell: Shell, churn: None) -> None:
    assert complete(shell, "%kf_models show ku") == []


def test_a_tab_does_not_wait_for_a_server_that_is_silent(
    shell: Shell, churn: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completion, "TIMEOUT", 0.2)
    complete(shell, "%kf_lineage ku")  # what is imported once
    monkeypatch.setattr(completion, "answers", completion.SlowAnswers())
    settings().model_registry = "http://127.0.0.1:9"
    monkeypatch.setattr(api, "registered", lambda backend=None: time.sleep(5) or [])
    for line in ("%kf_models show kubeflow:", "%kf_lineage kubeflow:", "%kf_models show chu"):
        begun = time.thread_time(), time.monotonic()
        complete(shell, line)
        waited = time.monotonic() - begun[1]
        assert waited < 0.3 + 10 * (time.thread_time() - begun[0]), line
