"""What a version is compared with: its predictions and importances, or why there are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from monitor_samples import COLUMNS, people

import kfnb
from kfnb.resources.monitors.judging import WindowFacts, judge
from kfnb.resources.monitors.model import ColumnDrift, MonitorSpec, Rule
from kfnb.resources.monitors.preparing import reference_of
from kfnb.resources.monitors.reference import MonitorReference
from kfnb.resources.services.model import Target


@pytest.fixture
def table(home: Path, random: np.random.Generator) -> pd.DataFrame:
    """Rows that ``churn@1`` was made of."""
    from sklearn.linear_model import LogisticRegression

    del home
    rows = people(random, 400)
    kfnb.register(LogisticRegression().fit(rows[COLUMNS], rows.y), "churn")
    return rows


def reference(table: pd.DataFrame) -> MonitorReference:
    data = kfnb.add_data("rows", table)
    spec = MonitorSpec("churn", "churn", data.ref, (Rule("score", 0.25),))
    return reference_of(spec, Target(1, "churn", 1, "sha256:0"))


def evidence(found: MonitorReference) -> str:
    facts = WindowFacts(0, 0, 1000, columns=(ColumnDrift("age", 0.1, 0.2),), unweighted=found.unweighted)
    return judge(Rule("score", 0.25), facts).evidence


def test_a_baseline_with_labels_has_importances(table: pd.DataFrame) -> None:
    found = reference(table)
    assert sum(found.importances.values()) == pytest.approx(1)
    assert (found.unweighted, found.notes) == ("", ())


def test_rows_of_the_baseline_without_a_label_are_not_measured(table: pd.DataFrame) -> None:
    whole, some = (
        reference(table),
        reference(table.assign(y=table.y.astype(float).where(table.index % 4 > 0))),
    )
    assert set(some.usual) == set(whole.usual) == {"accuracy", "precision", "recall"}
    assert some.usual["accuracy"] == pytest.approx(whole.usual["accuracy"], abs=0.1)


def test_a_baseline_without_labels_says_what_is_needed(table: pd.DataFrame) -> None:
    found = reference(table[COLUMNS])
    assert found.predictions
    assert evidence(found) == "importances need a column of labels: --target"


def test_a_baseline_that_the_model_cannot_predict_says_why(table: pd.DataFrame) -> None:
    found = reference(table.assign(age=table.age.where(table.index != 3, np.inf)))
    assert "the model cannot predict the baseline: Input X contains infinity" in evidence(found)
    assert found.notes == (f"churn@1: {evidence(found)}",)
