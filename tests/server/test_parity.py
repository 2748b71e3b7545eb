"""What the check finds before a model has requests: every transform that looks at its batch is convicted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler

from kfnb.capture.embedded.samples import kfnb_read_sample
from kfnb.server.parity import check
from kfnb.server.served import serve_folder
from tests.server.model_folders import (
    array_folder,
    churn_folder,
    customers,
    plain_folder,
    prepared,
    write_folder,
)


def report_of(folder: Path) -> dict:
    report = check(serve_folder(folder, "churn", "7"))
    json.dumps(report, allow_nan=False)
    return report


def failed(report: dict) -> list[str]:
    return [one["name"] for one in report["checks"] if not one["passed"]]


def sums_folder(folder: Path, code: str, rows=None) -> Path:
    """A model that takes what a transform makes, whatever that is."""
    rows = customers() if rows is None else rows
    transform = prepared(code, rows)
    made = transform.transform(rows.copy())
    return write_folder(folder, LinearRegression().fit(made, made.sum(axis=1)), rows, transform=transform)


# -- what is fine


@pytest.mark.parametrize("make", [churn_folder, plain_folder, array_folder])
def test_a_model_that_answers_alike_however_its_rows_come_passes(make, tmp_path: Path):
    report = report_of(make(tmp_path / "model"))
    assert failed(report) == []
    assert report["passed"]
    assert report["replay"]["other"] == 0


def test_a_model_without_an_example_passes_with_a_word_about_it(tmp_path: Path):
    report = report_of(write_folder(tmp_path / "model", LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])))
    assert report["passed"]
    assert "no example rows" in report["checks"][0]["message"]


def test_a_model_of_which_only_names_are_known_says_what_is_not_checked(tmp_path: Path):
    rows = pd.DataFrame({"a": [0.0, 1.0], "b": [1.0, 0.0]})
    report = report_of(write_folder(tmp_path / "model", LinearRegression().fit(rows, [0.0, 1.0])))
    assert report["passed"]
    assert "known by name alone: no types, nulls, categories and ranges" in report["checks"][0]["message"]


# -- transforms that look at their batch


BATCHES = {
    "fillna(mean)": "df[['age']].assign(income=df.income.fillna(df.income.mean()))",
    "get_dummies": "pd.get_dummies(df[['age', 'city']], columns=['city'], dtype=float)",
    "category codes": "df[['age']].assign(city=df.city.astype('category').cat.codes)",
    "z-scores": "df[['age']].assign(z=(df.age - df.age.mean()) / df.age.std()).fillna(0)",
    "qcut": "df[['age']].assign(part=pd.qcut(df.age, 2, labels=False, duplicates='drop')).fillna(0)",
    "rank": "df[['age']].assign(rank=df.age.rank())",
    "shift": "df[['age']].assign(before=df.age.shift(1)).fillna(0)",
    "cumulative": "df[['age']].assign(total=df.age.cumsum())",
    "forward fill": "df[['age']].assign(income=df.income.ffill().fillna(0))",
    "groupby": "df[['age']].assign(mean=df.groupby('city').age.transform('mean'))",
    "factorize": "df[['age']].assign(city=pd.factorize(df.city)[0])",
    "scaler": "df[['age']].assign(z=StandardScaler().fit_transform(df[['age']])[:, 0])",
    "the number of rows": "df[['age']].assign(n=len(df))",
    "sorting": "df[['age']].sort_values('age').reset_index(drop=True)",
}  # fmt: skip
HEAD = (
    "import pandas as pd\nfrom sklearn.preprocessing import StandardScaler\n\ndef transform(df):\n    return "
)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("body", BATCHES.values(), ids=BATCHES)
def test_a_transform_that_looks_at_other_rows_is_convicted(body, tmp_path: Path):
    report = report_of(sums_folder(tmp_path / "model", HEAD + body))
    assert not report["passed"]
    assert failed(report)[0] == "transform row by row"
    found = report["checks"][0]
    assert found["message"]
    assert found["differences"] or "raises" in found["message"]


MEAN = """
def transform(df):
    mean = df.income.mean()
    return df[["age"]].assign(income=df.income.fillna(mean))
"""


def test_the_report_names_column_row_both_values_and_the_likely_cause(tmp_path: Path):
    report = report_of(sums_folder(tmp_path / "model", MEAN))
    sample, _ = kfnb_read_sample(str(tmp_path / "model"))
    found = report["checks"][0]
    (difference, *_) = found["differences"]
    assert (difference["column"], difference["row"]) == ("income", np.flatnonzero(sample.income.isna())[0])
    assert difference["expected"] == pytest.approx(sample.income.mean())
    assert difference["found"] is None
    assert found["cause"].startswith("mean (the transform, line 3) looks at every row")


def test_a_transform_that_loses_rows_is_convicted(tmp_path: Path):
    report = report_of(sums_folder(tmp_path / "model", HEAD + "df[df.age > 30][['age']]"))
    assert "makes" in report["checks"][0]["message"]
    assert not report["passed"]


COUNTS = """
calls = []

