"""Parameter values as text: what the cluster writes where a text is due, and what a step wrote into its files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from kfnb.backends.local.faults import StepFault
from kfnb.backends.parameters import plain

_SHOWN = 80
"""Characters of a bad value that an error shows."""


class Missing(Enum):
    """The type of ``MISSING``, an optional input that nobody gave (which is not None)."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


def text(value: Any) -> str:
    """``value`` as the cluster writes it where a text is due: no exponents, JSON without blanks."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return format(Decimal(repr(value)).normalize(), "f")
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def texts(values: Mapping[str, Any], kinds: Mapping[str, str]) -> dict[str, Any]:
    """``values`` with text for those whose declared type, in ``kinds``, is STRING, whatever they are."""
    return {name: text(value) if kinds.get(name) == "STRING" else value for name, value in values.items()}


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
