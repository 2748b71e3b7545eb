"""What runs occupied, as the data of events: without what is 0 or unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from kfnb.entities import Amounts, Purpose, Usage

_USAGE = frozenset(one.name for one in fields(Usage))
_AMOUNTS = frozenset(one.name for one in fields(Amounts))
_ROUNDED = 9
"""Decimals of amounts: a thousandth of a second of a core."""


def usage_data(usage: Usage) -> dict[str, Any]:
    """An attempt as JSON."""
    data = {name: value for name, value in asdict(usage).items() if value not in (0, None, "")}
    return {**data, "seconds": round(usage.seconds, 3), "purpose": str(usage.purpose)}


def usage_of(data: Mapping[str, Any]) -> Usage:
    """The inverse; without what a newer kfnb has written."""
    known = {name: value for name, value in data.items() if name in _USAGE}
    return Usage(**{**known, "purpose": Purpose(data.get("purpose", Purpose.WORK))})


def amounts_data(totals: Mapping[Purpose, Amounts]) -> dict[str, Any]:
    """Amounts by purpose as JSON."""
    return {str(purpose): _of_amounts(one) for purpose, one in totals.items()}


def _of_amounts(amounts: Amounts) -> dict[str, Any]:
    numbers = {
        name: round(value, _ROUNDED)
        for name, value in (
            ("cores", amounts.cores),
            ("memory", amounts.memory),
            ("storage", amounts.storage),
        )
        if value
    }
    gpus = {model: round(hours, _ROUNDED) for model, hours in amounts.gpus.items()}
    return {
        **numbers,
        **({"gpus": gpus} if gpus else {}),
        **({"unknown": amounts.unknown} if amounts.unknown else {}),
    }


def amounts_of(data: Mapping[str, Any]) -> dict[Purpose, Amounts]:
    """The inverse; without the purposes and resources that a newer kfnb has written."""
    known = {str(one) for one in Purpose}
    return {
        Purpose(purpose): Amounts(**{name: value for name, value in one.items() if name in _AMOUNTS})
        for purpose, one in data.items()
        if purpose in known
    }
