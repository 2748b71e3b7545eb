"""The measurements of a version: its metrics by the version of the data that they were measured on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kfnb.resources.models.model import VersionSnapshot


def with_measurements(kept: VersionSnapshot, draft: VersionSnapshot) -> VersionSnapshot:
    """``kept`` with the measurements of a ``draft`` of the same content; on the same data, those of the draft hold."""
    found = {data: dict(metrics) for data, metrics in kept.measured.items()}
    for data, metrics in draft.measured.items():
        found[data] = {**found.get(data, {}), **metrics}
    if draft.metrics_data:  # the same numbers, whose data was unknown until now
        unknown = found.get("", {}).items()
        found[""] = {name: value for name, value in unknown if draft.metrics.get(name) != value}
    found = {data: metrics for data, metrics in found.items() if metrics}
    newest = draft.metrics_data if draft.metrics else kept.metrics_data
    return replace(kept, metrics=found.pop(newest, {}), metrics_data=newest, others=found)


def without_measurements(draft: VersionSnapshot, kept: VersionSnapshot) -> VersionSnapshot:
    """A draft without the metrics that ``kept`` has on the same data, whatever their values."""
    left = {
        data: {name: value for name, value in metrics.items() if name not in kept.measured.get(data, {})}
        for data, metrics in draft.measured.items()
    }
    others = {data: metrics for data, metrics in left.items() if metrics and data != draft.metrics_data}
    return replace(draft, metrics=left.get(draft.metrics_data, {}), others=others)


def remarks(before: VersionSnapshot, draft: VersionSnapshot, after: VersionSnapshot) -> list[str]:
    """What registering a version again has changed, and what of the draft was not kept."""
    found = []
    for data, metrics in draft.measured.items():
        was, now = before.measured.get(data, {}), after.measured.get(data, {})
        on = f" on {data}" if data else ""
        for name, value in metrics.items():
            if now.get(name) != value:
                found.append(f"{name} = {value:g}{on} was not kept")
            elif was.get(name, value) != value:
                found.append(f"{name} = {value:g}{on} replaces {was[name]:g}")
    if draft.parameters and _texts(draft.parameters) != _texts(before.parameters):
        found.append("the parameters stay as they were")
    if draft.description and draft.description != after.description:
        found.append("the description stays as it was")
    stay = [name for name, value in draft.tags.items() if after.tags.get(name) != value]
    if stay:
        found.append(f"the tag {', '.join(stay)} stays as it was")
    if before.state is not after.state:
        found.append("it was archived and is restored")
    return found


def _texts(values: Mapping[str, Any]) -> str:
    return json.dumps(dict(values), sort_keys=True, default=str)
