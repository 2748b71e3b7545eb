"""Amounts of money as text: the currency is always given, and what is not known is not 0."""

from __future__ import annotations

import math

UNKNOWN = "unknown"
_CENT, _HUNDRED, _LEAST = 0.01, 100.0, 1e-4


def money(amount: float | None, currency: str) -> str:
    """``12.34 USD``; two digits of what is less than a cent, no cents from 100 on; ``unknown`` for None."""
    if amount is None:
        return UNKNOWN
    size = abs(amount)
    if not size:
        return f"0 {currency}"
    if size < _LEAST:
        return f"< 0.0001 {currency}"
    if size >= _HUNDRED:
        return f"{amount:,.0f} {currency}"
    decimals = 2 if size >= _CENT else 1 - math.floor(math.log10(size))
    return f"{amount:.{decimals}f} {currency}"
