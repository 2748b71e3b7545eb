"""The scheduler of a home: ``python -m kfnb.jobs.scheduler.process FOLDER LOCK``. It sleeps, and starts ticks.

``LOCK`` is its folder's lock as an open file, which it holds as long as it starts ticks. It may be killed at any time:
a tick continues without it, and what it was about to start is due for the next scheduler.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from kfnb import clock
from kfnb.diagnostics import logger, written_to
from kfnb.errors import BackendError
from kfnb.jobs.folder import JobFolder, check
from kfnb.jobs.scheduler import records
from kfnb.jobs.scheduler.folder import ScheduleFolder, ScheduleSpec, existing, wake_file
from kfnb.jobs.scheduler.history import ScheduleHistory
from kfnb.jobs.scheduler.order import BUSY, TickOrder, start
from kfnb.jobs.scheduler.planning import Moment, plan, went_back
from kfnb.jobs.spawn import leave_folder

_logger = logger(__package__)

_POLL = 10.0
"""Real seconds between polls at most: nothing notifies it that the machine has slept."""
_GRACE = 60.0
_STARTS_WITHIN = 5.0
"""Real seconds that a process takes to start on a machine with much to do."""


@dataclass
class _Attended:
    """A schedule, as of the last poll: ``process`` is a tick that was started, ``order`` which."""

    folder: ScheduleFolder
    spec: ScheduleSpec
    past: ScheduleHistory = field(default_factory=ScheduleHistory)
    process: subprocess.Popen[bytes] | None = None
    order: TickOrder | None = None

    @property
    def starting(self) -> bool:
        """Whether a tick was started that has not begun yet."""
        return self.process is not None and self.order is not None and not self.past.has(self.order.key)


class Scheduler:
    """Starts the ticks of a home's schedules, as long as any is enabled."""

    def __init__(self, folder: JobFolder, lock: int) -> None:
        self._folder, self._lock = folder, lock
        self._since = clock.now()
        self._attended: dict[str, _Attended] = {}
        self._unusable: set[str] = set()
        self._alarm = _child_signals()
        self._line = _fifo(folder)

    def run(self) -> None:
        """Start ticks until nothing is enabled any more."""
        while True:
            wake = self._poll()
            if wake is not None:
                self._sleep(wake)
            elif self._leave():
                return

    def _poll(self) -> float | None:
        """Do what is due; when to poll again, None if nothing will be due."""
        there = {one.path.name: one for one in existing(self._folder.home)}
        for name in self._attended.keys() - there.keys():
            del self._attended[name]
        found = [self._usable(one) for one in there.values()]
        return min((one for one in found if one is not None), default=None)

    def _usable(self, folder: ScheduleFolder) -> float | None:
        """``_attend``, of a schedule whose files may be damaged or gone."""
        name = folder.path.name
        try:
            if name not in self._attended:
                check(folder.path)
                self._attended[name] = _Attended(folder, folder.spec())
            wake = self._attend(self._attended[name])
        except (BackendError, OSError) as error:
            if folder.exists and name not in self._unusable:
                _logger.warning("Schedule %s cannot be used: %s", name, error)
                self._unusable.add(name)
            return clock.now() + clock.passed(_POLL) if folder.exists else None
        self._unusable.discard(name)
        return wake

    def _attend(self, one: _Attended) -> float | None:
        one.past = records.history(one.folder, one.past)
        self._reap(one)
        now = clock.now()
        if one.starting:
            return now + clock.passed(_POLL)
        if went_back(one.past, now):
            records.set_back(one.folder, one.past.through)
            one.past = records.history(one.folder, one.past)
        deadline = self._overdue(one, now)
        grace = max(_GRACE, clock.passed(_STARTS_WITHIN))
        busy = one.past.running is not None
        todo = plan(one.spec.timing, one.past, Moment(now, self._since, grace, busy))
        if todo.tick is not None:
            self._start(one, TickOrder(todo.tick, missed=todo.missed))
        elif todo.missed is not None:
            records.miss(one.folder, todo.missed)
        times = [time for time in (todo.wake, deadline) if time is not None]
        return min(times, default=now + clock.passed(_POLL) if one.process else None)

    def _start(self, one: _Attended, order: TickOrder) -> None:
        try:
            one.process, one.order = start(one.folder, order), order
        except OSError as error:
            reason = f"it cannot be started: {error}"
            records.fail(one.folder, lambda: reason, order)

    def _reap(self, one: _Attended) -> None:
        """Note the end of a tick's process: one that never began its tick has failed."""
        if one.process is None or one.order is None or one.process.poll() is None:
            return
        status, order, one.process = one.process.returncode, one.order, None
        one.past = records.history(one.folder, one.past)
        if status != BUSY and not one.past.has(order.key):
            why = f"it did not start (exit status {status}){records.last_words(one.folder)}"
            records.fail(one.folder, lambda: why, order)
            one.past = records.history(one.folder, one.past)

    def _overdue(self, one: _Attended, now: float) -> float | None:
        """When the tick that runs will have taken too long; it is ended if it has already."""
        running = one.past.running
        if running is None:
            return None
        deadline = running[1].began + one.spec.timeout
        if now < deadline:
            return deadline
        records.kill(one.folder, running[0], f"timed out after {one.spec.timeout:.0f} s")
        one.past = records.history(one.folder, one.past)
        return None

    def _sleep(self, wake: float) -> None:
        """Sleep until then, or until it is notified that something has changed."""
        seconds = min(_POLL, max(0.0, clock.real(wake - clock.now())))
        ready, _, _ = select.select(
            [file for file in (self._alarm, self._line) if file >= 0], [], [], seconds
        )
        for file in ready:
            with suppress(BlockingIOError):
                os.read(file, 4096)

    def _leave(self) -> bool:
        """Give up the lock, unless a schedule has come: who adds one writes it before it looks at the lock."""
        os.close(self._lock)
        if self._needed() and (lock := self._folder.lock()) is not None:
            self._lock = lock
            return False
        return True

    def _needed(self) -> bool:
        """Whether any schedule is enabled, of those that can be used."""
        for one in existing(self._folder.home):
            with suppress(BackendError):
                if records.history(one).enabled and one.spec().timing.next(clock.now()) is not None:
                    return True
        return False


def _child_signals() -> int:
    """A file that can be read when a child process has ended."""
    read, write = os.pipe()
    for file in (read, write):
        os.set_blocking(file, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    return read


def _fifo(folder: JobFolder) -> int:
    """The FIFO in which others tell of changes; -1 on a file system that has none."""
    with suppress(OSError):
        with suppress(FileExistsError):
            os.mkfifo(wake_file(folder), 0o600)
        return os.open(wake_file(folder), os.O_RDWR | os.O_NONBLOCK)
    return -1


def main(folder: JobFolder, lock: int) -> None:
    """Start the ticks of the home that ``folder`` is in."""
    os.set_inheritable(lock, False)  # noqa: FBT003 - the library's own signature
    scheduler = Scheduler(folder, lock)
    folder.came_up()
    with written_to(folder.driver_log):
        scheduler.run()


if __name__ == "__main__":
    leave_folder()
    main(JobFolder(Path(sys.argv[1])), int(sys.argv[2]))
