"""Polls the counters of a service's processes, and records new values."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from kfnb.diagnostics import logger
from kfnb.resources.services.local.journal import ServiceJournal
from kfnb.resources.services.local.revision_process import RevisionProcess
from kfnb.resources.services.local.router_process import RouterProcess, RouterReport
from kfnb.resources.services.local.samples import Samples
from kfnb.resources.services.local.totals import Counted, Totals
from kfnb.resources.services.local.upstream import Upstream, UpstreamGone, UpstreamSilent
from kfnb.resources.services.model import RevisionState
from kfnb.server.http_messages import HttpRequest

_logger = logger(__package__)

PERIOD = 2.0
"""Seconds between two polls."""
_TIMEOUT = 2.0
"""Seconds that a revision may take to say what it has counted: the others' counters wait for it."""

_LARGEST_LOG, _KEPT_LOG = 20_000_000, 2_000_000
"""Bytes of a revision's log, and how many of the last are kept when it grows larger."""


class CounterPoll:
    """Polls the router and the revisions."""

    def __init__(
        self,
        router: RouterProcess,
        revisions: Mapping[int, RevisionProcess],
        journal: ServiceJournal,
        known: Mapping[int, Counted],
    ) -> None:
        self._router, self._revisions, self._journal = router, revisions, journal
        self._totals = Totals(known)
        self._samples = Samples(known)
        self._written: dict[int, Counted] = dict(known)
        self._polled = asyncio.get_running_loop().time()

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            await asyncio.sleep(PERIOD)
            try:
                await self.once()
            except Exception:  # the next poll may succeed
                _logger.exception("The counters of a poll are lost.")

    async def once(self) -> None:
        """Poll once, and record new values."""
        await self._take(await self._router.report())

    async def last(self, report: RouterReport) -> None:
        """Record what the router had counted when it ended, and the revisions, which have not ended yet."""
        try:
            await self._take(report)
        except Exception:  # the service ends all the same
            _logger.exception("The last counters are lost.")

    async def _take(self, report: RouterReport) -> None:
        loop = asyncio.get_running_loop()
        seconds, self._polled = loop.time() - self._polled, loop.time()
        new: dict[int, Counted] = {}
        for number, revision in list(self._revisions.items()):
            if number in report.counters:
                self._totals.take(number, "router", report.life, report.counters[number])
            if stats := await _stats(revision):
                self._totals.take(number, "revision", revision.restarts, stats)
            new[number] = self._totals.of(number)
            shorten(revision.log)
        new = {
            number: data for number, data in new.items() if number in self._revisions
        }  # some retired meanwhile
        for number in self._written.keys() - new.keys():
            self._totals.forget(number)
        self._samples.take(time.time(), new, self._router.pair)
        self._record(new, seconds)
        self._journal.write_late()

    def _record(self, new: dict[int, Counted], seconds: float) -> None:
        changed = {}
        for number, data in new.items():
            before = self._written.get(number, {})
            many = data.get("requests", 0) - before.get("requests", 0)
            rate = round(many / seconds, 2) if before else None
            counted = {**data, "per_second": rate, **self._samples.of(number)}
            if data and any(before.get(name) != value for name, value in counted.items() if name != "recent"):
                changed[number] = counted
        if changed:
            self._journal.counted(changed)
        self._written = {number: changed.get(number, self._written.get(number, {})) for number in new}


async def _stats(revision: RevisionProcess) -> Counted:
    """What a revision has counted itself: bad inputs, the last failures, requests that are not kept."""
    if revision.state is not RevisionState.READY:
        return {}
    upstream = Upstream(revision.socket)
    try:
        answer = await asyncio.wait_for(upstream.send(HttpRequest("GET", "/kfnb/stats", {})), _TIMEOUT)
        found: dict[str, Any] = json.loads(answer.body)
        dropped = found.get("log", {}).get("dropped", 0)
        return {
            **{name: found[name] for name in ("bad_inputs", "failures") if found.get(name)},
            **({"dropped": dropped} if dropped else {}),
        }
    except (UpstreamGone, UpstreamSilent, asyncio.TimeoutError, ValueError, AttributeError):
        return {}
    finally:
        upstream.close()


def shorten(log: Path) -> None:
    """Keep only the end of a log that has grown too large. What is written meanwhile may be lost."""
    with suppress(OSError):
        size = log.stat().st_size
        if size > _LARGEST_LOG:
            with log.open("r+b") as file:
                file.seek(size - _KEPT_LOG)
                file.readline()
                rest = file.read()
                file.truncate(0)
            with log.open("ab") as file:
                file.write(b"(the beginning of this log was removed)\n" + rest)
