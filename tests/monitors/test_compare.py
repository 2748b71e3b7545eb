"""``compare``: two versions on the same labelled rows, by the same metric."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from monitor_samples import COLUMNS, people

import kfnb
from kfnb.resources.monitors.actions.occasion import Occasion
from kfnb.resources.monitors.actions.steps import take
from kfnb.resources.monitors.model import Action, Alarm, MonitorSpec, Report, Rule
from kfnb.resources.services.model import Target


class Comparison(Occasion):
    """The comparison of ``churn@2`` with ``churn@1``, which is served."""

    def service(self) -> Any:
        """A service that has a default alone."""
        desired = SimpleNamespace(default=Target(1, "churn", 1, "sha256:0"))
        return SimpleNamespace(snapshot=lambda: SimpleNamespace(desired=desired))


def compared(rows: pd.DataFrame) -> tuple[str, str]:
    """The state and the detail of the step."""
    spec = MonitorSpec("churn", "churn", "data@1", (Rule("drift", 0.2),), then=("compare",))
    before = [Action(1, 0, "retrain:train", "done", 0, 0, version="churn@2")]
    alarm, labelled = Alarm(1, "drift", 0, ""), (rows[COLUMNS], rows.y.tolist())
    outcome = take(
        Comparison(spec, alarm, Report(0, 1, 1), "compare", 0, before=before, labelled=lambda: labelled)
    )
    return outcome.state, outcome.detail


@pytest.fixture
def rows(home: Path, random: np.random.Generator) -> pd.DataFrame:
    """Labelled rows."""
    del home
    return people(random, 400)


def test_the_better_one_goes_on(rows: pd.DataFrame) -> None:
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LogisticRegression

    kfnb.register(DummyClassifier().fit(rows[COLUMNS], rows.y), "churn")
    kfnb.register(LogisticRegression().fit(rows[COLUMNS], rows.y), "churn")
    state, detail = compared(rows)
    assert state == "done", detail


def test_versions_of_other_metrics_are_not_compared(rows: pd.DataFrame) -> None:
    from sklearn.linear_model import LinearRegression, LogisticRegression

    kfnb.register(LogisticRegression().fit(rows[COLUMNS], rows.y.astype(int)), "churn")
    kfnb.register(LinearRegression().fit(rows[COLUMNS], rows.y.astype(int)), "churn")
    rows["y"] = rows.y.astype(int)
    state, detail = compared(rows)
    assert state == "failed"
    assert detail == "churn@2 has mean_error on these labels, churn@1 has accuracy: not comparable"
