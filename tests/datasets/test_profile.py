"""The profile of a table's columns: what monitoring and a comparison of versions read."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.entities.profile import ColumnProfile
from kfnb.profiles.measuring import profile_array, profile_table


def profile(values: Any, kind: Any = None) -> ColumnProfile:
    [found] = profile_table(pa.table({"x": pa.array(values, kind)}))
    return found


def test_numbers_have_quantiles_with_counts() -> None:
    found = profile([*range(1000), None])
    assert (found.rows, found.nulls, found.distinct, found.minimum, found.maximum) == (1001, 1, 1000, 0, 999)
    assert found.mean == 499.5
    assert (len(found.edges), len(found.counts)) == (21, 20)
    assert all(45 <= count <= 55 for count in found.counts)


@given(
    st.lists(st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)), min_size=1, max_size=60)
)
def test_every_finite_number_is_in_one_bin(values: list[float | None]) -> None:
    found = profile(values, pa.float64())
    finite = [value for value in values if value is not None and np.isfinite(value)]
    assert sum(found.counts) == len(finite)
    assert list(found.edges) == sorted(found.edges)
    assert found.nulls == sum(value is None or bool(np.isnan(value)) for value in values)
    bins = zip(found.edges[:-1], found.edges[1:], found.counts, strict=True)
    for place, (low, high, count) in enumerate(bins):
        last = place == len(found.counts) - 1
        assert count == sum(low <= value < high or (last and value == high) for value in finite)


def test_one_value_is_one_bin() -> None:
    found = profile([7, 7, 7])
    assert (found.edges, found.counts, found.distinct) == ((7.0, 7.0), (3,), 1)


def test_numbers_of_few_different_values_have_their_counts_too() -> None:
    assert profile([3, 1, 1, None]).top == (("1", 2), ("3", 1))
    assert profile([1.0, 0.5, 1.0]).top == (("1", 2), ("0.5", 1))
    assert profile(range(21)).top == ()
    assert profile([float("nan"), 2.0, float("inf")]).top == (("2", 1),)


def test_texts_have_the_most_frequent_values() -> None:
    found = profile(["b"] * 3 + ["a"] * 3 + ["c"] + [None])
    assert found.top == (("a", 3), ("b", 3), ("c", 1))
    assert (found.other, found.nulls, found.distinct) == (0, 1, 3)
    few = profile([f"text {number % 50}" for number in range(1000)])
    assert (len(few.top), few.other, few.distinct, few.edges) == (50, 0, 50, ())
    many = profile([f"text {number % 200}" for number in range(1000)])
    assert (len(many.top), many.other, many.distinct) == (20, 900, 200)
    assert len(profile(["x" * 1000]).top[0][0]) == 100


def test_many_texts_have_the_quantiles_of_their_lengths() -> None:
    found = profile(["x" * number for number in range(1, 201)])
    assert (found.edges[0], found.edges[-1], sum(found.counts)) == (1, 200, 200)
    assert (found.minimum, found.maximum) == (None, None)


def test_categories_and_truth_values_are_counted_as_texts() -> None:
    assert profile(pa.array(["u", "v", "u"]).dictionary_encode()).top == (("u", 2), ("v", 1))
    assert profile([True, False, True, None]).top == (("true", 2), ("false", 1))


def test_times_have_texts_as_limits_and_seconds_as_edges() -> None:
    found = profile([date(1970, 1, 2), date(1970, 1, 4), None])
    assert (found.minimum, found.maximum, found.edges, found.counts) == (
        "1970-01-02",
        "1970-01-04",
        (86400.0, 259200.0),
        (2,),
    )
    stamps = profile(np.array(["1970-01-01T00:00:10"], dtype="datetime64[ms]"))
    assert stamps.edges == (10.0, 10.0)


@pytest.mark.parametrize("values", [[], [None, None], [[1], [2]], [{"a": 1}]])
def test_what_cannot_be_measured_has_its_type_and_its_nulls(values: list[Any]) -> None:
    found = profile(values)
    assert (found.rows, found.edges, found.top) == (len(values), (), ())
    assert found.nulls == values.count(None)


def test_many_distinct_values_are_not_counted() -> None:
    assert profile(range(10_000)).distinct == 10_000
    assert profile(range(10_001)).distinct is None


def test_an_array_is_one_column() -> None:
    [found] = profile_array(np.arange(6).reshape(2, 3))
    assert (found.type, found.rows, found.minimum, found.maximum) == ("int64[2 x 3]", 6, 0, 5)


def test_the_median_is_the_middle_value() -> None:
    [found] = profile_table(pa.table({"x": list(range(100))}))
    assert found.median == 49.5
