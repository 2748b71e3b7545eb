"""Predictions are made in one thread; requests that come meanwhile are predicted together, where that is quicker."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

from kfnb.server.column_reader import InputRows
from kfnb.server.differences import alike
from kfnb.server.predictor import ModelFailed

_MOST_ROWS = 1024
"""Rows that are predicted together, of several requests."""
_TRIED = 8
"""Rows with which is found out whether a model gains from batches."""
_QUICK = 0.05
"""Seconds for a prediction, from which on it is tried with 2 rows alone."""
_SLOW = 1.0
"""Seconds for a prediction, from which on batches are not tried, as the server should begin."""
_GAIN = 0.7
"""Share of the time of single predictions that a batch may take."""

_ROUNDING = 1e-9
"""Share by which a number may differ in a batch: libraries add up in another order there."""

Compute = Callable[[Sequence[InputRows]], list[Any]]
"""Predicts the rows of several requests, and gives the predictions of each."""


class Busy(Exception):
    """More requests wait than are kept."""


class Batcher:
    """Predicts the rows of requests in their order. ``lock`` is held while the model computes."""

    def __init__(self, compute: Compute, lock: Lock, *, together: bool, most_waiting: int = 1000) -> None:
        self.together = together
        self.batches = self.requests = 0
        self._compute, self._lock, self._most_waiting = compute, lock, most_waiting
        self._thread = ThreadPoolExecutor(1, "predict")
        self._waiting: deque[tuple[InputRows, asyncio.Future[Any]]] = deque()
        self._running: asyncio.Task[None] | None = None

    async def predict(self, rows: InputRows) -> Any:
        """The predictions for the rows of a request. Raises ``Busy``, ``ModelFailed``."""
        if len(self._waiting) >= self._most_waiting:
            raise Busy
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((rows, future))
        if self._running is None:
            self._running = loop.create_task(self._run())
        return await future

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while batch := self._next():
                self.batches, self.requests = self.batches + 1, self.requests + len(batch)
                found = await loop.run_in_executor(self._thread, self._outcomes, [rows for rows, _ in batch])
                for (_, future), outcome in zip(batch, found, strict=True):
                    if future.done():  # its client has gone
                        continue
                    if isinstance(outcome, Exception):
                        future.set_exception(outcome)
                    else:
                        future.set_result(outcome)
        finally:
            self._running = None

    def _next(self) -> list[tuple[InputRows, asyncio.Future[Any]]]:
        batch: list[tuple[InputRows, asyncio.Future[Any]]] = []
        count = 0
        while self._waiting and (
            not batch or (self.together and count + self._waiting[0][0].count <= _MOST_ROWS)
        ):
            rows, future = self._waiting.popleft()
            if not future.done():
                batch.append((rows, future))
                count += rows.count
        return batch

    def _outcomes(self, batch: Sequence[InputRows]) -> list[Any]:
        """The predictions of each request, or the error that its own rows raise."""
        try:
            with self._lock:
                return self._compute(batch)
        except Exception as error:
            if len(batch) == 1:
                return [error]
        return [outcome for rows in batch for outcome in self._outcomes([rows])]


def gains_from_batches(compute: Compute, rows: Sequence[InputRows]) -> bool:
    """Whether a model predicts the rows of several requests together as it does alone, in less time."""
    if len(rows) < 2:  # noqa: PLR2004 - several
        return False
    try:
        compute(rows[:1])  # what is imported or compiled by the first call does not count
        single, _ = _seconds(compute, rows[:1])
        if single > _SLOW:
            return False
        tried = rows[: _TRIED if single < _QUICK else 2]
        compute(tried)
        spent, together = _seconds(compute, tried)
        singles = [_seconds(compute, [one]) for one in tried]
    except ModelFailed:
        return False
    alone = [found for _, (found,) in singles]
    return alike(together, alone, _ROUNDING) and spent < _GAIN * sum(seconds for seconds, _ in singles)


def _seconds(compute: Compute, rows: Sequence[InputRows]) -> tuple[float, list[Any]]:
    began = time.perf_counter()
    found = compute(rows)
    return time.perf_counter() - began, found
