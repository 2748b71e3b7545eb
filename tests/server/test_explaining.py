"""Explanations: which column moved a prediction, and which sentence."""

from __future__ import annotations

from itertools import combinations
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeRegressor

from kfnb.server.encoding import json_rows
from kfnb.server.explainer import likeness, sentences_of
from kfnb.server.importance import permutation_importance
from kfnb.server.predictor import ModelFailed, Predictor
from kfnb.server.row_mixtures import mixed, places_of
from kfnb.server.served import serve_folder
from kfnb.server.shapley import shapley_values
from kfnb.server.tables import BadRequest
from tests.server.model_folders import (
    array_folder,
    churn_folder,
    customers,
    plain_folder,
    prepared,
    write_folder,
)


def explained(folder: Path, rows, **options) -> list[dict]:
    served = serve_folder(folder, "model", "1", **options)
    return served.explainer.explain(served.inputs.rows(json_rows(rows)))["explanations"]


def assert_adds_up(explanation: dict) -> None:
    for output, value in enumerate(explanation["value"]):
        total = explanation["base"][output] + sum(explanation["contributions"][output])
        assert total == pytest.approx(value, abs=1e-9)


CHANGES_ITS_INPUT = """def transform(df):
    df["a"] = df["a"] * 2
    return df[["a", "b"]]
"""


def test_a_transform_that_changes_its_input_is_explained_as_it_predicts(tmp_path):
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), columns=["a", "b"])
    transform = prepared(CHANGES_ITS_INPUT, rows.copy())
    model = LinearRegression().fit(transform.transform(rows.copy()), 3 * rows.a - rows.b)
    folder = write_folder(tmp_path / "model", model, rows, transform=transform)
    (found,) = explained(folder, rows[:1])
    assert found["value"] == pytest.approx([found["prediction"]])
    assert found["prediction"] == pytest.approx(3 * rows.a[0] - rows.b[0])
    assert_adds_up(found)


@pytest.mark.parametrize(("found", "reason"), [([1.0], "predictions for 2 rows: 1"), (None, "a NoneType")])
def test_a_model_that_does_not_answer_each_row_is_named(found, reason):
    predictor = Predictor(lambda rows: rows, lambda rows: found, lambda rows: found, ())
    with pytest.raises(ModelFailed, match="the model does not answer each row") as raised:
        predictor.predict([1, 2])
    assert str(raised.value.error) == reason


# -- the values


@settings(max_examples=60)
@given(
    st.integers(1, 7),
    st.integers(1, 5),
    st.integers(1, 3),
    st.integers(0, 2**32 - 1),
)
def test_the_values_of_any_game_add_up(players, backgrounds, outputs, seed):
    random = np.random.default_rng(seed)
    worths = random.normal(size=(2**players, backgrounds, outputs)) * 10.0 ** random.integers(-6, 6)

    def evaluate(masks, which):
        return worths[masks @ (1 << np.arange(players)), which]

    values, base, whole = shapley_values(players, backgrounds, evaluate)
    assert values.shape == (players, outputs)
    scale = max(1.0, np.abs(worths).max())
    assert np.abs(base + values.sum(axis=0) - whole).max() < 1e-9 * scale
    assert base == pytest.approx(worths[0].mean(axis=0))


