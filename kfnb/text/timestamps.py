"""Timestamps of servers (RFC 3339) as seconds since 1970."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

_FRACTION = re.compile(r"\.\d+")
_NEVER = 60 * 60 * 24 * 365
"""Seconds since 1970 before which nothing ran: Go's zero times mean no time."""


def seconds(text: Any) -> float | None:
    """``2026-11-23T18:28:59Z`` in seconds since 1970; None for a zero time, and for what is not a time.

    Without a time zone, it is in UTC.
    """
    found = _seconds(text) if isinstance(text, str) else None
    return found if found is not None and found > _NEVER else None


@lru_cache(maxsize=1 << 14)
def _seconds(text: str) -> float | None:
    # Python 3.10 parses neither nanoseconds nor the Z of UTC
    whole = re.sub("[Zz]$", "+00:00", _FRACTION.sub("", text.strip(), count=1))
    fraction = _FRACTION.search(text)
    try:
        read = datetime.fromisoformat(whole)
        found = (read if read.tzinfo is not None else read.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        return None
    return found + float(f"0{fraction[0]}" if fraction else 0)


def rfc3339(moment: float) -> str:
    """A time as servers read it, to the second: ``2026-11-23T18:28:59Z``."""
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
