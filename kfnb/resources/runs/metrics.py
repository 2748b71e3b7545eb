"""The metrics of a task, from its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kfnb.entities import Artifact


def metrics(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers in a task's ``system.Metrics`` artifacts: floats, as KFP stores them."""
    return {
        name: float(value)
        for artifact in outputs.values()
        if isinstance(artifact, Artifact) and artifact.type == "system.Metrics"
        for name, value in artifact.metadata.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
