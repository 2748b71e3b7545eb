"""Numbers of parameters: what JSON and protobuf make of Python's, put right.

Both know doubles only: the constant 3 of a PipelineSpec reads 3.0, and so does a recorded value. The declared type of
the input says which numbers are integers; inside lists and dicts, where nothing is declared, an integral number is an
integer, as it is for a step on the cluster.
"""

from __future__ import annotations

from typing import Any

_EXACT = 2**53
"""Doubles count exactly up to here; above, an integral double is no claim to be an integer."""


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
