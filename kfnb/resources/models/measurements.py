"""The measurements of a version: its metrics by the version of the data that they were measured on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kfnb.resources.models.model import VersionSnapshot


def with_measurements(kept: VersionSnapshot, draft: VersionSnapshot) -> VersionSnapshot:
    """``kept`` with the measurements of a ``draft`` of the same model; on the same data, the draft's replace others.

    A measurement of the draft is left out if its reference names other data in ``kept``.
    """
    found = {data: dict(metrics) for data, metrics in kept.measured.items()}
    measured = {data: metrics for data, metrics in draft.measured.items() if is_same_data(kept, draft, data)}
    for data, metrics in measured.items():
        found[data] = {**found.get(data, {}), **metrics}
    if (
        draft.metrics_data and draft.metrics_data in measured
    ):  # the same numbers, whose data was unknown until now
        unknown = found.get("", {}).items()
        found[""] = {name: value for name, value in unknown if draft.metrics.get(name) != value}
    found = {data: metrics for data, metrics in found.items() if metrics}
    newest = draft.metrics_data if draft.metrics and draft.metrics_data in measured else kept.metrics_data
    digests = {**draft.data_digests, **kept.data_digests}
    return replace(
        kept, metrics=found.pop(newest, {}), metrics_data=newest, others=found, data_digests=digests
    )


def is_same_data(one: VersionSnapshot, other: VersionSnapshot, data: str) -> bool:
    """Whether a reference of a data version names the same content in both, as far as their digests tell."""
    digests = {found.data_digests[data] for found in (one, other) if data in found.data_digests}
    return len(digests) < 2  # noqa: PLR2004 - two different ones


def without_measurements(draft: VersionSnapshot, kept: VersionSnapshot) -> VersionSnapshot:
    """A draft without the metrics that ``kept`` has on the same data, whatever their values."""
    left = {
        data: {name: value for name, value in metrics.items() if name not in kept.measured.get(data, {})}
        for data, metrics in draft.measured.items()
    }
    others = {data: metrics for data, metrics in left.items() if metrics and data != draft.metrics_data}
    return replace(draft, metrics=left.get(draft.metrics_data, {}), others=others)


def remarks(before: VersionSnapshot, draft: VersionSnapshot, after: VersionSnapshot) -> list[str]:
    """Notes on a version that was registered again: what changed, and what of the draft was not kept."""
    found = []
    for data, metrics in draft.measured.items():
        was, now = before.measured.get(data, {}), after.measured.get(data, {})
        on = f" on {data}" if data else ""
        for name, value in metrics.items():
            if not is_same_data(before, draft, data):
                found.append(f"{name} = {value:g}{on} was not kept: its {data} has other content")
            elif now.get(name) != value:
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
