"""The metrics of a task, from its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kfnb.entities import Artifact
from kfnb.text.finite import read


def metrics(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers in a task's ``system.Metrics`` artifacts: floats, as KFP stores them, and what is not finite."""
    return {
        name: number if isinstance(number, float) else float(number)
        for artifact in outputs.values()
        if isinstance(artifact, Artifact) and artifact.type == "system.Metrics"
        for name, number in ((name, read(value)) for name, value in artifact.metadata.items())
        if isinstance(number, int | float) and not isinstance(number, bool)
    }
