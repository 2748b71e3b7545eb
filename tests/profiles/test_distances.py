"""Distances of a window from a reference: the figures are scipy's, and chance alone does not pass the limit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from kfnb.capture.embedded.chance import kfnb_chi2_quantile, kfnb_chi2_tail, kfnb_drift_limit
from kfnb.capture.embedded.counting import kfnb_Counter
from kfnb.capture.embedded.distances import (
    kfnb_bin_shares,
    kfnb_cumulative,
    kfnb_distances,
    kfnb_drift_score,
    kfnb_jensen_shannon,
)
from kfnb.capture.embedded.profiles import kfnb_profile


def distances(reference: Any, window: Any) -> dict[str, dict[str, Any]]:
    """By column, how far a window that is counted into the reference's bins is from the reference."""
    known = kfnb_profile(reference)
    counter = kfnb_Counter(known)
    counter.add(window)
    return {one["name"]: one for one in kfnb_distances(known, counter.profile())}


def normal(count: int, shift: float = 0.0, seed: int = 0) -> pd.DataFrame:
    return pd.DataFrame({"x": np.random.default_rng(seed).normal(shift, size=count)})


@pytest.mark.parametrize("freedom", [1, 2, 5, 20, 100, 1000])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99, 0.9999, 0.999999])
def test_chi_squared_is_that_of_scipy(freedom: int, share: float) -> None:
    value = stats.chi2.ppf(share, freedom)
    assert kfnb_chi2_quantile(share, freedom) == pytest.approx(value, rel=1e-8)
    assert kfnb_chi2_tail(value, freedom) == pytest.approx(stats.chi2.sf(value, freedom), rel=1e-9)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=25))
def test_the_jensen_shannon_distance_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    old, new = (np.array(one, dtype=float) + 0.5 for one in zip(*pairs, strict=True))
    old, new = old / old.sum(), new / new.sum()
    found = kfnb_jensen_shannon(list(old), list(new))
    assert found == pytest.approx(float(np.nan_to_num(jensenshannon(old, new, base=2))), abs=1e-7)


@pytest.mark.parametrize("shift", [0.0, 0.3, 5.0])
def test_ks_and_wasserstein_are_those_of_scipy_on_the_bins(shift: float) -> None:
    """Of values that are even within each bin, as many as each bin has."""
    reference, window = normal(2000), normal(1500, shift, seed=1)
    found = distances(reference, window)["x"]
    known = kfnb_profile(reference)
    counter = kfnb_Counter(known)
    counter.add(window)
    points, old, new = kfnb_cumulative(known["columns"][0], counter.profile()["columns"][0])
    fine = [np.interp(np.linspace(0, 1, 200_001), one, points) for one in (old, new)]
    assert found["wasserstein"] == pytest.approx(stats.wasserstein_distance(*fine), rel=1e-3)
    assert found["ks"] == pytest.approx(stats.ks_2samp(*fine).statistic, abs=1e-3)


@pytest.mark.parametrize("shift", [0.1, 0.5])
def test_the_bins_tell_what_the_values_tell(shift: float) -> None:
    reference, window = normal(20_000), normal(20_000, shift, seed=1)
    found = distances(reference, window)["x"]
    assert found["ks"] == pytest.approx(stats.ks_2samp(reference.x, window.x).statistic, abs=0.01)
    assert found["wasserstein"] == pytest.approx(stats.wasserstein_distance(reference.x, window.x), rel=0.15)


def test_psi_is_that_of_its_formula() -> None:
    found = distances({"x": ["a"] * 300 + ["b"] * 700}, {"x": ["a"] * 500 + ["b"] * 500})["x"]
    assert found["psi"] == pytest.approx(0.2 * np.log(0.5 / 0.3) - 0.2 * np.log(0.5 / 0.7))


def test_a_profile_measured_by_itself_is_compared_as_well_as_one_counted() -> None:
    reference, window = kfnb_profile(normal(5000)), normal(5000, 0.5, seed=1)
    counter = kfnb_Counter(reference)
    counter.add(window)
    [counted] = kfnb_distances(reference, counter.profile())
    [measured] = kfnb_distances(reference, kfnb_profile(window))
    for name in ("psi", "js", "ks", "wasserstein"):
        assert measured[name] == pytest.approx(counted[name], rel=0.2), name


@pytest.mark.parametrize("rows", [200, 1000, 5000])
def test_chance_alone_passes_the_limit_rarely(rows: int) -> None:
    reference = kfnb_profile(pd.DataFrame(np.random.default_rng(9).normal(size=(5000, 5))))
    passed = 0
    for seed in range(100):
        counter = kfnb_Counter(reference)
        counter.add(pd.DataFrame(np.random.default_rng(seed).normal(size=(rows, 5))))
        passed += any(one["psi"] > one["limit"] for one in kfnb_distances(reference, counter.profile()))
    assert passed <= 4


