"""Windows are counted into the bins of a reference: every value is somewhere, and counts of several places add up."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kfnb.capture.embedded.counting import kfnb_added, kfnb_Counter
from kfnb.capture.embedded.profiles import kfnb_profile, kfnb_sort
from kfnb.entities.profile import ColumnProfile, TableProfile

VALUES = st.one_of(
    st.none(),
    st.integers(-5, 5),
    st.floats(-1e6, 1e6),
    st.sampled_from([float("nan"), float("inf"), -float("inf")]),
    st.sampled_from(["a", "b", "c", "d", ""]),
    st.booleans(),
)
ROWS = st.lists(st.fixed_dictionaries({"x": VALUES}), max_size=30)
REFERENCES = [
    {"x": [1.0, 2.0, 3.5, None, 10.0] * 10},
    {"x": list(range(100))},
    {"x": [0, 1, 1, 1]},
    {"x": ["a", "b", "b", None]},
    {"x": [True, False, True]},
    {"x": [f"word {number}" for number in range(300)]},
    {"x": [None, None]},
    {"x": [[1], [2]]},
]


PROFILES = [kfnb_profile(reference) for reference in REFERENCES]


def counted(reference: dict[str, Any], *blocks: Any) -> dict[str, Any]:
    counter = kfnb_Counter(reference if "columns" in reference else kfnb_profile(reference))
    for block in blocks:
        counter.add(block)
    return counter.profile()


def column(profile: dict[str, Any], name: str = "x") -> ColumnProfile:
    found = TableProfile.from_json(json.loads(json.dumps(profile))).column(name)
    assert found is not None
    return found


@pytest.mark.parametrize("reference", PROFILES, ids=lambda one: str(one["columns"][0]["type"]))
@settings(max_examples=40)
@given(rows=ROWS)
def test_every_value_is_counted_once(reference: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    found = column(counted(reference, rows)) if rows else column(counted(reference))
    bins = sum(found.counts) + found.below + found.above
    words = sum(count for _, count in found.top) + found.other
    sort = kfnb_sort(reference["columns"][0]["type"])
    values = bins if sort == "numbers" and found.edges else words
    assert found.nulls is not None
    assert values + found.nulls + found.infinite + found.mistyped == found.rows == len(rows)


@pytest.mark.parametrize("reference", PROFILES, ids=lambda one: str(one["columns"][0]["type"]))
@settings(max_examples=40)
@given(parts=st.lists(ROWS, min_size=1, max_size=4))
def test_counts_of_several_places_are_those_of_one(
    reference: dict[str, Any], parts: list[list[dict[str, Any]]]
) -> None:
    whole = counted(reference, *parts)
    *others, last = (counted(reference, part) for part in parts)
    summed = last
    for other in reversed(others):  # from the other end: the order does not matter
        summed = kfnb_added(other, summed)
    one, two = column(whole), column(summed)
    assert (one.mean is None) == (two.mean is None)
    assert two.mean is None or two.mean == pytest.approx(one.mean, rel=1e-9, abs=1e-6)
    assert {**vars(two), "mean": None} == {**vars(one), "mean": None}
    assert summed["rows"] == whole["rows"]


def test_counts_of_two_references_do_not_add_up() -> None:
    one, other = counted({"x": [1, 2]}, [{"x": 1}]), counted({"x": [1, 3]}, [{"x": 1}])
    with pytest.raises(ValueError, match="x was counted into the bins of two different references"):
        kfnb_added(one, other)


def test_the_same_values_are_counted_alike_from_every_library() -> None:
    values: dict[str, list[Any]] = {
        "number": [1.5, None, 700.0, 3.0],
        "whole": [1, 2, 3, 400],
        "word": ["a", None, "z", "b"],
        "flag": [True, False, True, True],
    }
    reference = {
        "number": [float(one) for one in range(100)],
        "whole": list(range(100)),
        "word": ["a", "b"],
        "flag": [True, False],
    }
    rows = [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]
    frame = pd.DataFrame(values)
    tables = [
        rows,
        values,
        frame,
        frame.convert_dtypes(),
        frame.convert_dtypes(dtype_backend="pyarrow"),
        frame.astype({"word": "category"}),
        pl.DataFrame(values),
        pl.DataFrame(values).with_columns(pl.col("word").cast(pl.Categorical)),
        pa.table(values),
        pa.table(values).to_batches()[0],
    ]
    for table in tables:
        found = counted(reference, table)
        for name in values:
            expected = vars(column(counted(reference, rows), name))
            assert {**vars(column(found, name)), "type": ""} == {**expected, "type": ""}, type(table)


def test_values_beyond_the_reference_are_below_and_above() -> None:
    found = column(counted({"x": list(range(100))}, {"x": [-1.0, 0.0, 99.0, 100.0, float("inf"), None]}))
    assert (found.below, found.above, sum(found.counts), found.infinite, found.nulls) == (1, 1, 2, 1, 1)
    assert (found.minimum, found.maximum) == (-1, 100)


def test_numbers_whose_sum_is_beyond_floats_are_counted() -> None:
    found = column(counted({"x": [0.5, 1.5]}, {"x": [1e308, 1e308, -1e308, 1.0]}))
    assert (found.above, found.below, found.minimum, found.mean) == (2, 1, -1e308, None)


def test_new_categories_are_counted_by_name() -> None:
    found = column(counted({"x": ["a", "b"]}, {"x": ["a", "c", "c", "d"]}))
    assert (found.top, found.other, found.unseen) == ((("a", 1), ("b", 0)), 3, (("c", 2), ("d", 1)))


def test_categories_by_the_million_need_no_more_memory() -> None:
    found = column(counted({"x": ["a", "b"]}, {"x": [f"user {number}" for number in range(100_000)]}))
    assert (found.other, len(found.unseen)) == (100_000, 100)
    assert len(json.dumps(found.to_json())) < 3000


def test_a_type_that_changes_is_seen() -> None:
    reference = {"x": list(range(100))}
    assert column(counted(reference, {"x": [1, 2]})).type == "int64"
    found = column(counted(reference, {"x": [1, 2]}, {"x": [1.5]}, {"x": ["3", "4"]}))
    assert (found.type, found.mistyped, sum(found.counts)) == ("mixed(double, int64, string)", 2, 3)
    assert column(counted({"x": ["1", "2"]}, {"x": [1, 2]})).mistyped == 2
    assert column(counted({"x": [True, False]}, {"x": ["true"]})).mistyped == 1


def test_a_column_that_is_missing_has_fewer_rows_and_an_extra_one_is_named() -> None:
    found = counted({"x": [1, 2], "y": [1, 2]}, {"x": [1], "y": [1]}, {"x": [1, 2], "z": [0, 0]})
    assert found["rows"] == 3
    assert [(one["name"], one["rows"], one["nulls"]) for one in found["columns"]] == [
        ("x", 3, 0),
        ("y", 1, 0),
        ("z", 2, None),
    ]


def test_times_are_counted_by_their_instant() -> None:
    days = pd.date_range("2024-01-01", periods=100, freq="D")
    reference = {"x": days.to_series()}
    zoned = pd.DataFrame({"x": pd.date_range("2024-01-01", periods=5, freq="D", tz="Europe/Berlin")})
    found = column(counted(reference, zoned))
    assert (found.below, sum(found.counts)) == (1, 4)  # midnight in Berlin is the day before in UTC
    assert found.mistyped == 0


def test_a_row_of_15_numbers_costs_microseconds() -> None:
    random = np.random.default_rng(0)
    names = [f"x{number}" for number in range(15)]
    counter = kfnb_Counter(kfnb_profile(pd.DataFrame(random.normal(size=(10_000, 15)), columns=names)))
    block = pd.DataFrame(random.normal(size=(256, 15)), columns=names)
    counter.add(block)
    started = time.process_time()
    for _ in range(40):
        counter.add(block)
    assert (time.process_time() - started) / (40 * 256) < 5e-6
