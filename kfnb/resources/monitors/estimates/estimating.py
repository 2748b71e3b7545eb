"""Metrics of rows without labels. They hold as long as labels depend on the rows as they did: no concept drift."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kfnb.errors import UsageError
from kfnb.resources.models.api import model
from kfnb.resources.monitors.estimates.calibration import class_name, probabilities, probability_right
from kfnb.resources.monitors.loaded import load_version
from kfnb.resources.monitors.model import MetricValue
from kfnb.resources.monitors.performance import CERTAIN
from kfnb.resources.monitors.reference import Curve, MonitorReference
from kfnb.resources.monitors.skew.serving import ServedRows
from kfnb.resources.monitors.skew.typed_table import typed_table
from kfnb.resources.services.model import Target


@dataclass(frozen=True)
class Estimates:
    """Estimated metrics, and notes of why there are none."""

    metrics: tuple[MetricValue, ...] = ()
    notes: tuple[str, ...] = ()


def estimates_of(reference: MonitorReference, rows: ServedRows, target: Target) -> Estimates:
    """The metrics of served rows, by what the version makes of them here; none where it is not calibrated."""
    try:
        return Estimates(_metrics(reference, rows, target))
    except UsageError as error:
        return Estimates(notes=(f"nothing can be estimated: {error}",))


def _metrics(reference: MonitorReference, rows: ServedRows, target: Target) -> tuple[MetricValue, ...]:
    """The metrics. Raises ``UsageError`` where the version cannot be asked, with the reason."""
    if not reference.calibration or not len(rows.predictions):
        return ()
    if any(name in reference.inputs for name in rows.hidden):
        raise UsageError(f"{', '.join(rows.hidden)} is not kept")
    version = model(f"{target.registry}:{target.ref}")
    loaded = load_version(version, target)
    try:
        table = typed_table(version, {name: rows.inputs[name] for name in reference.inputs})
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(str(error)) from None
    return estimated(reference.calibration, loaded.score(table), loaded.classes, rows.predictions)


def estimated(
    curves: Mapping[str, Curve], scores: Any, classes: Sequence[str], predicted: Sequence[Any]
) -> tuple[MetricValue, ...]:
    """Accuracy; of two classes, precision and recall of the larger one too. ``scores`` are probabilities by row."""
    import numpy as np

    names, own = list(map(class_name, classes)), np.array([class_name(one) for one in predicted])
    if set(names) != set(curves) or not len(own):
        return ()
    array = np.asarray(scores, float)
    right = probability_right(curves, names, array, own)
    found = [_share("accuracy", right)]
    if len(names) == 2:  # noqa: PLR2004 - two classes
        found += _of_positive(probabilities(curves, names, array)[:, 1], own == names[1])
    return tuple(found)


def _of_positive(probable: Any, predicted: Any) -> Iterator[MetricValue]:
    if predicted.any():
        yield _share("precision", probable[predicted])
    total = float(probable.sum())
    if total > 0:
        recall = float(probable[predicted].sum()) / total
        half = CERTAIN * math.sqrt(float((probable * (1 - probable)).sum())) / total
        yield _value("recall", recall, half, len(probable))


def _share(name: str, probable: Any) -> MetricValue:
    """The mean of probabilities, each of which is right or wrong."""
    rows = len(probable)
    half = CERTAIN * math.sqrt(float((probable * (1 - probable)).sum())) / rows
    return _value(name, float(probable.mean()), half, rows)


def _value(name: str, value: float, half: float, rows: int) -> MetricValue:
    return MetricValue(name, value, max(0.0, value - half), min(1.0, value + half), rows)
