"""``call:MODULE:FUNCTION``: a Python function, which is given what an alert tells."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from kfnb.diagnostics import logger
from kfnb.errors import UsageError
from kfnb.resources.monitors.actions.alert import message_of
from kfnb.resources.monitors.actions.occasion import AlarmStep, Occasion, StepOutcome

_logger = logger(__package__)


def text_of(function: Callable[..., Any]) -> str:
    """The step for a function. Raises ``UsageError`` for one that another process could not import."""
    module, name = getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
    if not module or module == "__main__" or "<" in name:
        hint = "put it into a module that can be imported, since alarms come when no notebook runs"
        raise UsageError(f"then: {name or function!r} is defined in the notebook:", hint=hint)
    return f"call:{module}:{name}"


def _function(argument: str) -> Callable[[dict[str, Any]], Any]:
    """The function of that name. Raises ``UsageError``."""
    module, _, name = argument.partition(":")
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"--then call:{argument}: {error}", hint="write call:MODULE:FUNCTION") from None
    if not callable(found):
        raise UsageError(f"--then call:{argument}: it is a {type(found).__name__}, not a function")
    called: Callable[[dict[str, Any]], Any] = found
    return called


def _take(occasion: Occasion) -> StepOutcome:
    try:
        found = _function(occasion.argument)(message_of(occasion))
    except UsageError:
        raise
    except Exception as error:  # whatever a user's function raises
        _logger.warning("%s failed.", occasion.argument, exc_info=True)
        return StepOutcome("failed", f"{occasion.argument} raised {type(error).__name__}: {error}")
    return StepOutcome("done", "called" if found is None else str(found)[:200])


def _check(argument: str) -> None:
    _function(argument)


def _plan(occasion: Occasion) -> str:
    return f"call {occasion.argument}"


CALL_STEP = AlarmStep("call", "call:MODULE:FUNCTION is called with the alarm as a dict", _check, _plan, _take)
