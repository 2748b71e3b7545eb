"""What is to be done for a schedule now: pure, of its times, its past and the time."""

from __future__ import annotations

from dataclasses import dataclass

from kfnb.jobs.scheduler.history import Missed, Reason, ScheduleHistory
from kfnb.jobs.scheduler.timing import Due, Timing

SET_BACK = 60.0
"""Seconds by which a clock has to go back to be noted: time servers move it by less."""


@dataclass(frozen=True)
class TickPlan:
    """The tick to do now, by its time; the ticks that were missed before it, or instead; when to poll again.

    None for none of them.
    """

    tick: float | None = None
    missed: Missed | None = None
    wake: float | None = None


@dataclass(frozen=True)
class Moment:
    """The time that it is, since when the scheduler runs, and how late, in seconds, a tick may be and still be in time.

    ``busy`` is whether a tick of the schedule runs now.
    """

    now: float
    since: float
    grace: float
    busy: bool = False


def plan(timing: Timing, past: ScheduleHistory, moment: Moment) -> TickPlan:
    """What is to be done for a schedule now."""
    if not past.enabled:
        return TickPlan()
    now = moment.now
    wake = timing.next(now)
    due = timing.due(min(past.through, now), now)
    if due is None or past.did(due.last):
        return TickPlan(wake=wake)
    reason = _hindered(past, due, moment)
    if reason is not None:
        return TickPlan(missed=_all(due, reason, now), wake=wake)
    why, late = _why(past, due, moment), now - due.last > moment.grace
    if not late:
        earlier = Missed(due.count - 1, due.first, due.before_last, why, now) if due.count > 1 else None
        return TickPlan(due.last, earlier, wake)
    if timing.catch_up:
        return TickPlan(due.last, _all(due, why, now, caught_up=True), wake)
    return TickPlan(missed=_all(due, why, now), wake=wake)


def went_back(past: ScheduleHistory, now: float) -> bool:
    """Whether the clock shows an earlier time than it did when the schedule was looked at last."""
    return past.through - now > SET_BACK


def _hindered(past: ScheduleHistory, due: Due, moment: Moment) -> Reason | None:
    """Why the tick that is due must not be done now."""
    if moment.busy:
        return Reason.BUSY
    return Reason.BACKS_OFF if due.last < past.waits_until else None


def _why(past: ScheduleHistory, due: Due, moment: Moment) -> Reason:
    if due.first < past.resumed:
        return Reason.PAUSED
    return Reason.OFF if due.first < moment.since else Reason.SLEPT


def _all(due: Due, reason: Reason, now: float, *, caught_up: bool = False) -> Missed:
    return Missed(due.count, due.first, due.last, reason, now, caught_up)