def transform(df):
    calls.append(1)
    return df[["age"]].assign(n=len(calls))
"""


def test_a_transform_that_remembers_is_convicted(tmp_path: Path):
    assert not report_of(sums_folder(tmp_path / "model", COUNTS))["passed"]


def test_a_transform_that_makes_other_columns_of_no_rows_is_convicted(tmp_path: Path):
    code = HEAD + "df[['age']] if len(df) else df[['age']].assign(other=1)"
    assert failed(report_of(sums_folder(tmp_path / "model", code))) == ["transform of no rows"]


KNOWN = HEAD + "df[['age']].assign(known=df.income.notna(), big=df.income.fillna(0) > 1)"
ASSERTS = """
def transform(df):
    assert df.income.notna().any() or len(df) < 20
    return df[["age"]].assign(income=df.income.fillna(0))
"""


def test_a_transform_that_fails_for_a_value_that_may_be_missing_is_convicted(tmp_path: Path):
    assert report_of(sums_folder(tmp_path / "fine", KNOWN))["passed"]
    report = report_of(sums_folder(tmp_path / "model", ASSERTS))
    assert failed(report)[0] == "a missing value"
    message = next(one["message"] for one in report["checks"] if not one["passed"])
    assert message.startswith("column income: the transform raised AssertionError")


LOOKS_UP = """
known = {f"text {number}": number for number in range(40)}

def transform(df):
    return df.text.map(lambda one: known[one]).to_frame()
"""


def remarks(report: dict) -> list[str]:
    return [one["message"] for one in report["checks"] if one["passed"] and one["message"]]


def test_a_transform_that_raises_for_a_new_text_passes_with_a_word_about_it(tmp_path: Path):
    report = report_of(sums_folder(tmp_path / "model", LOOKS_UP, texts()))
    assert report["passed"]
    (remark,) = remarks(report)
    assert remark.startswith("column text: 'kfnb: a value that no one has': the transform raised KeyError")
    assert remark.endswith("such a request is answered with an error")
    assert remarks(report_of(sums_folder(tmp_path / "any", ANY_TEXT, texts()))) == []


ANY_TEXT = "def transform(df):\n    return df.text.map(len).to_frame()"


def texts() -> pd.DataFrame:
    return pd.DataFrame({"text": [f"text {number}" for number in range(40)]}).astype("str")


def test_a_transform_that_makes_numbers_of_texts_passes_with_a_word_about_it(tmp_path: Path):
    zips = pd.DataFrame({"zip": [f"{number:05}" for number in range(1000, 1120)]}).astype("str")
    code = "def transform(df):\n    return df.zip.astype(int).to_frame()"
    report = report_of(sums_folder(tmp_path / "model", code, zips))
    assert report["passed"]
    assert "the transform raised ValueError" in remarks(report)[0]


# -- models


def test_a_prediction_that_is_not_the_recorded_one_is_found(tmp_path: Path):
    folder = plain_folder(tmp_path / "model")
    sample = json.loads((folder / "sample.json").read_text())
    sample["predictions"]["values"][3] = not sample["predictions"]["values"][3]
    (folder / "sample.json").write_text(json.dumps(sample))
    report = report_of(folder)
    assert failed(report) == ["predictions as they were recorded"]
    assert (report["replay"]["exact"], report["replay"]["other"]) == (99, 1)
    assert report["replay"]["differences"][0]["row"] == 3


def test_predictions_that_differ_by_rounding_are_counted_apart(tmp_path: Path):
    folder = array_folder(tmp_path / "model")
    sample = json.loads((folder / "sample.json").read_text())
    sample["predictions"]["values"][3][0] += 1e-9
    (folder / "sample.json").write_text(json.dumps(sample))
    report = report_of(folder)
    assert report["passed"]
    assert [report["replay"][name] for name in ("exact", "close", "other")] == [49, 1, 0]


def test_a_model_that_looks_at_its_batch_is_convicted(tmp_path: Path):
    class Ranks:
        def predict(self, rows):
            return rows["x"].rank().to_numpy()

    folder = write_folder(tmp_path / "model", Ranks(), pd.DataFrame({"x": [3.0, 1.0, 2.0]}), pickle=True)
    report = check(serve_folder(folder, "churn", "7", pickle=True))
    assert failed(report) == ["predictions row by row"]


def test_scaling_by_what_was_fitted_passes(tmp_path: Path):
    rows = customers()[["age", "income"]].fillna(0.0)
    code = (
        "from sklearn.preprocessing import StandardScaler\n\ndef fit(df):\n    return StandardScaler().fit(df)\n\n"
        "def transform(df, state):\n    return df.assign(age=state.transform(df)[:, 0])"
    )
    assert StandardScaler().fit(rows)
    assert report_of(sums_folder(tmp_path / "model", code, rows))["passed"]
