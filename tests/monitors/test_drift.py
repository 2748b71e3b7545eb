"""Drift: silent on streams that do not change, and soon there on those that do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from streams import alarms, findings, plain, reference_of, seasonal

from kfnb.capture.embedded.profiles import kfnb_profile
from kfnb.resources.monitors.drift import column_drifts, drift_score
from kfnb.resources.monitors.model import Rule
from kfnb.resources.monitors.reference import MonitorReference
from kfnb.resources.monitors.rules import RuleOptions

DRIFT = [Rule("drift", 0.2)]


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(1000, 1000), (200, 5000)], ids=["equal", "unequal"])
def test_a_thousand_days_without_drift_are_at_most_ten_alarms(sizes: tuple[int, int]) -> None:
    random = np.random.default_rng(7)
    reference = reference_of(plain(random, 10_000, 0))
    days = (plain(random, int(random.integers(sizes[0], sizes[1] + 1)), day) for day in range(1000))
    assert sum(alarms(findings(reference, days, DRIFT))) <= 10


@pytest.mark.slow
def test_seasons_are_not_drift_with_several_reference_windows() -> None:
    random = np.random.default_rng(11)
    year = pd.concat([seasonal(random, 300, day) for day in range(365)], ignore_index=True)
    known = alarms(
        findings(reference_of(year, 12), (seasonal(random, 1000, day) for day in range(1000)), DRIFT)
    )
    assert sum(known) <= 10
    unknown = alarms(findings(reference_of(year), (seasonal(random, 1000, day) for day in range(365)), DRIFT))
    assert sum(unknown) > 100, "one reference window does not know the seasons"


@pytest.mark.slow
@pytest.mark.parametrize("rows", [200, 300, 1000])
def test_a_small_baseline_that_is_unusual_by_chance_is_no_alarm(rows: int) -> None:
    for seed in range(4):
        random = np.random.default_rng(seed)
        reference = reference_of(plain(random, rows, 0))
        reference = replace(reference, importances={"x1": 0.7, "amount": 0.3})
        days = [plain(random, int(random.integers(200, 2000)), day) for day in range(50)]
        for rule in RuleOptions(drift=0.2, score=0.2).rules():
            assert not any(alarms(findings(reference, days, [rule]))), (seed, rule)


def moved(rows: pd.DataFrame) -> None:
    rows["x3"] += 0.3


def gone(rows: pd.DataFrame) -> None:
    rows.loc[rows.place == "west", "place"] = "east"


def new(rows: pd.DataFrame) -> None:
    rows.loc[rows.index % 40 == 0, "place"] = "centre"


def unit(rows: pd.DataFrame) -> None:
    rows["amount"] *= 100


def gaps(rows: pd.DataFrame) -> None:
    rows.loc[rows.index % 19 == 0, "gaps"] = np.nan


def dead(rows: pd.DataFrame) -> None:
    rows["x7"] = 0.0


def empty(rows: pd.DataFrame) -> None:
    rows["x7"] = np.nan


@pytest.mark.parametrize("change", [moved, gone, new, unit, gaps, dead, empty])
@pytest.mark.parametrize("seed", range(4))
def test_a_change_is_an_alarm_within_two_windows(change: Callable[[pd.DataFrame], None], seed: int) -> None:
    random = np.random.default_rng(seed)
    reference = reference_of(plain(random, 10_000, 0))
    days = [plain(random, 1000, day) for day in range(4)]
    for one in days[2:]:
        change(one)
    assert alarms(findings(reference, days, DRIFT)) == [False, False, False, True]


def test_few_rows_say_nothing() -> None:
    random = np.random.default_rng(1)
    reference = reference_of(plain(random, 10_000, 0))
    few = plain(random, 199, 0)
    few["x1"] += 5
    assert list(findings(reference, [few, few, few], DRIFT)) == [None, None, None]


def test_the_score_follows_what_the_model_depends_on() -> None:
    random = np.random.default_rng(3)
    base = plain(random, 10_000, 0)
    weights = {"x1": 0.9, "x2": 0.1}
    reference = MonitorReference("data@1", "model@1", kfnb_profile(base), importances=weights)
    other = plain(random, 1000, 0)
    other["x9"] += 10
    assert (drift_score(reference, kfnb_profile(other)) or 0) < 0.05, "the model does not depend on x9"
    other["x1"] += 10
    assert (drift_score(reference, kfnb_profile(other)) or 0) > 0.8
    first, second, *_ = column_drifts(reference, kfnb_profile(other), DRIFT)
    assert (first.name, second.name) == ("x1", "x2"), "what matters is first"


def test_a_column_may_have_its_own_limit() -> None:
    random = np.random.default_rng(5)
    reference = reference_of(plain(random, 10_000, 0))
    window = plain(random, 1000, 0)
    window["x1"] += 0.6
    columns = {
        one.name: one
        for one in column_drifts(
            reference, kfnb_profile(window), [Rule("drift", 0.2), Rule("drift", 2.0, "x1")]
        )
    }
    assert (columns["x1"].limit, columns["x2"].limit) == (2.0, 0.2)
    assert not columns["x1"].exceeded


def test_a_column_that_is_missing_has_drifted() -> None:
    random = np.random.default_rng(5)
    reference = reference_of(plain(random, 10_000, 0))
    window = plain(random, 1000, 0).drop(columns="x1")
    (first,) = [one for one in column_drifts(reference, kfnb_profile(window), DRIFT) if one.name == "x1"]
    assert (first.exceeded, first.reasons) == (True, ("the column is missing",))
