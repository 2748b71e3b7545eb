"""Parameter values as text: what the cluster passes as text, and what a step wrote into its files."""

from __future__ import annotations

import json
import math
from enum import Enum
from typing import Any, Final

from kfnb.resources.runs.local.step_errors import StepFault
from kfnb.text.parameter_values import plain, text
from kfnb.text.shorten import shorten

_SHOWN = 80
"""Characters of an invalid value that an error shows."""


_TYPES: dict[str, tuple[type, ...]] = {
    "NUMBER_INTEGER": (int, float),
    "NUMBER_DOUBLE": (int, float),
    "BOOLEAN": (bool,),
    "LIST": (list,),
    "STRUCT": (dict,),
}


_BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}
"""The words that Go parses as booleans."""


class Missing(Enum):
    """The type of ``MISSING``, an optional input without a value (distinct from None)."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


def accepted(name: str, value: Any, kind: str) -> Any:
    """The ``value`` of an input of the declared type ``kind``; any value can become a STRING.

    Raises ``StepFault`` for a value of another type.
    """
    if kind == "STRING":
        return text(value)
    types = _TYPES.get(kind, (object,))
    if not isinstance(value, types) or (
        isinstance(value, bool) and bool not in types and object not in types
    ):
        raise StepFault(f"its input {name} is {shorten(repr(value), _SHOWN)}, which is not of type {kind}")
    return value


def parse(text: str, kind: str) -> Any:
    """The value that a step wrote as ``text`` into an output file of type ``kind``. Raises ``StepFault``."""
    try:
        return _parse(text, kind)
    except (ValueError, KeyError):
        raise StepFault(f"wrote {text[:_SHOWN]!r}, which is not of type {kind}") from None


def _parse(text: str, kind: str) -> Any:
    if kind == "NUMBER_INTEGER":
        return plain(int(text))
    if kind == "NUMBER_DOUBLE":
        return _finite(float(text))
    if kind == "BOOLEAN":
        return _BOOLEANS[text.strip()]
    if kind in ("LIST", "STRUCT"):
        value = finite_json(text)
        if not isinstance(value, _TYPES[kind]):
            raise ValueError(text)
        return plain(value)
    return text


def finite_json(text: str) -> Any:
    """Parse the JSON ``text``. Raises ``ValueError``, also for NaN and infinities, which are not valid JSON."""
    return json.loads(text, parse_constant=lambda name: _finite(float(name)))


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError(f"{number} is not JSON")
    return number
