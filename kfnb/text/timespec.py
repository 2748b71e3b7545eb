"""Times, durations and schedules as users type them."""

from __future__ import annotations

import re
import time
from datetime import datetime

from kfnb.errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SPAN = re.compile(r"(\d+)\s*([smhdw])")
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
_NAMED = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")
_PART = re.compile(r"(\*|\?|(\w+)(?:-(\w+))?)(?:/(\d+))?")


def span(text: str) -> int:
    """``90s``, ``30m``, ``1h``, ``2d`` or ``1w`` in seconds. Raises ``UsageError``."""
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None or not int(found[1]):
        raise UsageError(f"{text!r} is not a duration: write 90s, 30m, 1h, 2d or 1w")
    return int(found[1]) * _UNITS[found[2]]


def instant(given: str | float | datetime, *, ahead: bool = False, now: float | None = None) -> float:
    """A time in seconds since the epoch: of a date, with or without a time, or a duration ago or ``ahead`` (``2d``).

    Without a time zone, it is local time. Raises ``UsageError``.
    """
    if isinstance(given, int | float):
        return float(given)
    if isinstance(given, str) and _SPAN.fullmatch(given.strip().lower()):
        return (time.time() if now is None else now) + span(given) * (1 if ahead else -1)
    try:
        # Python 3.10 does not parse the Z of UTC
        read = (
            given if isinstance(given, datetime) else datetime.fromisoformat(re.sub("[Zz]$", "+00:00", given))
        )
        return read.timestamp()  # local time without a zone
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"{given!r} is not a time: write 2026-11-25, 2026-11-25T06:00, or 2d for two days "
            f"{'from now' if ahead else 'ago'}"
        ) from None


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
