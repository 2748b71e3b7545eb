"""Reaches the desired state of a service: revisions that start, answer and drain, and the router's table."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from kfnb.errors import BackendError
from kfnb.resources.services.local.folder import ServiceFolder
from kfnb.resources.services.local.journal import ServiceJournal
from kfnb.resources.services.local.revision_process import RevisionProcess, ServiceContext
from kfnb.resources.services.local.router_process import RouterProcess
from kfnb.resources.services.local.routing_table import RoutingTable, table_of
from kfnb.resources.services.model import DesiredState, Parity, Revision, RevisionState

_POLL = 0.2
"""Seconds between polls of the desired state."""
_DRAIN = 30.0
"""Seconds for which a revision that gets no more requests may finish those that it has."""
_DRAIN_POLL = 0.05


class Reconciler:
    """Keeps the processes of a service in the desired state.

    A change happens at one moment, when the router gets another table: once each new version is ready, or has failed.
    Until then, and if the new default fails, the state before stays.
    """

    def __init__(
        self,
        context: ServiceContext,
        router: RouterProcess,
        journal: ServiceJournal,
        known: tuple[Revision, ...],
    ) -> None:
        self._context, self._router, self._journal = context, router, journal
        self._known = {one.number: one for one in known}
        self._desired: DesiredState | None = None
        self._reached: DesiredState | None = None
        """The state that was reached last; a version of it may be restarting."""
        self._table = RoutingTable()
        self._observed: tuple[Any, ...] = ()
        self._problem = ""
        self._changed = asyncio.Event()
        self._background: set[asyncio.Task[None]] = set()
        self.revisions: dict[int, RevisionProcess] = {}

    async def run(self, stop: asyncio.Event) -> str:
        """Work until ``stop`` is set, or nothing can be served: return why, empty if it was stopped."""
        while not stop.is_set():
            self._changed.clear()
            self._read_desired()
            await self._converge()
            failed = self._failed()
            if failed:
                return failed
            await self._wait(stop)
        return ""

    async def end(self) -> None:
        """End all revisions, after the requests under way."""
        await asyncio.gather(*(one.end() for one in self.revisions.values()), return_exceptions=True)

    async def _wait(self, stop: asyncio.Event) -> None:
        waiting = [asyncio.create_task(one.wait()) for one in (stop, self._changed)]
        await asyncio.wait(waiting, timeout=_POLL, return_when=asyncio.FIRST_COMPLETED)
        for one in waiting:
            one.cancel()

    # -- the desired state

    def _read_desired(self) -> None:
        """Read the desired state, and begin new revisions. Raises ``BackendError``."""
        before, folder = self._desired, self._folder
        try:
            same = before is not None and folder.generation() == before.generation
            self._desired = before if same else folder.desired()
        except BackendError as error:
            if before is None or not folder.path.is_dir():
                raise
            self._note_problem(f"the last change cannot be read: {error}")
            return
        self._note_problem("")
        assert self._desired is not None
        for target in self._desired.targets:
            if target.revision not in self.revisions:
                known = self._known.get(target.revision)
                if known is None:
                    self._journal.began(target)
                parity = known.parity if known else Parity()
                made = RevisionProcess(target, self._context, parity, self._report)
                self.revisions[target.revision] = made
                made.begin()

    def _note_problem(self, text: str) -> None:
        if text != self._problem:
            self._journal.note(0, text)
            self._problem = text

    def _report(self, revision: RevisionProcess) -> None:
        number = revision.target.revision
        self._journal.revision(number, revision.state, revision.error, revision.restarts, revision.log_error)
        if revision.parity.passed is not None:
            self._journal.checked(number, revision.parity)
        self._changed.set()

    # -- the state that is reached

    async def _converge(self) -> None:
        """Give the router its table, and retire revisions that are no longer needed."""
        assert self._desired is not None
        if self._can_reach(self._desired):
            self._reached = self._desired
        if self._reached is None:
            return
        sockets = {
            number: one.socket for number, one in self.revisions.items() if one.state is RevisionState.READY
        }
        table = table_of(self._reached.generation, self._reached.targets, sockets, self._reached.sticky)
        if table != self._table and await self._router.use(table):
            self._note_absent(table)
            self._table = table
        self._observe()
        needed = {one.revision for desired in (self._reached, self._desired) for one in desired.targets}
        for number in self.revisions.keys() - needed:
            self._in_background(self._retire(self.revisions.pop(number)))

    def _can_reach(self, desired: DesiredState) -> bool:
        """Whether all revisions have started or failed, and the default has started."""
        return all(self.revisions[one.revision].settled for one in desired.targets) and (
            self.revisions[desired.default.revision].served
        )

    def _observe(self) -> None:
        assert self._desired is not None
        default = self.revisions[self._desired.default.revision]
        kept = default.state is RevisionState.FAILED
        error = f"{default.error}; {self._serving()} is still served" if kept else ""
        observed = (self._table.generation, self._table.shares, error)
        if observed != self._observed:
            self._journal.observed(*observed)
            self._observed = observed

    def _serving(self) -> str:
        return " and ".join(one.ref for one in self._table.routes if one.role != "shadow")

    def _note_absent(self, table: RoutingTable) -> None:
        """Say whose requests go where while a version is out that was in the table, and no more once it is back."""
        before, now = ({one.revision: one.ref for one in each.routes} for each in (self._table, table))
        if self._table.generation != table.generation:
            return
        others = " and ".join(one.ref for one in table.routes if one.role != "shadow")
        for number in before.keys() - now.keys():
            to = f"its requests go to {others}" if others else "nothing answers"
            self._journal.note(number, f"{before[number]}: {self.revisions[number].error}; meanwhile {to}")
        for number in now.keys() - before.keys():
            self._journal.note(number, "")

    def _failed(self) -> str:
        """Why nothing can be served; empty if something can."""
        assert self._desired is not None
        default = self.revisions[self._desired.default.revision]
        return default.error if self._reached is None and default.state is RevisionState.FAILED else ""

    async def _retire(self, revision: RevisionProcess) -> None:
        """End a revision that gets no more requests, once it has answered those that it has."""
        number = revision.target.revision
        for _ in range(int(_DRAIN / _DRAIN_POLL)):
            if not (await self._router.report()).under_way.get(number):
                break
            await asyncio.sleep(_DRAIN_POLL)
        await revision.end()
        self._journal.retired(number)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    @property
    def _folder(self) -> ServiceFolder:
        return self._context.folder
