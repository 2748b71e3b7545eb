"""``rollback``: end the canary; without one, let the default before be the default again."""

from __future__ import annotations

from kfnb.resources.monitors.actions.occasion import AlarmStep, Occasion, StepOutcome, no_argument
from kfnb.resources.services.targets import aliases_of


def _take(occasion: Occasion) -> StepOutcome:
    service = occasion.service()
    default = service.snapshot().desired.default
    notes: list[str] = []
    alias = default.alias if default.alias in aliases_of(default) else False
    service.rollback(alias=alias, because=occasion.because, notify=notes.append)
    now = service.snapshot().desired.default
    return StepOutcome("done", "; ".join([f"{now.ref} gets all requests", *notes]), version=now.ref)


def _plan(occasion: Occasion) -> str:
    del occasion
    return "end the canary, or go back to the default before"


ROLLBACK_STEP = AlarmStep(
    "rollback", "end the canary, or go back to the default before", no_argument, _plan, _take
)
