"""How requests are split: exactly, however many versions there are, and by a header's value."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.resources.services.local.routing_table import table_of
from kfnb.resources.services.local.split import Split, place_of
from kfnb.resources.services.model import Role, Target


@st.composite
def shares(draw: st.DrawFn) -> dict[int, int]:
    """Shares of 1 to 5 revisions that add up to 100."""
    cuts = sorted(draw(st.sets(st.integers(1, 99), max_size=4)))
    return {
        number: high - low for number, (low, high) in enumerate(zip([0, *cuts], [*cuts, 100], strict=True))
    }


@given(shares(), st.integers(0, 3))
def test_of_each_100_requests_each_gets_exactly_its_percent(wanted: dict[int, int], before: int) -> None:
    split = Split(wanted)
    for _ in range(100 * before):
        split.next()
    assert Counter(split.next() for _ in range(100)) == wanted


@given(st.sampled_from([1, 2, 4, 5, 10, 20, 25, 50]))
def test_the_requests_of_a_canary_are_spread_evenly(percent: int) -> None:
    split, block = Split({1: 100 - percent, 2: percent}), 100 // percent
    for _ in range(20):
        assert [split.next() for _ in range(block)].count(2) == 1


@pytest.mark.parametrize("percent", [1, 10, 50])
def test_traffic_with_a_rhythm_meets_both_versions(percent: int) -> None:
    split = Split({1: 100 - percent, 2: percent})
    every_tenth = Counter([split.next() for _ in range(100_000)][::10])
    assert every_tenth[2] / 10_000 == pytest.approx(percent / 100, abs=0.02 if percent > 1 else 0.006)


@given(st.text(), st.integers(1, 98), st.integers(1, 99))
def test_who_is_with_the_canary_stays_with_it_when_its_share_grows(
    value: str, percent: int, more: int
) -> None:
    place = place_of(value)
    assert 0 <= place < 100
    assert place == place_of(value)
    if place < percent:
        assert place < min(99, percent + more)


def test_values_are_spread_over_all_places() -> None:
    found = Counter(place_of(f"customer-{number}") for number in range(20_000))
    assert len(found) == 100
    assert max(found.values()) < 2 * min(found.values())


def target(number: int, percent: int, role: Role = "default") -> Target:
    return Target(number, "churn", number, f"digest{number}", role, percent)


DEFAULT, CANARY, SHADOW = target(1, 90), target(2, 10, "canary"), target(3, 0, "shadow")


def test_what_a_version_that_is_out_should_have_got_goes_to_the_others() -> None:
    targets, sockets = [DEFAULT, CANARY, SHADOW], {1: "r1", 2: "r2", 3: "r3"}
    assert table_of(1, targets, sockets, "").shares == {1: 90, 2: 10}
    assert table_of(1, targets, sockets, "X-Customer").sticky == "x-customer", "as headers are read"
    for gone, left in ({1}, {2: 100}), ({2}, {1: 100}), ({1, 2}, {}):
        some = {number: socket for number, socket in sockets.items() if number not in gone}
        assert table_of(1, targets, some, "").shares == left
