"""Requests that come while the model computes are predicted together, where that is quicker and gives the same."""

from __future__ import annotations

import asyncio
import time
from threading import Lock

import pytest

from kfnb.server.batching import Batcher, Busy, gains_from_batches
from kfnb.server.column_reader import InputRows
from kfnb.server.findings import Findings, OnBadInput
from kfnb.server.predictor import ModelFailed


def rows(*values: float) -> InputRows:
    return InputRows(len(values), (list(values),), Findings(OnBadInput.REJECT))


class Doubling:
    """Doubles numbers, in a time of its own for each call; 13 is an error."""

    def __init__(self, seconds: float = 0.02, each: float = 0.0) -> None:
        self.seconds, self.each = seconds, each
        self.calls: list[int] = []

    def __call__(self, batch):
        self.calls.append(len(batch))
        values = [value for one in batch for value in one.parts[0]]
        time.sleep(self.seconds + self.each * len(values))
        if 13 in values:
            raise ModelFailed("model", ValueError("13"), "")
        return [[2 * value for value in one.parts[0]] for one in batch]


def ask_at_once(batcher: Batcher, requests):
    async def run():
        return await asyncio.gather(*map(batcher.predict, requests), return_exceptions=True)

    return asyncio.run(run())


def test_each_request_gets_its_own_predictions_in_few_calls():
    compute = Doubling()
    found = ask_at_once(Batcher(compute, Lock(), together=True), [rows(n, n + 0.5) for n in range(20, 70)])
    assert found == [[2 * n, 2 * n + 1.0] for n in range(20, 70)]
    assert len(compute.calls) <= 3


def test_a_model_that_gains_nothing_is_asked_for_each_request():
    compute = Doubling(0.001)
    found = ask_at_once(Batcher(compute, Lock(), together=False), [rows(n) for n in range(9)])
    assert found == [[2 * n] for n in range(9)]
    assert compute.calls == [1] * 9


def test_one_request_waits_for_no_other():
    compute = Doubling(0.0)
    began = time.perf_counter()
    assert ask_at_once(Batcher(compute, Lock(), together=True), [rows(1)]) == [[2]]
    assert time.perf_counter() - began < 30  # it does not wait until there are more
    assert compute.calls == [1]


def test_an_error_is_that_of_the_request_whose_rows_raise_it():
    found = ask_at_once(Batcher(Doubling(), Lock(), together=True), [rows(n) for n in (1, 13, 3)])
    assert (found[0], found[2]) == ([2], [6])
    assert isinstance(found[1], ModelFailed)


def test_a_batch_has_no_more_rows_than_are_quick():
    compute = Doubling()
    ask_at_once(Batcher(compute, Lock(), together=True), [rows(*range(500)) for _ in range(6)])
    assert max(compute.calls) <= 2


def test_more_requests_than_may_wait_are_refused():
    found = ask_at_once(
        Batcher(Doubling(), Lock(), together=True, most_waiting=5), [rows(n) for n in range(9)]
    )
    assert sum(isinstance(one, Busy) for one in found) == 4
    assert found[:5] == [[2 * n] for n in range(5)]


def test_a_request_whose_client_has_gone_is_not_predicted():
    compute, lock = Doubling(0.0), Lock()
    batcher = Batcher(compute, lock, together=False)

    async def run():
        with lock:  # the first cannot be predicted yet
            first, gone, last = (asyncio.ensure_future(batcher.predict(rows(n))) for n in range(3))
            await asyncio.sleep(0.01)
            gone.cancel()
            await asyncio.sleep(0)
        return await asyncio.gather(first, gone, last, return_exceptions=True)

    found = asyncio.run(run())
    assert (found[0], found[2]) == ([0], [4])
    assert len(compute.calls) == 2


def test_the_model_does_not_compute_while_the_lock_is_held():
    lock = Lock()
    batcher = Batcher(Doubling(0.0), lock, together=True)

    async def run():
        with lock:
            waiting = asyncio.ensure_future(batcher.predict(rows(1)))
            await asyncio.sleep(0.1)
            assert not waiting.done()
        return await waiting

    assert asyncio.run(run()) == [2]


class Clock:
    """A clock that a model moves on as it computes."""

    def __init__(self, call: float, row: float) -> None:
        self.now, self.call, self.row = 0.0, call, row

    def __call__(self, batch):
        self.now += self.call + self.row * len(batch)
        return [list(one.parts[0]) for one in batch]


@pytest.mark.parametrize(
    ("call", "row", "gains"),
    [
        (0.005, 0.0, True),
        (0.0, 0.005, False),
        (0.003, 0.003, True),
        (0.001, 0.005, False),
        (0.5, 0.0, True),
        (2.0, 0.0, False),
    ],
    ids=["a call costs", "a row costs", "both", "a call costs little", "slow", "too slow to try"],
)
def test_whether_batches_gain_is_measured(call, row, gains, monkeypatch: pytest.MonkeyPatch):
    clock = Clock(call, row)
    monkeypatch.setattr("kfnb.server.batching.time.perf_counter", lambda: clock.now)
    assert gains_from_batches(clock, [rows(n) for n in range(8)]) is gains
    assert clock.now <= 4


def test_a_model_that_predicts_otherwise_in_a_batch_gains_nothing():
    def ranks(batch):
        time.sleep(0.001)
        values = [value for one in batch for value in one.parts[0]]
        return [[values.index(value) for value in one.parts[0]] for one in batch]

    assert not gains_from_batches(ranks, [rows(n) for n in range(8)])


def test_a_model_that_fails_gains_nothing():
    assert not gains_from_batches(Doubling(), [rows(13), rows(13)])
