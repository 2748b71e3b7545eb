"""Time zones by their names in the tz database (``Europe/Berlin``)."""

from __future__ import annotations

import os
from datetime import tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from kfnb.errors import UsageError, did_you_mean

_LOCALTIME = Path("/etc/localtime")
_FOLDER = "zoneinfo/"


def zone_of(name: str) -> tzinfo:
    """The time zone with that name. Raises ``UsageError``."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = did_you_mean(
            name, available_timezones(), "names are as Europe/Berlin, America/New_York or UTC"
        )
        raise UsageError(f"unknown time zone {name}", hint=hint, ref=name) from None


def local_zone() -> str:
    """The name of this machine's time zone; UTC where it has none."""
    for name in (os.environ.get("TZ", "").lstrip(":"), os.path.realpath(_LOCALTIME).partition(_FOLDER)[2]):
        if name and name in available_timezones():
            return name
    return "UTC"
