"""What ``kf`` has for training, in a process that has a rank."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.capture.embedded.checkpoints import kfnb_checkpoint, kfnb_resume
from kfnb.capture.embedded.rank_reports import kfnb_RankReports
from kfnb.capture.embedded.reports import kfnb_curves, kfnb_log_metrics
from kfnb.capture.embedded.training import kfnb_progress, kfnb_rank, kfnb_reported_metrics, kfnb_shard


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is rank 1 of 3, on a node of its own."""
    for name, value in {"RANK": "1", "WORLD_SIZE": "3", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(f"KFNB_{name}", value)


@pytest.mark.usefixtures("second")
def test_a_rank_knows_its_number() -> None:
    assert (kfnb_rank(), kfnb_rank("WORLD_SIZE"), kfnb_rank("LOCAL_RANK")) == (1, 3, 0)


@pytest.mark.usefixtures("second")
def test_a_shard_is_every_nth_item_of_whatever_has_items() -> None:
    assert kfnb_shard([0, 1, 2, 3, 4]) == [1, 4]
    assert kfnb_shard(range(5)) == range(1, 5, 3)
    np.testing.assert_array_equal(kfnb_shard(np.arange(5)), [1, 4])
    assert kfnb_shard(pd.DataFrame({"a": range(5)}, index=list("vwxyz"))).a.to_dict() == {"w": 1, "z": 4}
    assert list(kfnb_shard(iter("abcde"))) == ["b", "e"]


@given(st.integers(1, 8), st.lists(st.integers()))
def test_the_shards_of_all_ranks_are_all_of_the_data(size: int, data: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KFNB_WORLD_SIZE", str(size))
        shards = []
        for rank in range(size):
            patch.setenv("KFNB_RANK", str(rank))
            shards.append(kfnb_shard(data))
    assert sorted(item for shard in shards for item in shard) == sorted(data)
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan")])
def test_a_progress_that_is_no_part_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="give the part that is done, from 0 to 1"):
        kfnb_progress(fraction)


def test_a_progress_that_is_off_by_rounding_is_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    kfnb_progress(1.0000000000000002)
    kfnb_progress(-1e-17)
    assert capsys.readouterr().out == "progress: 100%\nprogress: 0%\n"


@pytest.mark.parametrize(("data", "kind"), [({1: 2}, "dict"), ({1, 2}, "set"), (7, "int")])
def test_what_has_no_order_is_not_sharded(data: object, kind: str) -> None:
    with pytest.raises(
        TypeError, match=f"kf.shard cannot divide a {kind}: give a DataFrame, an array, a list"
    ):
        kfnb_shard(data)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"step": "5", "loss": 1.0}, "step must be a number, not '5'"),
        ({"loss": "high"}, "loss must be a number, not 'high'"),
        ({"loss": np.array([1.0, 2.0])}, "loss must be a number, not array"),
    ],
)
def test_what_cannot_be_logged_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        kfnb_log_metrics(SimpleNamespace(metadata={}))(**given)


def test_an_array_of_one_number_is_one_and_a_step_without_values_prints_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    metrics = SimpleNamespace(metadata={})
    log = kfnb_reported_metrics(kfnb_log_metrics(metrics, kfnb_curves(metrics)))
    log(loss=np.array([1.0]))
    log(step=1)
    assert metrics.metadata == {"loss": 1.0}
    assert capsys.readouterr().out == ""


def test_the_newest_complete_checkpoint_is_resumed_and_two_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KFNB_CHECKPOINTS", str(tmp_path / "kept"))
    assert kfnb_resume() is None
    for step in (1, 2, 10):
        with kfnb_checkpoint(step) as folder:
            (folder / "weights").write_text(str(step))
    with contextlib.suppress(OSError), kfnb_checkpoint(11) as folder:
        (folder / "weights").write_text("half")
        (folder / "more" / "weights").write_text("there is no such folder")
    assert (kfnb_resume() / "weights").read_text() == "10"
    assert int(kfnb_resume().name) == 10
    assert sorted(int(one.name) for one in (tmp_path / "kept").iterdir()) == [2, 10]
    with kfnb_checkpoint(10) as folder:
        (folder / "weights").write_text("again")
    assert (kfnb_resume() / "weights").read_text() == "again"


def test_a_rank_that_is_late_resumes_what_the_others_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KFNB_CHECKPOINTS", str(tmp_path / "kept"))
    monkeypatch.setenv("KFNB_RESUME", "")
    for step in (1, 2):
        with kfnb_checkpoint(step) as folder:
            (folder / "weights").write_text(str(step))
    assert kfnb_resume() is None, "they began without one"
    monkeypatch.setenv("KFNB_RESUME", "0000000001")
    for step in (3, 4, 5):
        with kfnb_checkpoint(step):
            pass
    assert (kfnb_resume() / "weights").read_text() == "1"


@pytest.mark.usefixtures("second")
def test_other_ranks_may_run_the_same_code_and_keep_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KFNB_CHECKPOINTS", str(tmp_path / "kept"))
    with kfnb_checkpoint(1) as folder:
        (folder / "weights").write_text("mine")
    assert kfnb_resume() is None
    assert list((tmp_path / "kept").iterdir()) == []


@pytest.mark.parametrize(
    ("received", "silent"),
    [
        ({0: 0.0, 1: 100.0}, {1}),
        ({0: 0.0, 1: 10.0}, set()),
        ({0: 0.0}, set()),  # rank 1 may not mean to report
        ({0: 0.0, 2: 1.0}, {1}),
        ({0: 100.0, 1: 100.0}, set()),  # all wait
    ],
)
def test_a_rank_that_stopped_to_report_is_found(received: dict[int, float], silent: set[int]) -> None:
    reports = kfnb_RankReports()
    now = time.monotonic()
    reports.received = {rank: now - ago for rank, ago in received.items()}
    ranks = sorted({0, 1, *received})
    reports.note_silence(ranks)
    assert reports.silent == silent
    reports.add(1, {"progress": 0.5}, own=True)
    assert reports.silent == set()
    assert reports.news[1]["progress"] == 0.5
