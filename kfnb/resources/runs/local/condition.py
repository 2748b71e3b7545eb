"""Conditions of If, Elif and Else: CEL expressions over a task's inputs, as KFP's compiler writes them.

The library is cel-python: of the three on PyPI it is the only one without compiled code that supports Python 3.10.
It is stricter than the cluster's CEL in one point: it does not compare an integer with a double. KFP's numbers are all
doubles, so numbers are compared as numbers here, regardless of their CEL types.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from kfnb import compat
from kfnb.resources.runs.local.step_errors import StepFault

_RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "_<_": operator.lt,
    "_<=_": operator.le,
    "_>_": operator.gt,
    "_>=_": operator.ge,
    "_==_": operator.eq,
    "_!=_": operator.ne,
}


def warm_up() -> None:
    """Import the CEL library, which takes 0.3 s, and run its one-time initialization."""
    holds("true", {})


def holds(expression: str, inputs: Mapping[str, Any]) -> bool:
    """Whether ``expression`` is true of ``inputs``. Raises ``StepFault`` if it cannot be evaluated."""
    import celpy
    from celpy.celparser import CELParseError
    from celpy.evaluation import CELEvalError

    try:
        environment = celpy.Environment()
        program = environment.program(environment.compile(expression), functions=_functions())
        values = {name: _cel(value) for name, value in inputs.items()}
        parameters = celpy.celtypes.MapType({"parameter_values": celpy.celtypes.MapType(values)})
        result = program.evaluate({"inputs": parameters})
    except (CELParseError, CELEvalError, ValueError, TypeError) as error:
        raise StepFault(f"cannot evaluate the condition {expression}: {_reason(error)}") from None
    if not isinstance(result, celpy.celtypes.BoolType):
        raise StepFault(f"the condition {expression} is {result!r}, neither true nor false")
    return bool(result)


def _cel(value: Any) -> Any:
    """A value in CEL's types; every number is a double, as in KFP's protobuf."""
    from celpy import celtypes
    from celpy.adapter import json_to_cel

    if isinstance(value, int | float) and not isinstance(value, bool):
        return celtypes.DoubleType(value)
    return json_to_cel(value)


def _functions() -> dict[str, Any]:
    known = compat.cel_functions()
    return {name: _relation(known[name], compare) for name, compare in _RELATIONS.items()}


def _relation(strict: Any, compare: Callable[[Any, Any], Any]) -> Any:
    """CEL's relation ``strict``, widened: numbers of two types are compared as numbers."""
    from celpy import celtypes

    numbers = (celtypes.IntType, celtypes.UintType, celtypes.DoubleType)

    def relation(left: Any, right: Any) -> Any:
        if isinstance(left, numbers) and isinstance(right, numbers):
            plain = [float(n) if isinstance(n, celtypes.DoubleType) else int(n) for n in (left, right)]
            return celtypes.BoolType(compare(*plain))
        return strict(left, right)

    return relation


def _reason(error: Exception) -> str:
    first = error.args[0] if error.args else ""
    lines = str(first).strip().splitlines()
    return lines[0] if lines else type(error).__name__
