"""Quantities as Kubernetes writes them: ``8675m``, ``96Gi``, ``1e3``."""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "Pi": 2.0**50,
    "Ei": 2.0**60,
}
_QUANTITY = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([numkKMGTPE]?i?)")


def amount(text: object) -> float:
    """The number of a quantity; 0 for an invalid quantity."""
    found = _QUANTITY.fullmatch(str(text).strip())
    if found is None or found[2] not in _UNITS:
        return 0.0
    try:
        return float(found[1]) * _UNITS[found[2]]
    except ValueError:
        return 0.0


def times(text: str, factor: int) -> str:
    """A quantity multiplied by a number, in the same unit: ``1500m`` for three times ``500m``."""
    found = _QUANTITY.fullmatch(text.strip())
    return f"{Decimal(found[1]) * factor}{found[2]}" if found else text


def part(text: str, parts: int) -> str:
    """A quantity divided by a number, in the same unit: ``500m`` for a third of ``1500m``."""
    found = _QUANTITY.fullmatch(text.strip())
    return f"{(Decimal(found[1]) / parts).normalize():f}{found[2]}" if found else text
