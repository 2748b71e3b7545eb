"""All kinds of steps, by name; and how one is taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from kfnb.diagnostics import logger
from kfnb.errors import KfnbError, UsageError, did_you_mean
from kfnb.resources.monitors.actions.alert import ALERT_STEP, address_of, shown
from kfnb.resources.monitors.actions.call import CALL_STEP, text_of
from kfnb.resources.monitors.actions.canary import CANARY_STEP
from kfnb.resources.monitors.actions.compare import COMPARE_STEP
from kfnb.resources.monitors.actions.occasion import AlarmStep, Occasion, StepOutcome
from kfnb.resources.monitors.actions.promote import PROMOTE_STEP
from kfnb.resources.monitors.actions.retrain import RETRAIN_STEP
from kfnb.resources.monitors.actions.rollback import ROLLBACK_STEP
from kfnb.resources.monitors.model import ALERT, Action, argument_of, kind_of

_logger = logger(__package__)

STEPS: Mapping[str, AlarmStep] = {
    one.name: one
    for one in (
        ALERT_STEP,
        RETRAIN_STEP,
        COMPARE_STEP,
        CANARY_STEP,
        PROMOTE_STEP,
        ROLLBACK_STEP,
        CALL_STEP,
    )
}
"""Every kind of step."""


def checked(then: tuple[str | Callable[..., Any], ...]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The steps as they are kept and shown, and the addresses of webhooks by these. Raises ``UsageError``."""
    texts = [text_of(one) if callable(one) else str(one).strip() for one in then]
    for text in texts:
        _step(text).check(argument_of(text))
    names = tuple(_names(texts))
    pairs = zip(names, map(address_of, texts), strict=True)
    return names, {name: address for name, address in pairs if address}


def take(occasion: Occasion) -> StepOutcome:
    """Take a step, or see how far it is. What goes wrong is its outcome."""
    step = _step(occasion.text)
    if occasion.spec.dry_run and kind_of(occasion.text) != ALERT:
        return StepOutcome("planned", f"dry run: it would {step.plan(occasion)}")
    try:
        return step.take(occasion)
    except KfnbError as error:
        return StepOutcome("failed", str(error))
    except Exception as error:
        _logger.exception("A step failed.")
        return StepOutcome("failed", f"{type(error).__name__}: {error}")


def after(occasion: Occasion, attempt: int, place: int, outcome: StepOutcome) -> Action:
    """The step as it is kept after an outcome."""
    begun = occasion.begun
    return Action(
        occasion.alarm.number,
        place,
        occasion.text,
        outcome.state,
        occasion.now if begun is None or begun.state == "held" else begun.since,
        occasion.now,
        outcome.detail,
        outcome.run or (begun.run if begun else ""),
        outcome.version or (begun.version if begun else ""),
        attempt,
    )


def _names(texts: Iterable[str]) -> Iterator[str]:
    """The steps as they are shown. A number tells the webhooks of one host apart."""
    webhooks: Counter[str] = Counter()
    for text in texts:
        name = shown(text)
        webhooks[name] += bool(address_of(text))
        yield name if webhooks[name] < 2 else f"{name} ({webhooks[name]})"  # noqa: PLR2004 - the second one


def _step(text: str) -> AlarmStep:
    name = kind_of(text)
    if name not in STEPS:
        hint = did_you_mean(name, STEPS, f"steps are {', '.join(STEPS)}")
        raise UsageError(f"--then {text}: unknown step {name}:", hint=hint, ref=text)
    return STEPS[name]
