"""What can be done with a job of any kind: start, observe, stop and remove it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from kfnb.disk import shortage
from kfnb.errors import BackendError
from kfnb.jobs import private
from kfnb.jobs.eventlog import EventReader, Fact, opened, reading
from kfnb.jobs.fold import Event
from kfnb.jobs.folder import HINT, JobFolder, check, number, usable
from kfnb.jobs.recovery import Loss, recover
from kfnb.jobs.spawn import spawn

J = TypeVar("J", bound=JobFolder)

RELEASE = 5.0
"""Seconds that the driver of a finished job may take to exit."""
POLL = 0.05
"""Seconds between polls of a job that is followed."""


@dataclass(frozen=True)
class JobKind:
    """A kind of job: ``program`` is the module that drives it, ``loss`` what happens when the driver is lost."""

    program: str
    loss: Loss


@dataclass(frozen=True)
class JobHandle(Generic[J]):
    """One job in its ``folder``, which users call ``title`` (``run 261124-063723-412k``)."""

    kind: JobKind
    folder: J
    title: str

    def start(self, facts: Sequence[Fact], *, create: bool = False, prefork_in: Path | None = None) -> None:
        """Write ``facts`` and start the driver: under the job's lock, lest a reader take its driver for lost."""
        check(self.folder.path)
        lock = self.folder.lock(timeout=RELEASE)
        if lock is None:
            raise self._driven()
        try:
            self.folder.start_anew()
            with opened(self.folder.path, create=create) as log:
                log.append(facts)
            spawn(self.kind.program, self.folder, lock, prefork_in)
        finally:
            os.close(lock)

    @contextmanager
    def reading(self) -> Iterator[EventReader]:
        """The job's events, including its end if its driver is gone."""
        with reading(self.folder.path) as log:
            self.recover(log)
            yield log

    def recover(self, log: EventReader) -> bool:
        """End the job if no process drives it; return whether its events may have changed."""
        return recover(self.folder, log, self.kind.loss)

    def events(self, after: int, *, follow: bool) -> Iterator[Event]:
        """The job's events above ``after``; with ``follow``, as they come, until it is finished."""
        with reading(self.folder.path) as log:
            while True:
                self.recover(log)
                finished = log.finished()
                for event in log.read(after):
                    after = event.seq
                    yield event
                if finished or not follow:
                    return
                time.sleep(POLL)

    def finished(self) -> bool:
        """Whether the job is finished. A job with damaged events is finished if no process drives it."""
        try:
            with self.reading() as log:
                return log.finished()
        except BackendError:
            lock = self.folder.lock(timeout=RELEASE)  # the driver may be about to exit
            if lock is not None:
                os.close(lock)
            return lock is not None

    def stop(self) -> None:
        """Ask the job and all its processes to end; harmless when it is finished."""
        if self.finished():
            return
        self.folder.request_stop()
        if self.folder.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.folder.pid, signal.SIGTERM)

    def delete(self) -> None:
        """Remove a finished job with all of its files. Raises ``BackendError`` for one that still runs."""
        if not self.finished():
            message, hint = f"{self.title} is still running", "stop it first, or wait for it"
            raise BackendError(message, code="still-running", hint=hint, ref=self.folder.path.name)
        if not self.folder.remove(timeout=RELEASE):
            raise self._driven()

    def _driven(self) -> BackendError:
        return BackendError(f"{self.title} is still driven by process {self.folder.pid}")


def open_home(home: Path) -> None:
    """Create a home that a job can be started in, and record its format.

    Raises ``BackendError`` if its format is newer, or if the disk is too full to record how the job ends.
    """
    check(home)
    if full := shortage(home):
        raise BackendError(full, code="disk-full", ref=str(home))
    with usable(home, HINT):
        private.make(home)
        number(home)
