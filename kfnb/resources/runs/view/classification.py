"""The content of KFP's ``ClassificationMetrics``: a ROC curve and a confusion matrix, read from their metadata.

Steps can write any metadata; what does not have the expected shape is read as None, and shown as plain
values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeGuard


@dataclass(frozen=True)
class Roc:
    """A ROC curve: (false positive rate, recall) from the lower left to the upper right."""

    points: tuple[tuple[float, float], ...]

    @property
    def area(self) -> float:
        """The area under the curve, by trapezoids."""
        return sum((right[0] - left[0]) * (right[1] + left[1]) / 2 for left, right in pairwise(self.points))


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix: ``counts[actual][predicted]``."""

    classes: tuple[str, ...]
    counts: tuple[tuple[float, ...], ...]


def read_roc(metadata: Mapping[str, Any]) -> Roc | None:
    """The curve in ``confidenceMetrics``, with its ends at (0, 0) and (1, 1)."""
    rows = _unwrap(metadata.get("confidenceMetrics"))
    if not _is_list(rows) or not rows:
        return None
    points = {(0.0, 0.0), (1.0, 1.0)}
    for row in rows:
        point = _rates(row)
        if point is None:
            return None
        points.add(point)
    return Roc(tuple(sorted(points)))


def _rates(row: Any) -> tuple[float, float] | None:
    if not isinstance(row, Mapping):
        return None
    pair = _number(row.get("falsePositiveRate")), _number(row.get("recall"))
    if pair[0] is None or pair[1] is None or not all(0 <= rate <= 1 for rate in (pair[0], pair[1])):
        return None
    return pair[0], pair[1]


def read_confusion(metadata: Mapping[str, Any]) -> Confusion | None:
    """The matrix in ``confusionMatrix``."""
    matrix = _unwrap(metadata.get("confusionMatrix"))
    if not isinstance(matrix, Mapping):
        return None
    specs, rows = matrix.get("annotationSpecs"), matrix.get("rows")
    if not _is_list(specs) or not _is_list(rows) or not specs:
        return None
    classes = tuple(str(spec.get("displayName", "")) for spec in specs if isinstance(spec, Mapping))
    counts = tuple(_counts(row) for row in rows)
    square = len(counts) == len(classes) and all(len(row) == len(classes) for row in counts)
    return Confusion(classes, counts) if square else None


def _counts(row: Any) -> tuple[float, ...]:
    """A row's numbers; empty, which does not fit a square matrix, if a value is not a number."""
    values = row.get("row") if isinstance(row, Mapping) else row
    numbers = [_number(value) for value in values] if _is_list(values) else []
    known = tuple(number for number in numbers if number is not None)
    return known if len(known) == len(numbers) else ()


def _unwrap(value: Any) -> Any:
    """KFP's metadata store wraps lists and structures in an object of one key."""
    if isinstance(value, Mapping) and len(value) == 1:
        return value.get("list", value.get("struct", value))
    return value


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
