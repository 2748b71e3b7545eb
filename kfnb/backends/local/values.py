"""Parameter values: what JSON and the PipelineSpec make of Python's numbers, put right.

A PipelineSpec is protobuf written as JSON, which knows doubles only: the constant 3 reads 3.0. The declared type of
the input says which numbers are integers; inside lists and dicts, where nothing is declared, an integral number is an
integer, as it is for a step on the cluster.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import Any, Final

from kfnb.backends.local.faults import StepFault

_EXACT = 2**53
"""Doubles count exactly up to here; above, an integral double is no claim to be an integer."""


_SHOWN = 80
"""Characters of a bad value that an error shows."""


class Missing(Enum):
    """The type of ``MISSING``, an optional input that nobody gave (which is not None)."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


def plain(value: Any) -> Any:
    """A value that stands in a PipelineSpec, with integers again where protobuf wrote doubles."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return int(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return value


def typed(value: Any, kind: str) -> Any:
    """``value`` as the declared parameter type ``kind`` has it: numbers only, nothing else is changed."""
    if isinstance(value, bool):
        return value
    if kind == "NUMBER_INTEGER" and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind == "NUMBER_DOUBLE" and isinstance(value, int):
        return float(value)
    return value


def parse(text: str, kind: str) -> Any:
    """The value that a step wrote as ``text`` into an output file of type ``kind``. Raises ``StepFault``."""
    try:
        return _parse(text, kind)
    except ValueError:
        raise StepFault(f"wrote {text[:_SHOWN]!r} where a value of type {kind} was due") from None


def _parse(text: str, kind: str) -> Any:
    if kind == "NUMBER_INTEGER":
        number = float(text)
        return int(text) if text.strip().lstrip("+-").isdigit() else _integral(number)
    if kind == "NUMBER_DOUBLE":
        return float(text)
    if kind == "BOOLEAN":
        return bool(json.loads(text.strip().lower()))
    if kind in ("LIST", "STRUCT"):
        return json.loads(text)
    return text


def _integral(number: float) -> int:
    if not number.is_integer():
        raise ValueError(number)
    return int(number)
