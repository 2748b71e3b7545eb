"""What differs between two versions, as a person wants to see it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kfnb
from kfnb.cli import main
from kfnb.commands.display import bundle
from kfnb.entities.profile import ColumnProfile
from kfnb.errors import NotFound, UsageError
from kfnb.profiles.footers import profile_footers
from kfnb.profiles.measuring import profile_table
from kfnb.resources.datasets import files
from kfnb.resources.datasets.diff import continuous, histogram, score
from kfnb.resources.datasets.index_names import with_index_names
from kfnb.ui.words import TIMES
from tests.conftest import Shell


def profile(values: Any) -> ColumnProfile:
    [found] = profile_table(pa.table({"x": pa.array(values)}))
    return found


# -- distributions --------------------------------------------------------------------------------------------------


@given(st.lists(st.one_of(st.none(), st.integers(-5, 50)), min_size=1, max_size=60))
def test_the_same_distribution_has_not_moved(values: list[int | None]) -> None:
    assert score(profile(values), profile(values)) == pytest.approx(0, abs=1e-9)


def test_samples_of_one_distribution_moved_little_and_a_shifted_one_much() -> None:
    random = np.random.default_rng(1)
    one, other = random.normal(size=5000), random.normal(size=5000)
    assert score(profile(one), profile(other)) < 0.05
    assert 0.1 < score(profile(one), profile(other + 0.5)) < 0.5
    assert score(profile(one), profile(other + 3)) > 1


def test_missing_values_and_new_categories_move_a_distribution() -> None:
    numbers = list(range(100))
    assert score(profile(numbers), profile([None] * 50 + numbers[:50])) > 0.25
    assert score(profile(["a", "b"] * 50), profile(["a", "b"] * 49 + ["c", "c"])) < 0.25
    assert score(profile(["a", "b"] * 50), profile(["c"] * 100)) > 1
    assert score(profile(["a", "b"] * 50), profile(["b"] * 100)) > 1
    assert score(profile(numbers), profile([None] * 10)) == score(profile(numbers), profile([None] * 20))


@pytest.mark.parametrize("one", [1, 1.0])
def test_flags_and_grades_move_as_categories_do(one: float) -> None:
    assert score(profile([0, one] * 50), profile([0] * 90 + [one] * 10)) > 0.25
    assert score(profile([0, 1] * 50), profile([0, one] * 40)) == pytest.approx(0)
    assert score(profile([one, 2, 3] * 20), profile([one, 2, 2] * 20)) > 0.25


def test_the_last_bar_of_whole_numbers_is_no_higher_than_the_others() -> None:
    uniform = continuous(profile([*range(72)] * 10))
    shares = histogram(uniform, uniform.edges[0], uniform.edges[-1], 16)
    assert max(shares) - min(shares) < 0.01


def test_a_histogram_has_all_values() -> None:
    shares = histogram(profile(list(range(1000))), 0, 999, 10)
    assert sum(shares) == pytest.approx(1)
    assert all(0.09 < share < 0.11 for share in shares)
    assert sum(histogram(profile([5, 5]), 0, 10, 4)) == pytest.approx(1)


# -- versions -------------------------------------------------------------------------------------------------------


@pytest.fixture
def versions(shell: Shell) -> Shell:
    """``churn@1`` and ``churn@2``, which differ in columns, types, rows and distributions."""
    rows = np.arange(1000)
    before = pd.DataFrame({"id": rows, "age": rows % 80, "old": 1.0, "plan": ["a", "b"] * 500, "code": rows})
    after = before.drop(columns="old").assign(age=rows % 80 + 40, new="x", code=before.code.astype(str))
    after = pd.concat([after.iloc[10:], after.iloc[:5].assign(id=range(2000, 2005))], ignore_index=True)
    kfnb.add_data("churn", before)
    kfnb.add_data("churn", after)
    return shell


def test_columns_and_distributions_that_differ(versions: Shell) -> None:
    found = kfnb.dataset("churn@1").diff(kfnb.dataset("churn@2"))
    assert [one.name for one in found.added] == ["new"]
    assert [one.name for one in found.removed] == ["old"]
    assert [(old.type, new.type) for old, new in found.retyped] == [("int64", "large_string")]
    assert found.moved[0].name == "age"
    assert found.rows is None
    text = bundle(found)["text/plain"]
    for words in (
        "churn@1 and churn@2",
        "added",
        "removed",
        "retyped",
        "age",
        "Distributions that moved most",
    ):
        assert words in text


def test_rows_are_compared_by_a_key(versions: Shell) -> None:
    found = kfnb.dataset("churn@1").diff(kfnb.dataset("churn@2"), key="id").rows
    assert found is not None
    assert (found.added, found.removed, found.changed, found.unchanged) == (5, 10, 990, 0)
    assert dict(found.columns) == {"age": 990, "code": 990}


def test_missing_values_are_no_change_of_a_row(shell: Shell) -> None:
    frame = pd.DataFrame(
        {
            "id": [1, 2, 3],
            "x": [1.0, None, 3.0],
            "s": ["a", None, "c"],
            "l": [np.zeros(2000), None, np.ones(1)],
        }
    )
    one = kfnb.add_data("f", frame)
    other = kfnb.add_data("f", frame.assign(x=[1.0, None, 4.0]).iloc[::-1])
    found = one.diff(other, key="id").rows
    assert found is not None
    assert (found.changed, found.unchanged, found.columns) == (1, 2, (("x", 1),))


def test_the_other_version_may_be_a_reference(versions: Shell) -> None:
    one, two = kfnb.dataset("churn@1"), kfnb.dataset("churn@2")
    assert one.diff("churn@2") == one.diff(two)
    with pytest.raises(NotFound, match="unknown version churn@9"):
        one.diff("churn@9")


def test_without_a_key_rows_are_counted(shell: Shell) -> None:
    kfnb.add_data("d", pd.DataFrame({"x": range(1500)}))
    kfnb.add_data("d", pd.DataFrame({"x": pd.Series(dtype="int64")}))
    assert "1,500 in d@1, 0 in d@2" in bundle(kfnb.dataset("d@1").diff("d@2"))["text/plain"]


def test_a_key_must_be_one(versions: Shell) -> None:
    one, two = kfnb.dataset("churn@1"), kfnb.dataset("churn@2")
    with pytest.raises(UsageError, match="plan is not a key of churn@1: 'a' is in several rows"):
        one.diff(two, key="plan")
    with pytest.raises(UsageError, match="churn@1 has no column idd; its columns are id, age"):
        one.diff(two, key="idd")
    array = kfnb.add_data("a", np.arange(3))
    with pytest.raises(UsageError, match="a@1 is not a table"):
        array.diff(array, key="id")


def test_a_column_of_lists_is_not_a_key(shell: Shell) -> None:
    one = kfnb.add_data("d", pd.DataFrame({"k": [np.ones(1), np.zeros(1)], "v": [1, 2]}))
    two = kfnb.add_data("d", pd.DataFrame({"k": [np.ones(1), np.zeros(1)], "v": [1, 3]}))
    with pytest.raises(UsageError, match=r"k is not a key of d@1: it holds list<element: double>"):
        one.diff(two, key="k")


def test_rows_without_a_key_are_the_same_rows(shell: Shell) -> None:
    one = kfnb.add_data("d", pd.DataFrame({"k": [1, np.nan, 2], "v": [1, 2, 3]}))
    found = one.diff(kfnb.add_data("d", pd.DataFrame({"k": [1, np.nan, 2], "v": [1, 2, 4]})), key="k").rows
    assert found is not None
    assert (found.changed, found.unchanged) == (1, 2)


def test_a_column_of_another_type_is_compared(shell: Shell) -> None:
    one = kfnb.add_data("d", pd.DataFrame({"x": [1, 2, 3, 4]}))
    found = one.diff(kfnb.add_data("d", pd.DataFrame({"x": [1.0, None, None, 4.0]})))
    assert [old.type for old, _ in found.retyped] == ["int64"]
    assert [shift.name for shift in found.moved] == ["x"]
    other = kfnb.add_data("d", pd.DataFrame({"x": ["a", "b"]}))
    assert one.diff(other).moved == ()


def test_infinite_values_are_a_difference(shell: Shell) -> None:
    one = kfnb.add_data("d", pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]}))
    two = kfnb.add_data("d", pd.DataFrame({"x": [1.0, 2.0, np.inf, -np.inf]}))
    assert two.profile[0].infinite == 2
    assert "Infinite" in bundle(two)["text/plain"]
    assert "Infinite" not in bundle(one)["text/plain"]
    assert one.diff(two).moved[0].score > 0.25


def test_a_file_that_grew_too_large_to_be_measured_has_not_moved(shell: Shell, tmp_path, monkeypatch) -> None:
    file = tmp_path / "f.parquet"
    frame = pd.DataFrame({"x": range(100), "s": ["a", "b"] * 50, "gone": [None, 1.0] * 50})
    frame.to_parquet(file)
    one = kfnb.add_data("d", file)
    monkeypatch.setattr(files, "READ_UP_TO", 10)
    frame.assign(y=1).to_parquet(file)
    two = kfnb.add_data("d", file)
    assert (one.profile[0].measured, two.profile[0].measured) == (True, False)
    for found in (one.diff(two), two.diff(one)):
        assert found.moved == ()
        assert found.unmeasured == ("x", "s", "gone")
        assert "Not measured in both versions: x, s, gone." in bundle(found)["text/plain"]
    frame.assign(gone=None).astype({"gone": "float64"}).to_parquet(file)
    moved = two.diff(kfnb.add_data("d", file)).moved
    assert [shift.name for shift in moved] == []  # a column without values is known, one of a footer is not


def test_what_a_file_does_not_state_is_unknown(tmp_path) -> None:
    pq.write_table(pa.table({"x": [1, None]}), tmp_path / "f.parquet", write_statistics=False)
    [found], rows = profile_footers([tmp_path / "f.parquet"])
    assert (found.nulls, found.missing, found.measured, rows) == (None, 0.0, False, 2)
    assert score(found, profile([1, None])) == 0


def test_a_file_and_a_folder_are_compared_by_their_files(shell: Shell, tmp_path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in "ab":
        (folder / name).write_text(name)
    found = kfnb.add_data("p", folder / "a").diff(kfnb.add_data("p", folder))
    assert (found.files_added, found.files_removed) == (("b",), ())
    assert "p@1 is a file, p@2 a folder: only what both have can be compared." in bundle(found)["text/plain"]


def test_folders_differ_by_their_files(shell: Shell, tmp_path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in "abc":
        (folder / name).write_text(name)
    one = kfnb.add_data("pictures", folder)
    (folder / "a").unlink()
    (folder / "b").write_text("B")
    (folder / "d").write_text("d")
    found = one.diff(kfnb.add_data("pictures", folder))
    assert (found.files_added, found.files_removed, found.files_changed) == (("d",), ("a",), ("b",))
    assert "added: d" in bundle(found)["text/plain"]


def test_a_folder_of_parquet_files_is_compared_by_rows(shell: Shell, tmp_path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    pd.DataFrame({"id": [1, 2]}).to_parquet(folder / "1.parquet")
    one = kfnb.add_data("parts", folder)
    pd.DataFrame({"id": [3]}).to_parquet(folder / "2.parquet")
    found = one.diff(kfnb.add_data("parts", folder), key="id").rows
    assert found is not None
    assert (found.added, found.unchanged) == (1, 2)


def test_the_same_version_has_the_same_content(versions: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    versions.run("%kf_data diff churn@1 churn@1")
    assert "Both have the same content." in capsys.readouterr().out


def test_a_terminal_prints_the_differences(versions: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    versions.run("%kf_data diff churn@1 churn --key id -o found")
    assert versions["found"].rows.added == 5
    capsys.readouterr()
    assert main(["data", "diff", "churn@1", "churn@2", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["same"], printed["added"][0]["name"]) == (False, "new")


def test_distributions_are_bars_and_few_values_are_words(shell: Shell) -> None:
    kfnb.add_data("d", pd.DataFrame({"x": range(100), "flag": [0, 1] * 50}))
    kfnb.add_data("d", pd.DataFrame({"x": range(200, 300), "flag": [1, 1] * 50}))
    shown = bundle(kfnb.dataset("d@1").diff(kfnb.dataset("d@2")))
    assert shown["text/html"].count("<svg") == 2
    assert 'aria-label="distribution of x"' in shown["text/html"]
    assert "▅" in shown["text/plain"] or "█" in shown["text/plain"]
    assert "0: 50%, 1: 50%" in shown["text/plain"]
    assert "1: 100%" in shown["text/plain"]


def test_texts_with_many_values_are_shown_by_their_values(shell: Shell) -> None:
    """Their profile has quantiles too, of their lengths."""
    texts = ["x"] * 20 + [f"text {number}" for number in range(180)]
    one = kfnb.add_data("d", pd.DataFrame({"s": texts}))
    two = kfnb.add_data("d", pd.DataFrame({"s": [*texts[20:], *["longer than before"] * 20]}))
    assert one.profile[0].edges
    assert f"x {TIMES} 20" in bundle(one)["text/plain"]
    assert one.diff(two).moved[0].score > 0.25
    assert "x: 10%" in bundle(one.diff(two))["text/plain"]


def test_an_index_without_a_name_is_called_index(shell: Shell, tmp_path: Path) -> None:
    one = kfnb.add_data("d", pd.DataFrame({"x": [1, 2]}, index=["a", "b"]))
    two = kfnb.add_data("d", pd.DataFrame({"x": [1, 2]}, index=["a", "c"]))
    assert re.search(r"\bindex\b", bundle(one)["text/plain"])
    assert [shift.name for shift in one.diff(two).moved] == ["index"]
    for shown in (one, one.diff(two)):
        assert "__index" not in str(bundle(shown))
    assert "index:" not in kfnb.infer_schema(one, tmp_path / "s.yaml").read_text()


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["__index_level_0__", "x"], ["index", "x"]),
        (["__index_level_0__", "__index_level_1__"], ["index 0", "index 1"]),
        (["name", "__index_level_1__"], ["name", "index 1"]),
        (["__index_level_0__", "index"], ["row index", "index"]),
        (["a.__index_level_0__", "b.__index_level_0__", "index"], ["a.index", "b.index", "index"]),
    ],
)
def test_each_level_of_an_index_has_a_name_of_its_own(names: list[str], shown: list[str]) -> None:
    columns = [ColumnProfile(name, "string", 1, 0) for name in names]
    assert [one.name for one in with_index_names(columns, set(names))] == shown
