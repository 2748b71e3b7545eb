"""Whether a canary fails more often than the default: an honest answer, or that there are not enough requests yet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact
from service_samples import counted, revision, service, with_canary

from kfnb.entities.proportions import Proportion, difference, probability_of_chance, requests_needed
from kfnb.resources.services.comparison import LEVEL, MARGIN, CanaryComparison, comparison_of


@st.composite
def proportions(draw: st.DrawFn, most: int = 400) -> Proportion:
    total = draw(st.integers(0, most))
    return Proportion(draw(st.integers(0, total)), total)


def compared(canary: Proportion, default: Proportion) -> CanaryComparison:
    """The comparison of a service whose versions counted so much since both are served, and other things before."""
    found = comparison_of(
        service(
            revision(
                1,
                3,
                "default",
                99,
                counted(5000 + default.total, 700 + default.count, paired=(5000, 700)),
            ),
            revision(2, 7, "canary", 1, counted(40 + canary.total, 9 + canary.count, paired=(40, 9))),
        )
    )
    assert found is not None
    return found


@given(proportions(), proportions())
@settings(deadline=None)
def test_the_test_is_fishers(one: Proportion, other: Proportion) -> None:
    table = [[each.count, each.total - each.count] for each in (one, other)]
    expected = fisher_exact(table)[1]
    assert probability_of_chance(one, other) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_a_million_requests_take_no_longer_than_is_probable_of_them() -> None:
    weights = probability_of_chance(Proportion(50_400, 500_000), Proportion(50_000, 500_000))
    assert weights == pytest.approx(0.18, abs=0.02)
    assert probability_of_chance(Proportion(60_000, 500_000), Proportion(50_000, 500_000)) == 0.0


@given(proportions())
def test_an_interval_has_the_share_that_was_seen(one: Proportion) -> None:
    low, high = one.interval
    assert 0 <= low <= high <= 1
    assert one.total == 0 or low - 1e-12 <= one.rate <= high + 1e-12


def test_of_no_error_in_200_the_interval_reaches_to_2_percent() -> None:
    assert Proportion(0, 200).interval == pytest.approx((0.0, 0.0188), abs=1e-4)
    assert Proportion(0, 0).interval == (0.0, 1.0), "of nothing, nothing is known"


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.5])
@pytest.mark.parametrize("times", [1, 100])
def test_as_many_requests_as_needed_rule_a_point_out_and_fewer_do_not(rate: float, times: int) -> None:
    needed = requests_needed(rate, MARGIN, 1 / times)
    for total, enough in ((needed + 50 - needed % 50, True), (needed - 1 - (needed - 1) % 50, False)):
        canary = Proportion(round(rate * total), total)
        default = Proportion(times * canary.count, times * total)
        assert (difference(canary, default)[1] < MARGIN) == enough


def test_without_errors_some_400_requests_are_needed() -> None:
    assert requests_needed(0.0, MARGIN, 0.001) == pytest.approx(381, abs=2)


def test_a_canary_that_is_worse_by_a_point_is_seldom_called_the_same() -> None:
    draw = np.random.default_rng(3)
    called = [
        compared(
            Proportion(int(draw.binomial(2000, 0.03)), 2000),
            Proportion(int(draw.binomial(20_000, 0.02)), 20_000),
        ).verdict
        for _ in range(1000)
    ]
    assert called.count("same") < 40


def test_versions_that_are_the_same_are_seldom_called_different() -> None:
    draw = np.random.default_rng(2)
    alarms = sum(
        probability_of_chance(
            Proportion(int(draw.binomial(300, 0.03)), 300), Proportion(int(draw.binomial(9000, 0.03)), 9000)
        )
        < LEVEL
        for _ in range(1000)
    )
    assert alarms <= 1000 * LEVEL * 1.5


def test_a_few_requests_are_not_enough() -> None:
    found = compared(Proportion(0, 2), Proportion(0, 198))
    assert found.verdict == "too few"
    assert 300 < found.needed < 500


def test_a_canary_that_plainly_fails_needs_no_more_requests() -> None:
    assert compared(Proportion(5, 20), Proportion(0, 2000)).verdict == "worse"


def test_a_canary_that_fails_less_often_is_better() -> None:
    assert compared(Proportion(0, 500), Proportion(2000, 50_000)).verdict == "better"


def test_enough_requests_without_a_difference_are_the_same() -> None:
    assert compared(Proportion(3, 1200), Proportion(300, 120_000)).verdict == "same"


def test_enough_requests_that_do_not_decide_it_leave_it_open() -> None:
    found = compared(Proportion(190, 3000), Proportion(550, 10_000))
    assert (found.verdict, found.canary.total > found.needed) == ("open", True)


@given(proportions(), proportions())
@settings(deadline=None)
def test_only_what_was_counted_since_both_are_served_counts(canary: Proportion, default: Proportion) -> None:
    found = compared(canary, default)
    assert (found.canary, found.default) == (canary, default)
    assert found.needed > 0


def test_without_a_canary_or_a_common_beginning_nothing_is_compared() -> None:
    now = with_canary()
    assert comparison_of(now) is not None
    alone = replace(now.desired, targets=now.desired.targets[:1])
    assert comparison_of(replace(now, desired=alone)) is None
    default, canary = now.revisions
    assert canary.counters.paired is not None
    for paired in (None, replace(canary.counters.paired, at=1.0)):
        other = replace(canary, counters=replace(canary.counters, paired=paired))
        assert comparison_of(replace(now, revisions=(default, other))) is None
