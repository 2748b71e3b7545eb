"""Keeps requests and answers in files, behind what is answered: see ``log_segments`` and ``logged_rows``."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from kfnb.server.exchange import Exchange
from kfnb.server.inputs import ModelInputs
from kfnb.server.log_segments import Segment, complete_abandoned, remove_old
from kfnb.server.log_settings import LogSettings
from kfnb.server.logged_rows import LoggedRows
from kfnb.server.personal_columns import PersonalColumns, salt_in
from kfnb.server.server_log import log, report

WRITTEN_WITHIN = 0.5
"""Seconds after which a request is usually in a file. A process that is killed loses what came since."""

_BLOCK = 2048
"""Requests that are written without waiting for more."""
_MOST_WAITING = 64_000_000
"""Bytes of requests that wait to be written; others are dropped."""
_ROWS, _BYTES, _SECONDS = 1 << 16, 1 << 25, 600.0
"""Rows, bytes and age from which on a file is completed."""
_REVIEW = 3600.0
"""Seconds after which old files are looked for where no request comes."""
_REPORTED_EACH = 60.0
"""Seconds between lines of the log about requests that are not kept."""


class RequestLog:
    """Keeps the requests of one process. Whatever happens to it, requests are answered."""

    def __init__(self, settings: LogSettings, inputs: ModelInputs) -> None:
        self.kept = self.dropped = self.left_out = 0
        """Requests that are in files, that are lost, and that a sample does not have."""
        self._settings, self._inputs = settings, inputs
        self._sample = Sample(settings.rate)
        self._lock = threading.Lock()
        self._waiting: list[Exchange] = []
        self._bytes = 0
        self._some, self._many = threading.Event(), threading.Event()
        self._closed = False
        self._segment: Segment | None = None
        self._number, self._reviewed = 0, time.monotonic()
        self._losses = Losses()
        self._thread = threading.Thread(target=self._run, name="requests", daemon=True)
        self._thread.start()

    def keep(self, exchange: Exchange) -> None:
        """Keep a request that was answered. It is not changed from now on."""
        exchange.share = self._sample.share()
        if exchange.share < 1 and random.random() > exchange.share:  # noqa: S311 - a sample
            self.left_out += 1
            return
        with self._lock:
            full = self._bytes + exchange.size > _MOST_WAITING
            if not full:
                self._bytes += exchange.size
                self._waiting.append(exchange)
        if full:
            self._lose(1, "they come faster than they are written")
        elif len(self._waiting) == 1:
            self._some.set()
        elif len(self._waiting) == _BLOCK:
            self._many.set()

    def close(self) -> None:
        """Write what waits, and complete the file."""
        self._closed = True
        self._some.set()
        self._many.set()
        self._thread.join(10.0)

    def as_json(self) -> dict[str, int]:
        """What it has counted."""
        return {"kept": self.kept, "dropped": self.dropped, "left_out": self.left_out}

    # -- in the thread

    def _run(self) -> None:
        make = self._guarded(0, self._rows)
        while not self._closed or self._waiting:
            self._some.wait(_REVIEW)
            self._many.wait(WRITTEN_WITHIN / 2)
            taken = self._taken()
            make = make or self._guarded(0, self._rows)
            if taken and make is not None:
                for start in range(0, len(taken), _BLOCK):
                    some = taken[start : start + _BLOCK]
                    self._guarded(len(some), partial(self._write, make, some))
            elif taken:
                self._lose(len(taken))
            self._review()
            self._losses.report()
        self._guarded(0, self._complete)

    def _rows(self) -> LoggedRows:
        """What makes blocks, once the folder is there and in order."""
        folder, settings = self._settings.folder, self._settings
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        complete_abandoned(folder)
        personal = PersonalColumns(settings.drop, settings.hash, salt_in(folder))
        return LoggedRows(settings, self._inputs, personal)

    def _taken(self) -> list[Exchange]:
        with self._lock:
            self._some.clear()
            self._many.clear()
            taken, self._waiting, self._bytes = self._waiting, [], 0
        return taken

    def _write(self, make: LoggedRows, exchanges: Sequence[Exchange]) -> None:
        block = make.block(exchanges)
        # with the metadata: texts and values in JSON are both strings
        if self._segment is not None and not self._segment.schema.equals(block.schema, check_metadata=True):
            self._complete()
        if self._segment is None:
            self._number += 1
            name = f"r{self._settings.revision}-{os.urandom(6).hex()}-{self._number}"
            self._segment = Segment(self._settings.folder, name, block.schema)
        self._segment.append(block)
        self.kept += len(exchanges)

    def _review(self) -> None:
        """Complete a file that is large or old enough, and remove the oldest files."""
        one, now = self._segment, time.monotonic()
        large = one is not None and (one.rows >= _ROWS or one.size >= _BYTES or now - one.began >= _SECONDS)
        if large:
            self._guarded(0, self._complete)
        if large or now - self._reviewed >= _REVIEW:
            self._reviewed = now
            folder, settings = self._settings.folder, self._settings
            self._guarded(
                0, partial(complete_abandoned, folder)
            )  # where the disk is full, removing makes room
            self._guarded(0, partial(remove_old, folder, settings.days, settings.size))

    def _complete(self) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.complete()

    def _leave(self) -> None:
        """Write to this file no more."""
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.close()

    def _guarded(self, requests: int, work: Callable[[], Any]) -> Any:
        """The outcome of work; None where it fails, which loses that number of ``requests`` and nothing else."""
        try:
            return work()
        except OSError as error:
            self._leave()
            self._lose(requests, error.strerror or str(error))
        except Exception as error:
            report(error)
            self._lose(requests, type(error).__name__)
        return None

    def _lose(self, requests: int, why: str = "") -> None:
        self.dropped += requests
        self._losses.add(requests, why)


class Losses:
    """Requests that are not kept, of which the log has a line now and then."""

    def __init__(self) -> None:
        self._count, self._why, self._reported = 0, "", -_REPORTED_EACH

    def add(self, requests: int, why: str = "") -> None:
        """Count requests that are lost, for a reason or the one before."""
        self._count, self._why = self._count + requests, why or self._why

    def report(self) -> None:
        """Write how many were lost since the last line, and why."""
        if self._count and time.monotonic() - self._reported > _REPORTED_EACH:
            log(f"requests that are not kept: {self._count} ({self._why})")
            self._count, self._reported = 0, time.monotonic()


class Sample:
    """The share of requests that is kept, where more come than ``per_second``, by those of the second before."""

    def __init__(self, per_second: float) -> None:
        self._most, self._second, self._count, self._share = per_second, 0, 0, 1.0

    def share(self) -> float:
        """The share for a request that comes now."""
        if not self._most:
            return 1.0
        second = int(time.monotonic())
        if second != self._second:
            before = self._count if second == self._second + 1 else 0
            self._share = min(1.0, self._most / before) if before else 1.0
            self._second, self._count = second, 0
        self._count += 1
        return self._share
