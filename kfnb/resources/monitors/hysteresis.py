"""From what windows say to a state: one window beyond a limit warns, two of the last three are an alarm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kfnb.resources.monitors.model import MonitorState, Report

NEEDED, LOOKED_AT = 2, 3
"""Windows beyond a limit that are an alarm, of as many that are considered."""


def state_after(before: MonitorState, exceeded: Sequence[bool | None]) -> MonitorState:
    """The state of a rule after windows, the newest last; None for one that says nothing of the rule.

    An alarm ends after two windows in a row within the limit, and not because nothing is known any more.
    """
    if not exceeded or exceeded[-1] is None:
        return MonitorState.ALARM if before is MonitorState.ALARM else MonitorState.NO_DATA
    recent = [one for one in exceeded if one is not None][-LOOKED_AT:]
    lasts = before is MonitorState.ALARM and (any(recent[-NEEDED:]) or len(recent) < NEEDED)
    if lasts or sum(recent) >= NEEDED:
        return MonitorState.ALARM
    return MonitorState.WARNING if any(recent) else MonitorState.OK


def overall(states: Iterable[MonitorState]) -> MonitorState:
    """The state of a monitor: the worst of its rules'. Where one of them has no data, it is not OK."""
    order = list(MonitorState)
    return max(states, key=order.index, default=MonitorState.NO_DATA)


def separate(reports: Sequence[Report], every: float) -> list[Report]:
    """Reports that count as separate windows, the oldest first.

    Of those that are apart by less than half of ``every`` seconds (someone checked between two ticks, or twice
    in a row), the newest counts, so that the same rows are not two windows.
    """
    kept: list[Report] = []
    for one in reversed(reports):
        if not kept or abs(kept[-1].until - one.until) >= every / 2:
            kept.append(one)
    return kept[::-1]
