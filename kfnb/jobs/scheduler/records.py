"""The events of a schedule: how ticks, and those that were missed, are written, and what is read from them."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict

from kfnb import clock
from kfnb.jobs import system
from kfnb.jobs.eventlog import EventLog, Fact, opened, reading
from kfnb.jobs.scheduler.folder import ScheduleFolder
from kfnb.jobs.scheduler.history import KEPT, Missed, ScheduleHistory, TickState
from kfnb.jobs.scheduler.order import TickOrder, TickOutcome

_OLD = ("tick", "ended", "missed", "set_back")


def begin(log: EventLog, order: TickOrder) -> bool:
    """Record that a tick begins, with what was missed before it; False if it was begun before.

    Under the schedule's lock.
    """
    past = ScheduleHistory()
    past.take(log.read())
    if past.has(order.key):
        return False
    facts = [] if order.missed is None else [_missed(order.missed)]
    began = {"due": order.due, "by_hand": order.by_hand, "began": clock.now()}
    log.append([*facts, ("tick", order.key, began)])
    return True


def end(log: EventLog, key: str, outcome: TickOutcome) -> None:
    """Record how a tick ended, and forget what happened long ago."""
    log.append([("ended", key, {**asdict(outcome), "state": str(outcome.state), "at": clock.now()})])
    log.forget("tick", _OLD, KEPT)


def miss(folder: ScheduleFolder, missed: Missed) -> None:
    """Record that ticks were missed. Raises ``BackendError``."""
    with opened(folder.path) as log:
        log.append([_missed(missed)])


def set_back(folder: ScheduleFolder, shown: float) -> None:
    """Record that the clock, which has shown a later time, was set back. Raises ``BackendError``."""
    with opened(folder.path) as log:
        log.append([("set_back", "", {"shown": shown, "at": clock.now()})])


def enable(folder: ScheduleFolder, *, enabled: bool) -> None:
    """Record that a schedule is paused, or resumed. Raises ``BackendError``."""
    with opened(folder.path) as log:
        log.append([("enabled", "", {"enabled": enabled, "at": clock.now()})])


def fail(folder: ScheduleFolder, why: Callable[[], str], order: TickOrder | None = None) -> None:
    """Record that a tick failed without a word: the one that has begun, or ``order``, which never did.

    Nothing is done while a tick runs.
    """
    lock = folder.lock()
    if lock is None:
        return
    try:
        with opened(folder.path) as log:
            past = ScheduleHistory()
            past.take(log.read())
            if past.running is not None:
                system.end_all(folder.tag)
                end(log, past.running[0], TickOutcome(TickState.FAILED, why()))
            elif order is not None and begin(log, order):
                end(log, order.key, TickOutcome(TickState.FAILED, why()))
    finally:
        os.close(lock)


def kill(folder: ScheduleFolder, key: str, why: str) -> None:
    """End the tick that runs. Why is recorded first, lest another process takes it for lost."""
    with opened(folder.path) as log:
        end(log, key, TickOutcome(TickState.FAILED, why))
    system.end_all(folder.tag)


def history(folder: ScheduleFolder, past: ScheduleHistory | None = None) -> ScheduleHistory:
    """What has happened to a schedule: ``past``, if that is known, and more. A tick whose process is gone has failed.

    Raises ``BackendError``.
    """
    past = _read(folder, past or ScheduleHistory())
    if past.running is not None and not _works(folder):
        fail(
            folder, lambda: f"process lost: the tick was killed, or the machine went down{last_words(folder)}"
        )
        past = _read(folder, past)
    return past


def last_words(folder: ScheduleFolder) -> str:
    """The last line that a tick wrote, after a colon; empty if it wrote none."""
    with suppress(OSError):
        lines = folder.log.read_text(encoding="utf-8", errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f": {last}" if last else ""
    return ""


def _missed(missed: Missed) -> Fact:
    return "missed", "", {**asdict(missed), "reason": str(missed.reason)}


def _read(folder: ScheduleFolder, past: ScheduleHistory) -> ScheduleHistory:
    with reading(folder.path) as log:
        past.take(log.read(past.seq))
    return past


def _works(folder: ScheduleFolder) -> bool:
    """Whether a process does a tick of the schedule."""
    lock = folder.lock()
    if lock is not None:
        os.close(lock)
    return lock is None