def test_a_shift_passes_the_limit() -> None:
    found = distances(normal(5000), normal(1000, 0.6, seed=1))["x"]
    assert found["psi"] > found["limit"] == 0.2


def test_the_limit_is_wider_for_few_rows() -> None:
    assert kfnb_drift_limit(20, (5000, 5000)) == 0.2
    assert kfnb_drift_limit(20, (5000, 200), 15) == pytest.approx(
        stats.chi2.ppf(1 - 0.01 / 15, 19) * (1 / 5000 + 1 / 200)
    )


def test_under_200_rows_nothing_is_said() -> None:
    assert not distances(normal(5000), normal(199))["x"]["enough"]
    assert not distances(normal(10), normal(5000))["x"]["enough"]
    assert distances(normal(200), normal(200))["x"]["enough"]


def test_new_and_gone_categories_are_named() -> None:
    found = distances({"x": ["a"] * 100 + ["b"] * 100 + ["c"]}, {"x": ["a"] * 150 + ["d"] * 50 + ["e"]})["x"]
    assert found["unseen"] == [("d", 50), ("e", 1)]
    assert found["gone"] == ["b"]  # c was too rare to be expected


def test_nulls_and_mistyped_values_are_shares_and_bins_of_their_own() -> None:
    found = distances({"x": [*range(1000)]}, {"x": [*range(600), *[None] * 300, *["?"] * 100]})["x"]
    assert (found["nulls"], found["mistyped"]) == ((0.0, 0.3), 0.1)
    assert found["psi"] > 1


def test_lengths_tell_of_texts_with_many_values() -> None:
    reference = {"x": [f"text {number}" for number in range(1000)]}
    window = {"x": [f"a much longer text {number}" for number in range(1000)]}
    assert distances(reference, reference)["x"]["psi"] < 0.01
    assert distances(reference, window)["x"]["psi"] > 1


def test_flags_are_compared_by_value() -> None:
    found = distances({"x": [0] * 700 + [1] * 300}, {"x": [0] * 300 + [1] * 700})["x"]
    assert found["psi"] == pytest.approx(0.8 * np.log(7 / 3))


def test_times_do_not_drift() -> None:
    days = pd.date_range("2024-01-01", periods=300)
    found = distances(pd.DataFrame({"x": days}), pd.DataFrame({"x": days + pd.Timedelta(days=400)}))["x"]
    assert (found["psi"], found["outside"]) == (None, 1.0)


def test_missing_and_extra_columns_are_named() -> None:
    found = distances({"x": [1, 2], "y": [1, 2]}, {"x": [1, 2], "z": [1, 2]})
    assert {name: one["change"] for name, one in found.items()} == {"x": "", "y": "missing", "z": "extra"}


def test_a_column_that_is_all_null_in_the_window_is_far_away() -> None:
    found = distances({"x": [1.0, 2.0] * 200}, {"x": [None] * 400})["x"]
    assert found["psi"] > 1
    assert found["ks"] is None


@pytest.mark.parametrize("values", [[5.0] * 300, [None] * 300, [[1]] * 300, [float("inf")] * 300])
def test_a_column_without_a_distribution_is_no_distance_from_itself(values: list[Any]) -> None:
    found = distances({"x": values}, {"x": values})["x"]
    assert found["psi"] == pytest.approx(0, abs=1e-9)


def test_the_score_of_a_model_is_weighted_by_importance() -> None:
    reference = pd.DataFrame(np.random.default_rng(0).normal(size=(2000, 20))).rename(columns=str)
    window = pd.DataFrame(np.random.default_rng(1).normal(size=(2000, 20))).rename(columns=str)
    window["3"] += 10
    found = list(distances(reference, window).values())
    assert kfnb_drift_score(found, {"3": 1.0}) == 1.0
    assert kfnb_drift_score(found, {"4": 1.0}) == pytest.approx(0, abs=0.05)
    assert kfnb_drift_score(found, {"3": 0.5, "4": 0.5}) == pytest.approx(0.5, abs=0.05)
    assert kfnb_drift_score(found, {}) is None
    missing = list(distances(reference, window.drop(columns="3")).values())
    assert kfnb_drift_score(missing, {"3": 1.0}) == 1.0


def test_shares_add_up() -> None:
    reference = kfnb_profile(normal(500))["columns"][0]
    for one in kfnb_bin_shares(reference, reference)[0]:
        assert sum(one) == pytest.approx(1)
