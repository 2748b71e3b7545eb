"""Cron: when a schedule in KFP's cron runs, on the clock of a time zone.

Of six fields the first is the second; crontab's five get second 0. As in cron everywhere, a day fits where the day of
the month or that of the week does, if both are given.

Where the hands of the clock move, times of an hour that is given (``30 2 * * *``) happen once a day: those that are
left out, at the moment of the change; those that come twice, the first time. A schedule of all hours continues evenly.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from math import floor

from kfnb.errors import UsageError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("second", 0, 59, ()),
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 6, _DAYS),
)
_NAMED = {
    "@hourly": "0 0 * * * *",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@weekly": "0 0 0 * * 0",
    "@monthly": "0 0 0 1 * *",
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
}
_PART = re.compile(r"(\*|\?|(\w+)(?:-(\w+))?)(?:/(\d+))?")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - what a clock on a wall shows
_DAY = 86400
_HALF_DAY = 43200
_HORIZON = 366 * 9
"""Days in which each schedule that ever runs does so: from one 29 February to the next, over 2100."""


def cron(text: str) -> str:
    """A schedule in KFP's cron, whose first of six fields is the second. Five fields, as crontab has, get second 0.

    Raises ``UsageError`` for a schedule that KFP would not accept.
    """
    fields = text.split()
    if fields and fields[0].startswith("@"):
        if text.strip().lower() not in _NAMED:
            raise UsageError(
                f"--cron {text!r}: known names are {', '.join(_NAMED)}; use --every 1h for intervals"
            )
        return text.strip().lower()
    if len(fields) == len(_FIELDS) - 1:
        fields = ["0", *fields]
    if len(fields) != len(_FIELDS):
        raise UsageError(
            f"--cron {text!r} has {len(fields)} fields: write five, minute hour day month weekday, "
            'as "0 6 * * 1-5", or six with the second first'
        )
    for field, (name, low, high, names) in zip(fields, _FIELDS, strict=True):
        for part in field.split(","):
            _check(text, part, name, (low, high), names)
    return " ".join(fields)


def cron_note(text: str) -> str:
    """A note on a schedule that was converted to KFP's format; empty if it was not."""
    made = cron(text)
    same = made == " ".join(text.split())
    return "" if same else f"{text!r} is {made!r} in KFP's cron, which begins with seconds"


@dataclass(frozen=True)
class Cron:
    """When a schedule runs: the seconds, minutes and so on that fit, in order.

    ``any_hour`` is whether all hours are meant; ``any_day`` and ``any_weekday`` alike.
    """

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    any_hour: bool
    any_day: bool
    any_weekday: bool

    @classmethod
    def read(cls, text: str) -> Cron:
        """A schedule as ``cron`` returns it."""
        fields = _NAMED.get(text, text).split()
        second, minute, hour, day, month, weekday = (
            _numbers(field, *limits[1:]) for field, limits in zip(fields, _FIELDS, strict=True)
        )
        any_hour, any_day, any_weekday = (fields[number][0] in "*?" for number in (2, 3, 5))
        return cls(second, minute, hour, day, month, weekday, any_hour, any_day, any_weekday)

    def after(self, moment: float, zone: tzinfo) -> float | None:
        """The first time after ``moment``, in seconds since 1970; None if it never runs again."""
        at = floor(moment)
        offset = _offset(at, zone)
        low = at + offset
        if not self.any_hour and (back := _set_back(at, zone)) is not None:
            low = max(low, back + _offset(back - 1, zone) - 1)  # these times were there before
        while (wall := self._next(low)) is not None:
            change = _change(at, wall - offset, zone)
            if change is None:
                return float(wall - offset)
            at, before, offset = change, offset, _offset(change, zone)
            if not self.any_hour and wall < change + offset:
                return float(change)  # a time that is left out
            first = change + (offset if self.any_hour else max(before, offset))
            low = first - 1
        return None

    def _next(self, low: int) -> int | None:
        """The first time after ``low``, both as a clock on a wall shows them, in seconds since 1970 there."""
        start = _EPOCH + timedelta(seconds=low + 1)
        for number in range(_HORIZON):
            day = start.date() + timedelta(days=number)
            if self._fits(day):
                begin = (start.hour, start.minute, start.second) if number == 0 else (0, 0, 0)
                for hour, minute, second in self._times(*begin):
                    passed = datetime(day.year, day.month, day.day, hour, minute, second) - _EPOCH  # noqa: DTZ001
                    return passed.days * _DAY + passed.seconds
        return None

    def _fits(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return by_day and by_weekday
        return by_day or by_weekday

    def _times(self, hour: int, minute: int, second: int) -> Iterator[tuple[int, int, int]]:
        """The times of a day from that one on."""
        for h in self.hours[bisect_left(self.hours, hour) :]:
            for m in self.minutes[bisect_left(self.minutes, minute if h == hour else 0) :]:
                begin = second if (h, m) == (hour, minute) else 0
                for s in self.seconds[bisect_left(self.seconds, begin) :]:
                    yield h, m, s


def _offset(moment: int, zone: tzinfo) -> int:
    """How far the zone's clock is before UTC, in seconds."""
    passed = datetime.fromtimestamp(moment, zone).utcoffset() or timedelta()
    return passed.days * _DAY + passed.seconds


def _change(after: int, until: int, zone: tzinfo) -> int | None:
    """When the zone's clock is first changed after one moment and until another."""
    low, offset = after, _offset(after, zone)
    while low < until:
        high = min(low + _HALF_DAY, until)
        if _offset(high, zone) != offset:
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset(middle, zone) == offset else (low, middle)
            return high
        low = high
    return None


def _set_back(moment: int, zone: tzinfo) -> int | None:
    """When the clock was set back, if what it shows now it has shown before."""
    if not datetime.fromtimestamp(moment, zone).fold:
        return None
    return _change(moment - _HALF_DAY, moment, zone)


def _numbers(field: str, low: int, high: int, names: tuple[str, ...]) -> tuple[int, ...]:
    """What fits a field, in order: ``5/20`` is from 5 on."""
    found: set[int] = set()
    for part in field.lower().split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(field)
        step = int(match[4] or 1)
        first = _number(match[2], low, names) if match[2] else low
        last = _number(match[3], low, names) if match[3] else high if match[4] or not match[2] else first
        found |= set(range(first or 0, (last or 0) + 1, step))
    return tuple(sorted(found))


def _check(text: str, part: str, name: str, limits: tuple[int, int], names: tuple[str, ...]) -> None:
    """Raise ``UsageError`` for a part of a field (``*``, ``*/5``, ``1-5``, ``mon``) that KFP would not accept."""
    low, high = limits
    found = _PART.fullmatch(part.lower())
    if found is None or found[4] == "0":
        raise UsageError(f"--cron {text!r}: {part!r} is not a valid {name}")
    ends = [_number(end, low, names) for end in (found[2], found[3]) if end]
    if any(end is None or not low <= end <= high for end in ends):
        allowed = f"{low} to {high}" + (f", or {names[0]} to {names[-1]}" if names else "")
        raise UsageError(f"--cron {text!r}: {part!r} is not a valid {name}: write {allowed}")
    if ends != sorted(ends, key=lambda end: end or 0):
        raise UsageError(f"--cron {text!r}: {part!r} ends before it begins")


def _number(word: str, low: int, names: tuple[str, ...]) -> int | None:
    if word in names:
        return names.index(word) + low
    return int(word) if word.isascii() and word.isdigit() else None
