"""Kubernetes' moments as seconds since 1970."""

from __future__ import annotations

from datetime import datetime, timezone


def moment(text: str) -> float | None:
    """``2026-11-23T18:28:59Z`` in seconds; None for what is not a time."""
    try:
        return datetime.fromisoformat(text.strip().replace("Z", "+00:00")).timestamp()
    except (AttributeError, ValueError):
        return None


def of_milliseconds(count: object) -> float | None:
    """Version 2's moments, in seconds; None for 0, by which it means never."""
    return count / 1000 if isinstance(count, int) and count > 0 else None


def now() -> str:
    """This moment, as Kubernetes writes it."""
    return f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
