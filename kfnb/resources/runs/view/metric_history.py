"""The curves of ``kf.log_metrics(step=...)`` in a step's ``Metrics``, beside each metric's last value.

Steps can write any metadata; what does not have the expected shape is left out. A value that is not finite (``nan``)
is a point of a curve and is not drawn: words say since when there is one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from kfnb.entities import Artifact, Task
from kfnb.resources.runs.divergence import lost
from kfnb.text import finite
from kfnb.ui.words import number

CURVES = "kfnb_curves"
"""The key of the curves: ``{"loss": [[step, value], ...]}``."""

# larger differences overflow
_LARGEST = 1e100

Points = tuple[tuple[float, float], ...]


def read_curves(metadata: Mapping[str, Any]) -> dict[str, Points]:
    """The curves of some metrics, by name, in the order of their steps; those that have a finite value."""
    curves = metadata.get(CURVES)
    if isinstance(curves, Mapping) and isinstance(curves.get("struct"), Mapping):
        curves = curves["struct"]  # KFP's metadata store wraps structures
    if not isinstance(curves, Mapping):
        return {}
    read = {str(name): _points(points) for name, points in curves.items()}
    return {name: points for name, points in read.items() if drawn(points)}


def curves_of(task: Task) -> dict[str, Points]:
    """The curves of all metrics that a task logged."""
    metrics = [
        one for one in task.outputs.values() if isinstance(one, Artifact) and one.type == "system.Metrics"
    ]
    return {name: points for artifact in metrics for name, points in read_curves(artifact.metadata).items()}


def plain_metrics(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of metrics without their curves."""
    return {name: value for name, value in metadata.items() if name != CURVES}


def _points(points: Any) -> Points:
    if not isinstance(points, Sequence) or isinstance(points, str | bytes):
        return ()
    read = (_point(point) for point in points)
    return tuple(sorted((point for point in read if point is not None), key=lambda point: point[0]))


def _point(point: Any) -> tuple[float, float] | None:
    """A point, of which the step is finite; None for what is none."""
    if not isinstance(point, Sequence) or isinstance(point, str | bytes) or len(point) != 2:  # noqa: PLR2004
        return None
    step, value = point[0], finite.read(point[1])
    if not _is_number(step) or not (_is_number(value) or _is_lost(value)):
        return None
    return float(step), value if isinstance(value, float) else float(value)


def _is_number(value: Any) -> bool:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return known and abs(value) < _LARGEST


def _is_lost(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def drawn(points: Points) -> Points:
    """The points that a plot can draw: those whose value is finite."""
    return tuple(point for point in points if math.isfinite(point[1]))


def course(points: Points) -> str:
    """The first and the last finite value of a curve, and since when it is not finite."""
    values = [value for _, value in drawn(points)]
    ends = number(values[0]) if len(values) == 1 else f"{number(values[0])} → {number(values[-1])}"
    return ", then ".join(filter(None, (ends, lost(points))))
