"""Recovery of jobs whose driver was lost: a reader notices it, and records it once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kfnb.disk import shortage
from kfnb.entities import RunState
from kfnb.errors import BackendError
from kfnb.jobs import system
from kfnb.jobs.eventlog import EventReader, Fact
from kfnb.jobs.fold import Event
from kfnb.jobs.folder import JobFolder
from kfnb.jobs.reserve import give_up


@dataclass(frozen=True)
class Loss:
    """What a kind of job does when a driver is lost.

    ``noun`` is what users call such a job, ``again`` how they continue it. ``parts`` ends what does not end with the
    job's processes, and returns how each unfinished part ends.
    """

    noun: str
    again: str
    parts: Callable[[JobFolder, Iterable[Event]], Iterable[Fact]]


def recover(folder: JobFolder, log: EventReader, loss: Loss) -> bool:
    """If the job in ``folder`` is unfinished and no process drives it, end its processes and record that as events.

    Return whether the events may have changed. What a newer kfnb has written is not changed; only this read ends it.
    """
    if log.finished():
        return False
    try:
        lock = folder.lock()
    except BackendError:  # the folder is read-only: its driver cannot be determined
        return False
    if lock is None:
        return False
    try:
        if not log.finished():  # it may have ended just before it released the lock
            _end(folder, log, loss)
    finally:
        os.close(lock)
    return True


def _end(folder: JobFolder, log: EventReader, loss: Loss) -> None:
    if log.newer or folder.newer:
        error = f"a newer kfnb left this {loss.noun} {log.state() or 'unfinished'}: update kfnb to see how it ended"
        log.pretend([("state", "", {"state": RunState.FAILED, "error": error})])
        return
    system.end_all(folder.tag)
    give_up(folder.path)
    parts = list(loss.parts(folder, log.read()))
    if folder.stopping:
        log.append([*parts, ("state", "", {"state": RunState.CANCELED})])
    else:
        log.append([*parts, ("state", "", {"state": RunState.FAILED, "error": _reason(folder, loss)})])


def _reason(folder: JobFolder, loss: Loss) -> str:
    """Why no process drives the job: a driver that failed to start has left the reason at the end of its output."""
    full = shortage(folder.home)
    if full:
        return f"{full}; then {loss.again}"
    try:
        lines = folder.driver_log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    if folder.pid is not None or not last:
        return (
            f"process lost: the supervisor of this {loss.noun} exited unexpectedly"
            f" (killed, or the machine went down); {loss.again}"
        )
    text = f"the supervisor of this {loss.noun} did not start: {last}"
    return f"{text} (full output in {folder.driver_log})"
