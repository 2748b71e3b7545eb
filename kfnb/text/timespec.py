"""Times and durations as users type them."""

from __future__ import annotations

import re
import time
from datetime import datetime

from kfnb.errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SPAN = re.compile(r"(\d+)\s*([smhdw])")


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
