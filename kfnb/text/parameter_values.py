"""Numbers of parameters: what JSON and protobuf make of Python's.

KFP hands values on as protobuf's, whose numbers are doubles, and writes them as JSON for a step, without a fraction
where there is none. So a step gets 3 for 3.0, here as on the cluster. The declared type of a parameter says which
numbers are floats where one is shown; inside lists and dicts nothing is declared, and a whole number is an integer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_EXACT = 2**53
"""Doubles count exactly up to here."""

_LONGEST = 1e21
"""From here on JSON has an exponent, which Python reads as a float."""

_ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
"""What Go writes so in JSON."""


def plain(value: Any) -> Any:
    """``value`` as a step gets it: whole numbers are integers, as near as a double is; keys are sorted."""
    if isinstance(value, int) and not isinstance(value, bool) and _EXACT < abs(value) < _LONGEST:
        value = float(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < _LONGEST:
        return int(Decimal(repr(value)))  # the shortest digits that tell the double, as the cluster writes it
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: plain(value[name]) for name in sorted(value, key=str)}
    return value


def text(value: Any) -> str:
    """``value`` as the cluster writes it where a text is due: no exponents, JSON without blanks."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return format(Decimal(repr(value)).normalize(), "f")
    told = json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))
    return told.translate(_ESCAPED)


def typed(value: Any, kind: str) -> Any:
    """``value`` as the declared parameter type ``kind`` has it: numbers only, nothing else is changed."""
    if isinstance(value, bool):
        return value
    if kind == "NUMBER_INTEGER" and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind == "NUMBER_DOUBLE" and isinstance(value, int):
        return float(value)
    return value


def kept(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """An artifact's metadata as ML Metadata keeps them: a truth value is 1 or 0."""
    return {name: int(value) if isinstance(value, bool) else plain(value) for name, value in metadata.items()}


def wrapped(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """An artifact's metadata as a step that takes the artifact gets them: lists and dicts each in a dict of its own."""
    return {name: _wrap(value) for name, value in kept(metadata).items()}


def unwrapped(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """An artifact's metadata as they were before they were wrapped."""
    return {name: plain(_unwrap(value)) for name, value in metadata.items()}


def _wrap(value: Any) -> Any:
    if isinstance(value, list):
        return {"list": value}
    return {"struct": value} if isinstance(value, dict) else value


def _unwrap(value: Any) -> Any:
    if isinstance(value, dict) and (set(value) == {"list"} or set(value) == {"struct"}):
        return next(iter(value.values()))
    return value
