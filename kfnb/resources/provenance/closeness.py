"""How close two values are: the largest relative difference of their numbers, in tables, arrays and models too."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

FAR = math.inf
"""The distance of values that differ by more than numbers."""
_DEEPEST = 12
_MOST_OBJECTS = 1_000_000


def distance(one: Any, other: Any, depth: int = 0) -> float:
    """The largest relative difference of two values' numbers: 0 where they are equal, ``FAR`` where more differs.

    The difference of two numbers is relative to the larger one; in an array or a table's column, to its largest.
    """
    if _is_number(one) and _is_number(other):
        return _of_numbers(float(one), float(other))
    if type(one) is not type(other) or depth > _DEEPEST:
        return FAR
    for fits, of in _KINDS:
        if fits(one):
            return of(one, other, depth + 1)
    return _of_objects(one, other, depth + 1)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) or _is_a(value, "numpy", "number")


def _is_a(value: Any, module: str, name: str) -> bool:
    """Whether a value is of a library's class, which is not imported for that."""
    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and isinstance(value, kind)


def _of_numbers(one: float, other: float) -> float:
    if one == other or (math.isnan(one) and math.isnan(other)):
        return 0.0
    if not (math.isfinite(one) and math.isfinite(other)):
        return FAR
    return abs(one - other) / max(abs(one), abs(other))


def _of_items(one: Sequence[Any], other: Sequence[Any], depth: int) -> float:
    if len(one) != len(other):
        return FAR
    return max((distance(*pair, depth) for pair in zip(one, other, strict=True)), default=0.0)


def _of_mappings(one: Mapping[Any, Any], other: Mapping[Any, Any], depth: int) -> float:
    if one.keys() != other.keys():
        return FAR
    return max((distance(one[key], other[key], depth) for key in one), default=0.0)


def _of_arrays(one: Any, other: Any, depth: int) -> float:
    import numpy as np

    if one.shape != other.shape or one.dtype.names != other.dtype.names:
        return FAR
    if one.dtype.names:
        return max(_of_arrays(one[name], other[name], depth) for name in one.dtype.names)
    if {one.dtype.kind, other.dtype.kind} <= set("fciu"):
        return _of_numeric_arrays(one, other)
    if one.dtype.kind == "O" and one.size < _MOST_OBJECTS:
        return _of_items(list(one.flat), list(other.flat), depth)
    return 0.0 if np.array_equal(one, other) else FAR


def _of_numeric_arrays(one: Any, other: Any) -> float:
    import numpy as np

    wide = np.result_type(one, other, np.float64)
    first, second = one.astype(wide), other.astype(wide)
    finite = np.isfinite(first)
    if not np.array_equal(finite, np.isfinite(second)):
        return FAR
    if not np.array_equal(first[~finite], second[~finite], equal_nan=True):
        return FAR
    largest = max(np.abs(first[finite]).max(initial=0), np.abs(second[finite]).max(initial=0))
    return float(np.abs(first[finite] - second[finite]).max(initial=0) / largest) if largest else 0.0


def _of_tables(one: Any, other: Any, depth: int) -> float:
    if list(one.columns) != list(other.columns) or not one.index.equals(other.index):
        return FAR
    pairs = ((one.iloc[:, place], other.iloc[:, place]) for place in range(one.shape[1]))
    return max((_of_arrays(a.to_numpy(), b.to_numpy(), depth) for a, b in pairs), default=0.0)


def _of_series(one: Any, other: Any, depth: int) -> float:
    same = one.name == other.name and one.index.equals(other.index)
    return _of_arrays(one.to_numpy(), other.to_numpy(), depth) if same else FAR


def _of_tensors(one: Any, other: Any, depth: int) -> float:
    return _of_arrays(one.detach().cpu().numpy(), other.detach().cpu().numpy(), depth)


def _of_objects(one: Any, other: Any, depth: int) -> float:
    """Other objects, such as models: by their attributes, or by what they say of being equal."""
    own, others = getattr(one, "__dict__", None), getattr(other, "__dict__", None)
    if own and others:
        return _of_mappings(own, others, depth)
    try:
        if bool(one == other):
            return 0.0
        parts, of_other = (
            one.__reduce_ex__(2),
            other.__reduce_ex__(2),
        )  # as pickle takes it apart; nothing is run
    except Exception:  # a library's own comparison may raise anything, and not all can be taken apart
        return FAR
    if isinstance(parts, str) or isinstance(of_other, str) or parts[0] is not of_other[0]:
        return FAR
    return distance(list(parts[1:3]), list(of_other[1:3]), depth)


_KINDS: tuple[tuple[Callable[[Any], bool], Callable[[Any, Any, int], float]], ...] = (
    (lambda value: isinstance(value, Mapping), _of_mappings),
    (lambda value: isinstance(value, list | tuple), _of_items),
    (lambda value: _is_a(value, "numpy", "ndarray"), _of_arrays),
    (lambda value: _is_a(value, "pandas", "DataFrame"), _of_tables),
    (lambda value: _is_a(value, "pandas", "Series"), _of_series),
    (lambda value: _is_a(value, "torch", "Tensor"), _of_tensors),
)
"""How values of each kind are compared."""
