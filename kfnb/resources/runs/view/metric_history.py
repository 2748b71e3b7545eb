"""The curves of ``kf.log_metrics(step=...)`` in a step's ``Metrics``, beside each metric's last value.

Steps can write any metadata; what does not have the expected shape is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kfnb.entities import Artifact, Task

CURVES = "kfnb_curves"
"""The key of the curves: ``{"loss": [[step, value], ...]}``."""

# larger differences overflow
_LARGEST = 1e100

Points = tuple[tuple[float, float], ...]


def read_curves(metadata: Mapping[str, Any]) -> dict[str, Points]:
    """The curves of some metrics, by name."""
    curves = metadata.get(CURVES)
    if isinstance(curves, Mapping) and isinstance(curves.get("struct"), Mapping):
        curves = curves["struct"]  # KFP's metadata store wraps structures
    if not isinstance(curves, Mapping):
        return {}
    read = {str(name): _points(points) for name, points in curves.items()}
    return {name: points for name, points in read.items() if points}


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
    return tuple((float(point[0]), float(point[1])) for point in points if _is_point(point))


def _is_point(point: Any) -> bool:
    pair = isinstance(point, Sequence) and not isinstance(point, str | bytes) and len(point) == 2  # noqa: PLR2004
    return pair and all(map(_is_number, point))


def _is_number(value: Any) -> bool:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return known and abs(value) < _LARGEST
