"""A service is a stream of events, and what came of it is their fold.

==================  ===========  ==================================================================================
kind                about        data
==================  ===========  ==================================================================================
``created``         the service  created: when
``state``           the service  state: of its driver; error: why that ended
``lost``            the service  nothing: its driver ended without a word
``address``         the service  url
``observed``        the service  generation, shares: those of the requests by revision; error: why it is not newer
``note``            both         text; it replaces the one before
``revision``        a revision   target: the version that it serves
``revision_state``  a revision   state, error, restarts; log_error: why its requests are not kept
``parity``          a revision   passed, report: what the check of its version found
``counters``        a revision   what was counted so far, in all
``retired``         a revision   nothing: it is gone
==================  ===========  ==================================================================================

A revision is named by its number. The desired state is not an event: every process may change it (``folder``),
while the driver alone writes events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kfnb.entities import RunState
from kfnb.jobs.fold import Event, JobFold
from kfnb.resources.services.local.route_counters import BOUNDS
from kfnb.resources.services.model import (
    Counters,
    CountSample,
    DesiredState,
    Parity,
    RequestFailure,
    Revision,
    RevisionState,
    ServiceMove,
    ServiceSnapshot,
    ServiceState,
    Target,
)

_NOTHING = DesiredState(0, (), ServiceMove(0, "serve", "", 0.0))


class ServiceFold(JobFold[int]):
    """What some events of a service add up to, so far. Its parts are the numbers of revisions, 0 for the service."""

    FIELDS = {  # noqa: RUF012 - the base says that it is a class's
        "created": frozenset({"created"}),
        "state": frozenset({"state", "error"}),
        "lost": frozenset(),
        "address": frozenset({"url"}),
        "observed": frozenset({"generation", "shares", "error"}),
        "note": frozenset({"text"}),
        "revision": frozenset({"target"}),
        "revision_state": frozenset({"state", "error", "restarts", "log_error"}),
        "parity": frozenset({"passed", "report"}),
        "counters": frozenset(
            {
                "requests",
                "errors",
                "latency",
                "bad_inputs",
                "failures",
                "compared",
                "differing",
                "skipped",
                "dropped",
                "per_second",
                "recent",
                "paired",
            }
        ),
        "retired": frozenset(),
    }

    def __init__(self, name: str) -> None:
        super().__init__()
        self._service = ServiceSnapshot(name, "local", _NOTHING)
        self._driver = RunState.PENDING
        self._lost = False
        self._notes: dict[int, str] = {}
        self._revisions: dict[int, Revision] = {}
        self._counted: dict[int, dict[str, Any]] = {}
        self._retired: set[int] = set()

    @property
    def finished(self) -> bool:
        """Whether its driver has ended."""
        return self._driver.finished

    @property
    def counted(self) -> dict[int, dict[str, Any]]:
        """What was counted of each revision, as it was written."""
        return dict(self._counted)

    @property
    def revisions(self) -> tuple[Revision, ...]:
        """The revisions that there are events of."""
        return tuple(self._revisions.values())

    @property
    def nothing(self) -> ServiceSnapshot:
        """The service without its desired state."""
        return self._service

    def service(self, desired: DesiredState) -> ServiceSnapshot:
        """The service, given its desired state."""
        current = [
            replace(self._revisions.get(one.revision, Revision(one)), target=one) for one in desired.targets
        ]
        numbers = {one.number for one in current}
        draining = (
            []
            if self.finished
            else [one for number, one in sorted(self._revisions.items()) if number not in numbers]
        )
        revisions = tuple(self._now(one) for one in (*current, *draining))
        now = replace(self._service, desired=desired, revisions=revisions)
        return replace(
            now,
            state=self._state(now),
            notes=(
                *self._service.notes,
                *(text for _, text in sorted(self._notes.items()) if text),
                *(
                    f"requests to {one.ref} are not kept: {one.log_error}"
                    for one in revisions
                    if one.log_error
                ),
                *self.notes,
            ),
        )

    def _now(self, one: Revision) -> Revision:
        if self.finished and one.state is not RevisionState.FAILED:
            return replace(one, state=RevisionState.STOPPED, share=None)
        return one

    def _state(self, now: ServiceSnapshot) -> ServiceState:
        if self._driver.finished:
            stopped = self._driver is RunState.CANCELED or self._lost
            return ServiceState.STOPPED if stopped else ServiceState.FAILED
        if not any(one.share for one in now.revisions):
            return ServiceState.PENDING
        failed = [one for one in now.current if one.state is not RevisionState.READY and one.error]
        out = [one for one in now.current if one.percent and not one.share]
        reached = now.observed >= now.desired.generation
        return ServiceState.DEGRADED if failed or now.error or (reached and out) else ServiceState.READY

    def _part(self, event: Event) -> int:
        return int(event.task) if event.task.isdecimal() else 0

    def _concerns(self, event: Event) -> bool:
        """Whether its revision is still there: what was written of one after its end says nothing."""
        return self._part(event) not in self._retired

    # -- the service

    def _on_created(self, event: Event) -> None:
        self._service = replace(self._service, created=event.data["created"])

    def _on_state(self, event: Event) -> None:
        state = RunState(event.data["state"])
        if state is RunState.PENDING:
            self._begin_anew()
        self._driver = state
        self._service = replace(
            self._service,
            error=event.data.get("error", ""),
            started=event.time if state is RunState.RUNNING else self._service.started,
            finished=event.time if state.finished else None,
        )
        if state.finished:
            self._notes.clear()

    def _begin_anew(self) -> None:
        """It is started again: what was counted and checked is still true."""
        self._lost = False
        self._service = replace(self._service, observed=0, url="")
        self._revisions = {
            number: replace(
                one, state=RevisionState.PENDING, share=None, error="", restarts=0, ready_since=None
            )
            for number, one in self._revisions.items()
        }

    def _on_lost(self, event: Event) -> None:
        del event
        self._lost = True

    def _on_address(self, event: Event) -> None:
        self._service = replace(self._service, url=event.data["url"])

    def _on_observed(self, event: Event) -> None:
        data = event.data
        shares = {int(number): float(share) for number, share in data["shares"].items()}
        self._service = replace(self._service, observed=data["generation"], error=data["error"])
        for number, one in self._revisions.items():
            self._revisions[number] = replace(one, share=shares.get(number, 0.0))

    def _on_note(self, event: Event) -> None:
        self._notes[self._part(event)] = str(event.data["text"])

    # -- a revision

    def _on_revision(self, event: Event) -> None:
        stored = event.data["target"]
        target = self._made(Target, {**stored, "trust": tuple(stored["trust"])})
        self._revisions[self._part(event)] = Revision(target)

    def _on_revision_state(self, event: Event) -> None:
        data, state = event.data, RevisionState(event.data["state"])
        one = self._revisions[self._part(event)]
        self._revisions[self._part(event)] = replace(
            one,
            state=state,
            error=data["error"],
            restarts=data["restarts"],
            log_error=data.get("log_error", ""),
            ready_since=event.time if state is RevisionState.READY else None,
        )

    def _on_parity(self, event: Event) -> None:
        parity = Parity(event.data["passed"], event.data["report"])
        self._revisions[self._part(event)] = replace(self._revisions[self._part(event)], parity=parity)

    def _on_counters(self, event: Event) -> None:
        known = {name: value for name, value in event.data.items() if name in self.FIELDS["counters"]}
        counters = self._counters(known)
        self._counted[self._part(event)] = known
        self._revisions[self._part(event)] = replace(self._revisions[self._part(event)], counters=counters)

    def _counters(self, data: Mapping[str, Any]) -> Counters:
        bounds = (*BOUNDS, float("inf"))
        failures = tuple(self._made(RequestFailure, one) for one in data.get("failures", ()))
        latency = tuple(zip(bounds, data["latency"], strict=True)) if "latency" in data else ()
        recent = tuple(CountSample(*one) for one in data.get("recent", ()))
        paired = CountSample(*data["paired"]) if data.get("paired") else None
        made = {"latency": latency, "failures": failures, "recent": recent, "paired": paired}
        return Counters(**{**data, **made})

    def _on_retired(self, event: Event) -> None:
        self._retired.add(self._part(event))
        self._revisions.pop(self._part(event), None)
        self._notes.pop(self._part(event), None)
        self._counted.pop(self._part(event), None)
