"""Whether a monitor is checked: what was found long ago says nothing of now."""

from __future__ import annotations

from kfnb.ui.words import duration

_LATE = 3
"""Missed checks after which a monitor says so."""


def unchecked(every: float, last: float, now: float) -> str:
    """That nothing was checked since ``last``, long before ``now``; empty if checks come ``every`` many seconds."""
    age = now - last
    return "" if age < _LATE * every else f"nothing was checked for {duration(age)}"
