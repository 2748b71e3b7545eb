"""Samples of what is counted: enough for a chart of the last minutes and for a comparison, and bounded."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kfnb.resources.services.local.samples import SPAN, STEP, Samples

_MOST = int(SPAN / STEP) + 2


def counted(requests: int, failed: int = 0) -> dict[str, object]:
    return {"requests": requests, "errors": {"500": failed} if failed else {}}


@given(st.lists(st.floats(0.5, 30.0), min_size=1, max_size=400))
def test_there_are_samples_of_the_last_minutes_and_no_more(pauses: list[float]) -> None:
    samples, at = Samples({}), 1000.0
    for number, pause in enumerate(pauses):
        at += pause
        samples.take(at, {1: counted(number)}, None)
    kept = samples.of(1)["recent"]
    assert kept[-1][1] == len(pauses) - 1, "the last is what is known now"
    assert len(kept) <= _MOST
    assert all(one[0] < other[0] for one, other in pairwise(kept))
    assert all(other[0] - one[0] >= STEP - 0.11 for one, other in pairwise(kept[:-1]))
    assert len(kept) < 3 or kept[1][0] >= at - SPAN - 0.1


def test_a_rest_without_requests_is_no_slope() -> None:
    samples = Samples({})
    for number in range(100):
        samples.take(1000.0 + 2 * number, {1: counted(max(0, number - 90))}, None)
    kept = samples.of(1)["recent"]
    rising = [other[0] - one[0] for one, other in pairwise(kept) if other[1] > one[1]]
    assert max(rising) < 2 * STEP


def test_a_clock_that_is_set_back_leaves_the_samples_in_order() -> None:
    samples = Samples({})
    for at in (1000.0, 1010.0, 1020.0, 1005.0, 1015.0):
        samples.take(at, {1: counted(1)}, None)
    assert [one[0] for one in samples.of(1)["recent"]] == [1000.0, 1005.0, 1015.0]


def test_a_new_pair_begins_at_one_moment_and_keeps_it() -> None:
    samples = Samples({})
    samples.take(1.0, {1: counted(100, 3)}, None)
    assert "paired" not in samples.of(1)
    samples.take(3.0, {1: counted(200, 4), 2: counted(5)}, (1, 2))
    samples.take(5.0, {1: counted(300, 9), 2: counted(8)}, (1, 2))
    assert samples.of(1)["paired"] == [3.0, 200, 4]
    assert samples.of(2)["paired"] == [3.0, 5, 0]
    samples.take(7.0, {1: counted(400), 2: counted(9)}, None)
    samples.take(9.0, {1: counted(500), 2: counted(9)}, (1, 2))
    assert samples.of(1)["paired"] == [3.0, 200, 4], "a canary that starts again is the same"
    samples.take(11.0, {1: counted(600), 3: counted(0)}, (1, 3))
    assert [samples.of(number)["paired"][0] for number in (1, 3)] == [11.0, 11.0]
    assert samples.of(2) == {"recent": []}, "nothing is kept of a revision that is gone"


def test_what_was_written_goes_on_after_a_restart() -> None:
    before = Samples({})
    for at in (1.0, 7.0):
        before.take(at, {1: counted(10), 2: counted(1)}, (1, 2))
    known = {number: {**counted(10), **before.of(number)} for number in (1, 2)}
    after = Samples(known)
    after.take(500.0, {1: counted(12), 2: counted(2)}, (1, 2))
    assert after.of(1)["paired"][0] == 1.0
    assert after.of(1)["recent"][-1] == [500.0, 12, 0]