@given(st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_what_only_adds_up_has_exact_values(players, seed):
    random = np.random.default_rng(seed)
    worth = random.normal(size=players)
    values, _, _ = shapley_values(players, 3, lambda masks, _: (masks @ worth)[:, None])
    assert values[:, 0] == pytest.approx(worth)


def test_a_pair_that_only_works_together_shares_what_it_makes():
    values, _, _ = shapley_values(3, 4, lambda masks, _: (masks[:, 0] & masks[:, 1]).astype(float)[:, None])
    assert values[:, 0] == pytest.approx([0.5, 0.5, 0.0])


def test_the_values_of_three_players_are_near_the_exact_ones():
    worths = np.array(
        [0.0, 1.0, 2.0, 6.0, 0.5, 3.0, 1.0, 9.0]
    )  # of nobody, of the first, of the second, of both, ...
    values, _, _ = shapley_values(3, 20, lambda masks, _: worths[masks @ [1, 2, 4]][:, None])
    orders = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    exact = np.zeros(3)
    for order in orders:
        before = 0
        for player in order:
            exact[player] += (worths[before | 1 << player] - worths[before]) / len(orders)
            before |= 1 << player
    assert values[:, 0] == pytest.approx(exact, abs=0.3)


# -- through the model


def test_a_linear_model_is_explained_exactly(tmp_path: Path):
    random = np.random.default_rng(0)
    rows = pd.DataFrame(random.normal(size=(100, 4)), columns=list("abcd"))
    model = LinearRegression().fit(rows, rows @ [1.0, -2.0, 3.0, 0.0])
    (found,) = explained(write_folder(tmp_path / "model", model, rows), rows[:1])
    background = rows.iloc[[index * 99 // 19 for index in range(20)]]
    assert found["columns"] == list("abcd")
    assert found["outputs"] == ["0"]
    assert found["contributions"][0] == pytest.approx(
        ((rows.iloc[0] - background.mean()) * model.coef_).tolist()
    )
    assert found["base"][0] == pytest.approx(model.predict(background).mean())
    assert_adds_up(found)


def test_columns_of_all_kinds_are_explained_through_the_transform(tmp_path: Path):
    rows = customers(5, seed=2)
    found = explained(churn_folder(tmp_path / "model"), rows)
    assert [one["prediction"] in ("leaves", "stays") for one in found] == [True] * 5
    for one in found:
        assert one["columns"] == list(rows.columns)
        assert one["outputs"] == ["leaves", "stays"]
        assert_adds_up(one)
        assert one["contributions"][0] == pytest.approx([-value for value in one["contributions"][1]])
    strongest = {max(zip(map(abs, one["contributions"][0]), one["columns"], strict=True))[1] for one in found}
    assert "age" in strongest


def test_the_same_row_has_the_same_explanation_each_time(tmp_path: Path):
    folder = churn_folder(tmp_path / "model")
    rows = customers(3, seed=2)
    assert explained(folder, rows) == explained(folder, rows)
    assert explained(folder, rows[1:2]) == explained(folder, rows)[1:2]


def test_several_outputs_of_an_array_are_explained(tmp_path: Path):
    row = np.array([[1.0, 2.0, 3.0]])
    (found,) = explained(array_folder(tmp_path / "model"), row)
    assert (found["columns"], found["outputs"]) == (["0", "1", "2"], ["0", "1"])
    assert_adds_up(found)
    assert found["contributions"][0][2] == pytest.approx(0.0, abs=1e-9)
    assert found["contributions"][1][0] == pytest.approx(0.0, abs=1e-9)


def test_classes_without_probabilities_are_explained_by_their_distances(tmp_path: Path):
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "b"])
    for classes in (2, 3):
        model = LinearSVC().fit(rows, np.arange(60) % classes)
        (found,) = explained(write_folder(tmp_path / f"model{classes}", model, rows), rows[:1])
        assert found["outputs"] == (["1"] if classes == 2 else ["0", "1", "2"])
        assert_adds_up(found)


@pytest.mark.parametrize("trees", [False, True])
def test_categories_are_explained_as_one_column(tmp_path: Path, trees):
    row = pd.DataFrame({"age": [80], "city": ["Bern"], "income": [8000.0], "height": [40.0]}).astype(
        {"city": "str"}
    )
    (found,) = explained(plain_folder(tmp_path / "model", trees=trees), row)
    assert found["columns"] == ["age", "city", "income", "height"]
    assert_adds_up(found)


def test_too_many_rows_are_refused(tmp_path: Path):
    with pytest.raises(BadRequest, match="at most 100 rows"):
        explained(array_folder(tmp_path / "model"), np.zeros((101, 3)))


# -- against exact values, of models that are small enough for them


def exact(score, row: pd.DataFrame, background: pd.DataFrame) -> np.ndarray:
    """Shapley values by their definition: each set of columns from the row, the others from the background."""
    names = list(row.columns)
    count = len(names)

    def worth(chosen: tuple[str, ...]) -> np.ndarray:
        rows = background.copy()
        for name in chosen:
            rows[name] = row[name].iloc[0]
        return np.atleast_2d(score(rows)).mean(axis=0)

    values = []
    for name in names:
        others = [one for one in names if one != name]
        gains = [
            (worth((*some, name)) - worth(some)) / (count * comb(count - 1, len(some)))
            for size in range(count)
            for some in combinations(others, size)
        ]
        values.append(np.sum(gains, axis=0))
    return np.array(values)


def background_of(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.iloc[[index * (len(rows) - 1) // 19 for index in range(20)]].reset_index(drop=True)


def pairs(count: int = 100) -> pd.DataFrame:
    random = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "age": random.integers(18, 80, count).astype(float),
            "city": random.choice(["Basel", "Bern", "Geneva"], count),
            "income": random.normal(3.0, 1.0, count),
        }
    ).astype({"city": "str"})


def test_a_text_that_a_transform_makes_many_columns_of_has_one_exact_value(tmp_path: Path):
    code = """
def fit(df):
    return sorted(df.city.unique())

def transform(df, state):
    cities = {city: (df.city == city).astype(float) for city in state}
    return df[["age", "income"]].assign(**cities, both=df.age * (df.city == "Bern"))
"""
    rows = pairs()
    transform = prepared(code, rows)
    made = transform.transform(rows)
    model = LogisticRegression(max_iter=5000).fit(made, (made["both"] > 40) | (rows.income > 4))
    folder = write_folder(tmp_path / "model", model, rows, transform=transform)
    (found,) = explained(folder, rows[3:4])
    wanted = exact(
        lambda some: model.predict_proba(transform.transform(some)), rows[3:4], background_of(rows)
    )
    assert found["columns"] == ["age", "city", "income"]
    assert pytest.approx(wanted, abs=0.02) == np.array(found["contributions"]).T
    assert_adds_up(found)


def test_categories_that_the_model_itself_encodes_have_one_exact_value(tmp_path: Path):
    rows = pairs()
    columns = make_column_transformer((OneHotEncoder(), ["city"]), remainder="passthrough")
    model = make_pipeline(columns, RandomForestClassifier(20, random_state=0))
    model.fit(rows, (rows.city == "Bern") & (rows.age > 40))
    (found,) = explained(write_folder(tmp_path / "model", model, rows), rows[:1])
    assert (
        pytest.approx(exact(model.predict_proba, rows[:1], background_of(rows)), abs=0.02)
        == np.array(found["contributions"]).T
    )


def test_each_of_several_outputs_has_exact_values(tmp_path: Path):
    random = np.random.default_rng(2)
    rows = pd.DataFrame(random.normal(size=(100, 3)), columns=["a", "b", "c"])
    amounts = np.column_stack([rows.a * rows.b, rows.c**2 + rows.a])
    model = DecisionTreeRegressor(max_depth=5, random_state=0).fit(rows, amounts)
    (found,) = explained(write_folder(tmp_path / "model", model, rows), rows[:1])
    wanted = exact(model.predict, rows[:1], background_of(rows))
    assert found["outputs"] == ["0", "1"]
    assert pytest.approx(wanted, abs=0.15) == np.array(found["contributions"]).T
    assert_adds_up(found)


def test_classes_of_several_labels_are_explained_by_label_and_class(tmp_path: Path):
    random = np.random.default_rng(3)
    rows = pd.DataFrame(random.normal(size=(100, 2)), columns=["a", "b"])
    labels = np.column_stack([rows.a > 0, rows.b > 0]).astype(int)
    model = RandomForestClassifier(10, random_state=0).fit(rows, labels)
    (found,) = explained(write_folder(tmp_path / "model", model, rows), rows[:1])
    wanted = exact(
        lambda some: np.concatenate(model.predict_proba(some), axis=1), rows[:1], background_of(rows)
    )
    assert found["outputs"] == ["0: 0", "0: 1", "1: 0", "1: 1"]
    assert pytest.approx(wanted, abs=0.02) == np.array(found["contributions"]).T


def test_sentences_have_exact_values(tmp_path: Path):
    texts = pd.DataFrame({"text": [f"{text} number {at}." for at, text in enumerate(TEXTS[:30])]}).astype(
        "str"
    )
    columns = make_column_transformer((TfidfVectorizer(), "text"))
    model = make_pipeline(columns, LogisticRegression()).fit(texts, LABELS[:30])
    served = serve_folder(write_folder(tmp_path / "model", model, texts), "model", "1")
    sentences = ["The film was good.", "Bad food.", "A good song!"]
    given = served.inputs.rows([{"text": " ".join(sentences)}])
    (found,) = served.explainer.explain(given)["explanations"]

    def score(rows: pd.DataFrame) -> np.ndarray:
        joined = [" ".join(filter(None, row)) for row in rows.itertuples(index=False)]
        return model.predict_proba(pd.DataFrame({"text": joined}).astype("str"))

    row = pd.DataFrame([sentences], columns=["0", "1", "2"])
    wanted = exact(score, row, pd.DataFrame([[""] * 3], columns=row.columns))
    assert pytest.approx(wanted, abs=0.01) == np.array(found["sentences"]["contributions"]).T


# -- rows that are put together


@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_a_mixed_row_has_of_each_column_the_value_of_the_row_that_is_meant(count, seed):
    random = np.random.default_rng(seed)
    table = customers(30)
    numbers = np.arange(90.0).reshape(30, 3)
    for rows in (table, numbers, pd.DataFrame(numbers), pl.DataFrame(numbers)):
        pool = places_of(rows, 4, rows[7:8])
        width = pool.shape[1]
        masks, which = random.random((count, width)) < 0.5, random.integers(0, 4, count)
        found = mixed(pool, masks, which)
        for index in range(count):
            for column in range(width):
                place = 0 if masks[index, column] else which[index] + 1
                one, two = cell(found, index, column), cell(pool, place, column)
                assert one == two or (pd.isna(one) and pd.isna(two))
        if hasattr(rows, "dtypes"):
            assert list(found.dtypes) == list(rows.dtypes)


def cell(rows, row: int, column: int):
    return rows.iloc[row, column] if hasattr(rows, "iloc") else rows[int(row), int(column)]


# -- texts


TEXTS = ["good film. bad food.", "good good song", "bad bad film", "fine food. good film", "bad song."] * 8
LABELS = ["+" if text.count("good") > text.count("bad") else "-" for text in TEXTS]


@pytest.mark.parametrize("kind", ["list", "series", "table"])
def test_a_text_is_explained_by_its_sentences(tmp_path: Path, kind):
    if kind == "table":
        texts = pd.DataFrame({"text": TEXTS}).astype("str")
        first = make_column_transformer((TfidfVectorizer(), "text"))
    else:
        texts = TEXTS if kind == "list" else pd.Series(TEXTS, name="text", dtype="str")
        first = TfidfVectorizer()
    # each text is there once, so that it is no category
    texts = texts[:5] if kind == "list" else texts.iloc[:5]
    model = make_pipeline(first, LogisticRegression()).fit(texts, LABELS[:5])
    folder = write_folder(tmp_path / "model", model, texts)
    served = serve_folder(folder, "model", "1")
    text = "The song was good. The food was cold! Was it bad?"
    row = {"text": text} if kind == "table" else text
    (found,) = served.explainer.explain(served.inputs.rows([row]))["explanations"]
    sentences = found["sentences"]
    assert sentences["texts"] == ["The song was good.", "The food was cold!", "Was it bad?"]
    positive = found["outputs"].index("+")
    good, cold, bad = sentences["contributions"][positive]
    assert good > cold > bad
    total = sentences["base"][positive] + good + cold + bad
    assert total == pytest.approx(found["value"][positive], abs=1e-9)
    assert_adds_up(found)


def test_a_model_that_writes_texts_is_explained_by_how_much_of_its_text_stays(tmp_path: Path):
    class FirstWords:
        """A summary: the first two words of each sentence that has the word result."""

        def predict(self, rows):
            return [" ".join(one for one in text.split(". ") if "result" in one) for text in rows["text"]]

    rows = pd.DataFrame({"text": [f"text {number}. a result {number}" for number in range(30)]}).astype("str")
    folder = write_folder(tmp_path / "model", FirstWords(), rows, pickle=True)
    served = serve_folder(folder, "model", "1", pickle=True)
    given = served.inputs.rows([{"text": "We try. The result is good. Bye."}])
    (found,) = served.explainer.explain(given)["explanations"]
    assert found["prediction"] == "The result is good"
    values = found["sentences"]["contributions"][0]
    assert max(values) == values[1]
    assert values[0] == pytest.approx(0.0)


def test_a_very_long_text_has_its_sentences_in_groups():
    assert len(sentences_of(" ".join(f"Sentence {number}." for number in range(1000)))) == 50
    assert sentences_of("One.\nTwo\n\nThree! Four") == ["One.", "Two", "Three!", "Four"]
    assert sentences_of("  ") == []


def test_likeness_is_how_much_two_texts_share():
    assert likeness("a b", "a b") == 1.0
    assert likeness("a b", "b c") == 0.5
    assert likeness("a b", "") == 0.0
    assert likeness("", "") == 0.0


# -- of a whole model


@pytest.mark.parametrize("kind", ["pandas", "polars", "numpy"])
def test_the_importance_of_a_column_is_what_the_score_loses_without_it(kind):
    random = np.random.default_rng(0)
    values = random.normal(size=(400, 3))
    truth = values @ [2.0, 0.0, 0.5]
    model = LinearRegression().fit(values, truth)
    rows = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "numpy": np.array}[kind](values)

    def score(given) -> float:
        return float(model.score(given if kind == "numpy" else given.to_numpy(), truth))

    found = permutation_importance(score, rows, ("a", "b", "c"))
    assert [column for column, _, _ in found] == ["a", "c", "b"]
    assert found[0][1] > 1
    assert found[2][1] == pytest.approx(0.0, abs=1e-9)
    assert found == permutation_importance(score, rows, ("a", "b", "c"))


def test_trees_are_explained_exactly_where_shap_is_installed(tmp_path: Path):
    pytest.importorskip("shap")
    random = np.random.default_rng(0)
    rows = pd.DataFrame(random.normal(size=(60, 4)), columns=list("abcd"))
    model = RandomForestClassifier(20, random_state=0).fit(rows, rows.a + rows.b > 0)
    folder = write_folder(tmp_path / "model", model, rows)
    found = explained(folder, rows[:5])
    assert {one["method"] for one in found} == {"tree"}
    for one, probability in zip(found, model.predict_proba(rows[:5]), strict=True):
        assert one["value"] == pytest.approx(probability)
        assert_adds_up(one)
