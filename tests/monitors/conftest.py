"""What tests of monitors share: a served model, its data, and people who ask."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from monitor_samples import COLUMNS, people

import kfnb
from kfnb import clock
from kfnb import settings as config

START = 1_800_000_000.0


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of the test's own, whose clock goes 600 times as fast; its monitors and services are ended."""
    home = tmp_path / "home"
    monkeypatch.setenv("KFNB_HOME", str(home))
    monkeypatch.setenv(clock.VARIABLE, str(tmp_path / "clock"))
    clock.set_clock(tmp_path / "clock", rate=600.0, at=START)
    config.reset()
    yield home
    for one in kfnb.monitors():
        one.delete()
    for service in kfnb.services():
        kfnb.service(service.name).delete()
    config.reset()


@pytest.fixture
def random() -> np.random.Generator:
    """The same numbers each time."""
    return np.random.default_rng(0)


@pytest.fixture
def churn(home: Path, random: np.random.Generator) -> Any:
    """The service ``churn`` of the model that ``churn-data@1`` made."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    table = people(random, 3000)
    data = kfnb.add_data("churn-data", table)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(table[COLUMNS], table.y)
    kfnb.register(model, "churn", data=data, metrics={"accuracy": 0.93}).promote()
    return kfnb.serve("churn@champion").wait(60)


@pytest.fixture
def ask(churn: Any, random: np.random.Generator) -> Callable[..., None]:
    """Ask for rows, tell what was true, and wait until they are in the log: more than half an hour on the clock."""

    def asked(rows: int, **how: float) -> None:
        table = people(random, rows, **how)
        churn.feedback(churn.ask(table[COLUMNS]), [table.y.tolist()])
        time.sleep(4)

    return asked
