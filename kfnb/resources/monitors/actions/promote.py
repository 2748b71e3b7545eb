"""``promote``: let the candidate be the default, once it has answered enough requests as well as the default."""

from __future__ import annotations

from kfnb.errors import UsageError
from kfnb.resources.monitors.actions.occasion import AlarmStep, Occasion, StepOutcome
from kfnb.resources.services.comparison import comparison_of
from kfnb.resources.services.handle import Service
from kfnb.resources.services.model import ServiceSnapshot
from kfnb.resources.services.targets import aliases_of

REQUESTS = 200
"""Requests that a canary answers before it is promoted, where no number is given."""


def _take(occasion: Occasion) -> StepOutcome:
    candidate, service = occasion.candidate, occasion.service()
    now = service.snapshot()
    if now.desired.default.ref == candidate:
        return StepOutcome("done", f"{candidate} is the default", version=candidate)
    canary = next((one for one in now.current if one.role == "canary" and one.ref == candidate), None)
    if canary is None:
        detail = f"{candidate} is not the canary: put canary:PERCENT before promote"
        return StepOutcome("failed", detail, version=candidate)
    needed = _requests(occasion.argument)
    if canary.counters.requests < needed:
        detail = f"{canary.counters.requests:,} requests of {needed:,} to {candidate}"
        return StepOutcome("waiting", detail, version=candidate)
    if _fails_more_often(now):
        service.rollback(because=f"{occasion.because}; the canary fails more often than the default")
        return StepOutcome(
            "failed", f"{candidate} fails more often than the default: rolled back", version=candidate
        )
    moved = _promote(service, now, occasion.because)
    return StepOutcome("done", f"{candidate} is the default{moved}", version=candidate)


def _promote(service: Service, now: ServiceSnapshot, because: str) -> str:
    """Promote the canary, with the alias that the default was served by; what was moved, in words."""
    default, notes = now.desired.default, list[str]()
    alias = default.alias if default.alias in aliases_of(default) else False
    service.promote(alias=alias, because=because, notify=notes.append)
    return f"; {'; '.join(notes)}" if notes else ""


def _fails_more_often(now: ServiceSnapshot) -> bool:
    found = comparison_of(now)
    return found is not None and found.verdict == "worse"


def _requests(argument: str) -> int:
    return int(argument or REQUESTS)


def _check(argument: str) -> None:
    if argument and not (argument.isdecimal() and int(argument)):
        raise UsageError(
            f"--then promote:{argument}: not a number of requests", hint="write promote, or promote:1000"
        )


def _plan(occasion: Occasion) -> str:
    return f"let the candidate be the default after {_requests(occasion.argument):,} requests"


PROMOTE_STEP = AlarmStep(
    "promote",
    f"let the canary be the default after promote:REQUESTS (default {REQUESTS})",
    _check,
    _plan,
    _take,
)
