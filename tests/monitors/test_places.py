"""Checks by the clock find what the notebook has found by its settings, of which their process has none."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import kfnb
from kfnb import settings as config

pytestmark = pytest.mark.slow


def test_a_check_by_the_clock_uses_the_home_and_the_stores_that_the_notebook_has_chosen(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.delenv("KFNB_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.chdir(tmp_path)
    config.reset()
    for name, value in (("home", "home"), ("registry", "models"), ("data_store", "data")):
        config.settings().set(name, value)
    request.getfixturevalue("churn")
    monitor = kfnb.monitor("churn", baseline="churn-data@1", every="10m")
    end = time.monotonic() + 60
    while not monitor.reports and not monitor.snapshot().error:
        assert time.monotonic() < end
        time.sleep(0.3)
    assert monitor.snapshot().error == ""
    assert monitor.reports[0].version == "churn@1"
    assert (tmp_path / "models").is_dir()
    assert home.is_dir()
    assert not (tmp_path / "nobody").exists()
