"""ADWIN (Bifet and Gavalda, 2007): a window over a stream that drops its older part when the mean has changed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_MOST_OF_SIZE = 5
"""Buckets of one size; two of them become one of twice the size when there are more."""
_CHECKED_EVERY = 32
_LEAST = 5


@dataclass(frozen=True)
class MeanChange:
    """A change of the mean, found at the value number ``at`` (from 0)."""

    at: int
    before: float
    after: float


@dataclass
class _Bucket:
    count: int
    total: float


class AdaptiveWindow:
    """Takes values from 0 to 1 one by one. ``confidence`` is the probability of a false change at each test."""

    def __init__(self, confidence: float = 0.002) -> None:
        self._confidence = confidence
        self._buckets: list[_Bucket] = []
        self._seen = 0

    @property
    def mean(self) -> float:
        """The mean of the window."""
        return _mean(self._buckets)

    def add(self, value: float) -> MeanChange | None:
        """Take a value; the change that is found by it, if one is."""
        self._buckets.append(_Bucket(1, value))
        self._compress()
        self._seen += 1
        return self._cut() if self._seen % _CHECKED_EVERY == 0 else None

    def _compress(self) -> None:
        """Merge the two oldest buckets of each size of which there are too many. The newest buckets are last."""
        size = 1
        while True:
            same = [place for place, one in enumerate(self._buckets) if one.count == size]
            if len(same) <= _MOST_OF_SIZE:
                return
            old, next_ = self._buckets[same[0]], self._buckets[same[1]]
            self._buckets[same[0] : same[1] + 1] = [_Bucket(2 * size, old.total + next_.total)]
            size *= 2

    def _cut(self) -> MeanChange | None:
        """Drop the older buckets whose mean differs from that of the rest; how far the mean moved by that."""
        before = None
        while (place := self._differs()) is not None:
            before = _mean(self._buckets[:place]) if before is None else before
            del self._buckets[:place]
        return None if before is None else MeanChange(self._seen - 1, before, self.mean)

    def _differs(self) -> int | None:
        """Before which bucket the window has to be cut; None if nowhere."""
        whole = sum(one.count for one in self._buckets)
        total = math.fsum(one.total for one in self._buckets)
        mean = total / whole
        variance = mean * (1 - mean)
        count, amount = 0, 0.0
        for place, one in enumerate(self._buckets[:-1], start=1):
            count, amount = count + one.count, amount + one.total
            rest = whole - count
            if min(count, rest) < _LEAST:
                continue
            if abs(amount / count - (total - amount) / rest) > self._bound(count, rest, variance):
                return place
        return None

    def _bound(self, count: int, rest: int, variance: float) -> float:
        share = 1 / count + 1 / rest
        logarithm = math.log(2 * math.log(count + rest) / self._confidence)
        return math.sqrt(2 * share * variance * logarithm) + 2 / 3 * share * logarithm


def _mean(buckets: Sequence[_Bucket]) -> float:
    """The mean of all values of some buckets; 0 of none."""
    count = sum(one.count for one in buckets)
    return math.fsum(one.total for one in buckets) / count if count else 0.0
