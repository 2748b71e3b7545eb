"""How much a version depends on each column of the rows as they come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

import kfnb
from kfnb.capture.embedded.transforms import kfnb_Transform
from kfnb.errors import UsageError
from kfnb.resources.models.view.importance import draw_importance
from kfnb.settings import reset
from tests.conftest import Shell

CODE = """
def fit(df):
    return {"cities": sorted(df.city.unique())}

def transform(df, state):
    return df[["age"]].assign(**{city: (df.city == city).astype(float) for city in state["cities"]})
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "home"))
    reset()
    yield tmp_path
    reset()


def people(count: int = 400) -> pd.DataFrame:
    random = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "age": random.integers(18, 80, count),
            "city": random.choice(["Basel", "Bern", "Geneva"], count),
            "note": random.choice(["x", "y"], count),
        }
    )
    return rows.assign(leaves=np.where(rows.city == "Bern", "yes", "no"))


def churn(rows: pd.DataFrame) -> kfnb.ModelVersion:
    prepare = kfnb_Transform("prepare", CODE, packages={"pandas": "pandas"})
    model = LogisticRegression(max_iter=1000).fit(prepare.fit_transform(rows), rows.leaves)
    return kfnb.register(model, "churn", transform=prepare, example=rows)


def test_columns_are_those_that_come_and_not_those_that_a_transform_makes(home: Path) -> None:
    rows = people()
    found = churn(rows).importance(rows, "leaves")
    assert (found.ref, found.score, found.whole, found.rows) == ("churn@1", "accuracy", 1.0, 400)
    assert [one.column for one in found.columns] == ["city", "age"]  # note is not needed
    city, age = found.columns
    share = (rows.leaves == "yes").mean()
    assert city.mean == pytest.approx(
        2 * share * (1 - share), abs=0.05
    )  # a shuffled city is wrong that often
    assert age.mean == 0.0
    assert found.to_frame().column.tolist() == ["city", "age"]


def test_amounts_are_scored_by_r_squared(home: Path) -> None:
    random = np.random.default_rng(0)
    rows = pd.DataFrame(random.normal(size=(500, 2)), columns=["a", "b"])
    rows["price"] = 3 * rows.a
    version = kfnb.register(
        LinearRegression().fit(rows[["a", "b"]], rows.price), "prices", example=rows[["a", "b"]]
    )
    found = version.importance(rows, "price")
    assert (found.score, found.whole) == ("R2", pytest.approx(1.0))
    assert found.columns[0].column == "a"
    assert found.columns[0].mean == pytest.approx(2.0, abs=0.3)  # twice the variance is not explained
    assert found.columns[1].mean == pytest.approx(0.0, abs=1e-9)


def test_the_rows_may_be_a_version_of_a_data_set_and_a_magic_draws_it(home: Path, shell: Shell) -> None:
    rows = people()
    version = churn(rows)
    kfnb.add_data("people", rows)
    found = shell.run("%kf_models importance churn people@1 --target leaves")
    assert (
        found
        == version.importance("people@1", "leaves")
        == version.importance(kfnb.dataset("people"), "leaves")
    )
    drawn = draw_importance(found)
    assert "accuracy for leaves is 1" in drawn["text/plain"]
    assert drawn["text/plain"].index("city") < drawn["text/plain"].index("age")


@pytest.mark.parametrize(
    ("change", "target", "message"),
    [
        (lambda rows: rows, "stays", "the rows have no column stays"),
        (lambda rows: rows.drop(columns="city"), "leaves", "the rows have no column city"),
        (lambda rows: rows.head(0), "leaves", "the rows cannot be used: the example has no rows"),
        (lambda rows: rows.assign(age="old"), "leaves", "churn@1 does not take these rows: the model raised"),
        (lambda rows: rows.to_numpy(), "leaves", "needs a table with the column leaves"),
    ],
)
def test_rows_that_do_not_fit_are_refused(home: Path, change: Any, target: str, message: str) -> None:
    rows = people(50)
    with pytest.raises(UsageError, match=message):
        churn(rows).importance(change(rows), target)


def test_a_pickle_is_loaded_only_when_that_is_allowed(home: Path) -> None:
    class Own:
        classes_ = np.array([0, 1])

        def predict(self, rows: pd.DataFrame) -> Any:
            return (rows.a > 0).to_numpy().astype(int)

        predict_proba = predict

    rows = pd.DataFrame({"a": [1.0, -1.0] * 20, "y": [1, 0] * 20})
    version = kfnb.register(Own(), "own", example=rows[["a"]], pickle=True)
    with pytest.raises(UsageError, match=r"own@1 cannot predict: the model is a pickle"):
        version.importance(rows, "y")
    assert version.importance(rows, "y", pickle=True).columns[0].mean > 0.3
