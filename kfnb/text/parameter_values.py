"""Numbers of parameters, as JSON and protobuf represent them.

KFP passes values as protobuf, whose numbers are doubles, and writes them as JSON for a step, whole numbers without a
fraction. So a step gets 3 for 3.0, here as on the cluster. For display, the declared type of a parameter decides which
numbers are floats; inside lists and dicts there is no declared type, and a whole number is an integer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_EXACT = 2**53
"""Doubles represent all integers exactly up to this number."""

_LONGEST = 1e21
"""From this number on, JSON has an exponent, which Python reads as a float."""

_ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
"""The characters that Go escapes in JSON."""


def plain(value: Any) -> Any:
    """``value`` as a step gets it: whole numbers are integers, as near as a double is; keys are sorted."""
    if isinstance(value, int) and not isinstance(value, bool) and _EXACT < abs(value) < _LONGEST:
        value = float(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < _LONGEST:
        return int(
            Decimal(repr(value))
        )  # the shortest digits that identify the double, as the cluster writes it
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: plain(value[name]) for name in sorted(value, key=str)}
    return value


def text(value: Any) -> str:
    """``value`` as the cluster converts it to text: no exponents, JSON without blanks."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return format(Decimal(repr(value)).normalize(), "f")
    written = json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))
    return written.translate(_ESCAPED)


def typed(value: Any, kind: str) -> Any:
    """Convert numbers in ``value`` to the declared parameter type ``kind``; nothing else is changed."""
    if isinstance(value, bool):
        return value
    if kind == "NUMBER_INTEGER" and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind == "NUMBER_DOUBLE" and isinstance(value, int):
        return float(value)
    return value


def stored(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """An artifact's metadata as ML Metadata stores them: a truth value is 1 or 0."""
    return {name: int(value) if isinstance(value, bool) else plain(value) for name, value in metadata.items()}


def wrapped(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """An artifact's metadata as a step receives them: each list or dict is wrapped in a dict."""
    return {name: _wrap(value) for name, value in stored(metadata).items()}


def unwrapped(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """An artifact's metadata before they were wrapped."""
    return {name: plain(_unwrap(value)) for name, value in metadata.items()}


def _wrap(value: Any) -> Any:
    if isinstance(value, list):
        return {"list": value}
    return {"struct": value} if isinstance(value, dict) else value


def _unwrap(value: Any) -> Any:
    if isinstance(value, dict) and (set(value) == {"list"} or set(value) == {"struct"}):
        return next(iter(value.values()))
    return value
