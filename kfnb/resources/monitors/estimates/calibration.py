"""What the probabilities of a classifier mean: by class, the share of labelled rows that were of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

from kfnb.capture.embedded.profiles import kfnb_numeral
from kfnb.errors import UsageError
from kfnb.resources.monitors.reference import Curve
from kfnb.ui.words import digits

_BINS, _PARTS, _LEAST = 100, 4, 1_000
"""Bins of a curve; parts of the rows in each of which an estimate is checked; labelled rows that are needed."""
_TOLERANCE = 0.02
"""How far an estimated accuracy may be from the true one, beyond chance."""
_Z = NormalDist().inv_cdf(0.999)


def calibrated(
    scores: Any, classes: Sequence[str], predicted: Sequence[Any], labels: Sequence[Any]
) -> dict[str, Curve]:
    """By class, the curve of its probabilities. ``scores`` are a row of probabilities for each label.

    Raises ``UsageError`` where they are not probabilities, where there are too few, or where a half of the rows does
    not tell how accurate the predictions of the other half are.
    """
    import numpy as np

    array, names = np.asarray(scores, float), list(map(class_name, classes))
    if len(names) < 2 or array.min(initial=0.0) < 0 or np.abs(array.sum(axis=1) - 1).max(initial=0.0) > 1e-3:  # noqa: PLR2004
        raise UsageError("the model gives no probabilities of classes")
    if len(array) < _LEAST:
        raise UsageError(f"{len(array):,} labelled rows of {_LEAST:,} that a calibration needs")
    true = np.array([class_name(one) for one in labels])
    own = np.array([class_name(one) for one in predicted])
    half = curves_of(array[::2], names, true[::2])
    rows, right = array[1::2], (own == true)[1::2]
    expected = probability_right(half, names, rows, own[1::2])
    for part in range(_PARTS):
        some = slice(part * len(rows) // _PARTS, (part + 1) * len(rows) // _PARTS)
        estimate, real = float(expected[some].mean()), float(right[some].mean())
        chance = _Z * math.sqrt(max(real * (1 - real), 0.01) / len(right[some]))
        if abs(estimate - real) > _TOLERANCE + chance:
            raise UsageError(
                f"the model cannot be calibrated: of a part of the baseline, the estimated accuracy is"
                f" {digits(estimate, 3)}, and the true one {digits(real, 3)}"
            )
    return curves_of(array, names, true)


def curves_of(scores: Any, names: Sequence[str], labels: Any) -> dict[str, Curve]:
    """By class, probabilities and the shares of rows that were of it: ascending, by isotonic regression."""
    return {name: _curve(scores[:, place], labels == name) for place, name in enumerate(names)}


def probabilities(curves: Mapping[str, Curve], names: Sequence[str], scores: Any) -> Any:
    """Calibrated probabilities, which add up to 1 in each row."""
    import numpy as np

    found = np.stack(
        [np.interp(scores[:, place], curves[name][0], curves[name][1]) for place, name in enumerate(names)],
        axis=1,
    )
    sums = found.sum(axis=1, keepdims=True)
    return np.divide(found, sums, out=np.full_like(found, 1 / len(names)), where=sums > 0)


def probability_right(curves: Mapping[str, Curve], names: Sequence[str], scores: Any, predicted: Any) -> Any:
    """By row, how probable it is that the prediction is right; 0 of a class that is not known."""
    import numpy as np

    places = {name: place for place, name in enumerate(names)}
    of_row = np.array([places.get(str(one), -1) for one in predicted])
    found = probabilities(curves, names, scores)[np.arange(len(of_row)), of_row]
    return np.where(of_row >= 0, found, 0.0)


def class_name(value: Any) -> str:
    """What a class is known by, as a label, as a prediction and in the model: ``1`` for 1, 1.0 and ``1.0``."""
    text = str(value)
    try:
        return kfnb_numeral(float(text))
    except (ValueError, OverflowError):
        return text


def _curve(scores: Any, of_class: Any) -> Curve:
    import numpy as np

    order = np.argsort(scores, kind="stable")
    pieces = [one for one in np.array_split(order, min(_BINS, len(order))) if len(one)]
    pools: list[tuple[float, float, int]] = []  # mean score, share of the class, rows
    for one in pieces:
        pool = float(scores[one].mean()), float(of_class[one].mean()), len(one)
        while pools and pools[-1][1] >= pool[1]:
            pool = _pooled(pools.pop(), pool)
        pools.append(pool)
    return tuple(one[0] for one in pools), tuple(one[1] for one in pools)


def _pooled(one: tuple[float, float, int], other: tuple[float, float, int]) -> tuple[float, float, int]:
    rows = one[2] + other[2]
    score, share = (sum(a[place] * a[2] for a in (one, other)) / rows for place in (0, 1))
    return score, share, rows
