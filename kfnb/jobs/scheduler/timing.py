"""When the ticks of a schedule are: by cron or at intervals, and between which times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import floor

from kfnb.text.cron import Cron
from kfnb.text.timezones import zone_of

COUNTED = 10_000
"""The maximum of missed ticks of a cron that are counted one by one."""


@dataclass(frozen=True)
class Due:
    """The ticks of a span of time: how many, the first and the last, and the one before that."""

    count: int
    first: float
    last: float
    before_last: float


@dataclass(frozen=True)
class Timing:
    """When ticks are: by ``cron`` (KFP's, see ``kfnb.text.cron``) on the clock of ``zone``, or ``every`` many seconds.

    Intervals are counted from ``anchor``, so that they do not drift. Ticks begin at ``start`` and stop at ``end``.
    With ``catch_up``, ticks that were missed are made up for, once for all of them.
    """

    cron: str = ""
    every: float = 0.0
    anchor: float = 0.0
    zone: str = "UTC"
    start: float | None = None
    end: float | None = None
    catch_up: bool = True

    @cached_property
    def _next(self) -> Cron:
        return Cron.read(self.cron)

    def next(self, after: float) -> float | None:
        """The first tick after a time; None if there is none."""
        if self.start is not None and after < self.start:
            after = self.start - 1e-6  # the start itself counts
        found = self._next.after(after, zone_of(self.zone)) if self.cron else self._interval(after)
        return None if found is None or (self.end is not None and found > self.end) else found

    def due(self, after: float, until: float) -> Due | None:
        """The ticks after one time and until another; None if there are none. A cron's are counted to ``COUNTED``."""
        first = self.next(after)
        if first is None or first > until:
            return None
        last = min(until, until if self.end is None else self.end)
        if not self.cron:
            many = floor((last - first) / self.every) + 1
            newest = first + (many - 1) * self.every
            return Due(many, first, newest, max(first, newest - self.every))
        return self._counted(first, last)

    def _interval(self, after: float) -> float:
        return self.anchor + (floor((after - self.anchor) / self.every) + 1) * self.every

    def _counted(self, first: float, until: float) -> Due:
        count, before, newest = 0, first, first
        for tick in self._ticks(first, until):
            count, before, newest = count + 1, newest, tick
            if count == COUNTED:
                return Due(count, first, *self._newest(until))
        return Due(count, first, newest, before)

    def _ticks(self, first: float | None, until: float) -> Iterator[float]:
        while first is not None and first <= until:
            yield first
            first = self.next(first)

    def _newest(self, until: float) -> tuple[float, float]:
        """The last tick of many until a time, and the one before."""
        back, found = 1.0, [0.0]
        while len(found) <= 1:
            found = list(self._ticks(self.next(until - back), until))
            back *= 2
        return found[-1], found[-2]
