"""States and times as Kubeflow and Kubernetes write them."""

from __future__ import annotations

import calendar
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from kfnb.model import RunState

_STATES = {"ERROR": RunState.FAILED, **{state.value: state for state in RunState}}
"""The states by KFP's names; Argo's ERROR is a failure too."""
_NEVER = 60 * 60 * 24 * 365
"""Seconds since 1970 before which nothing ran: Go's zero times mean no time."""


def seconds(text: Any) -> float | None:
    """A time of the server in seconds since 1970; None for a zero time."""
    found = _seconds(text) if isinstance(text, str) else None
    return found if found is not None and found > _NEVER else None


@lru_cache(maxsize=1 << 14)
def _seconds(text: str) -> float | None:
    try:
        whole = calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))
        return whole + float(f"0{text[19:].rstrip('Z')}" if text[19:20] == "." else 0)
    except ValueError:
        return None


def state_named(word: Any) -> RunState | None:
    """A state by KFP's name; None for an unknown name."""
    return _STATES.get(word)


def history(thing: Mapping[str, Any]) -> list[tuple[str, float | None]]:
    """The states that a run or a row was in, each with the time since when the server has reported it."""
    return [
        (str(item.get("state", "")), seconds(item.get("update_time")))
        for item in thing.get("state_history") or ()
    ]
