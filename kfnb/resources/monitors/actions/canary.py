"""``canary:PERCENT``: give the candidate a share of the requests."""

from __future__ import annotations

from kfnb.errors import UsageError
from kfnb.resources.monitors.actions.occasion import AlarmStep, Occasion, StepOutcome
from kfnb.resources.services.model import RevisionState
from kfnb.resources.services.moves import check_percent


def _take(occasion: Occasion) -> StepOutcome:
    candidate, service = occasion.candidate, occasion.service()
    now = service.snapshot()
    shown = next((one for one in now.revisions if one.role == "canary" and one.ref == candidate), None)
    if shown is None:
        if occasion.begun is not None and occasion.begun.state == "started":
            return StepOutcome("failed", f"{candidate} is not the canary any more", version=candidate)
        default = now.desired.default
        service.canary(
            candidate,
            int(occasion.argument),
            because=occasion.because,
            pickle=default.pickle,
            trust=default.trust,
        )
        return StepOutcome("started", f"{candidate} is started", version=candidate)
    if shown.state is RevisionState.FAILED:
        return StepOutcome("failed", f"{candidate} cannot be served: {shown.error}", version=candidate)
    if shown.state is not RevisionState.READY:
        return StepOutcome("started", f"{candidate} is {str(shown.state).lower()}", version=candidate)
    return StepOutcome("done", f"{candidate} gets {shown.percent} % of the requests", version=candidate)


def _check(argument: str) -> None:
    try:
        check_percent(int(argument))
    except ValueError:
        raise UsageError(
            f"--then canary:{argument}: a percentage is missing", hint="write canary:1"
        ) from None


def _plan(occasion: Occasion) -> str:
    return f"give the candidate {occasion.argument} % of the requests"


CANARY_STEP = AlarmStep("canary", "give the candidate canary:PERCENT of the requests", _check, _plan, _take)
