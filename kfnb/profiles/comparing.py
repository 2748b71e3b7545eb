"""Profiles compared and added up, as frozen data: the face of ``capture.embedded.distances`` and ``counting``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

from kfnb.capture.embedded.counting import kfnb_added
from kfnb.capture.embedded.distances import kfnb_distances, kfnb_drift_score
from kfnb.entities.distance import ColumnDistance
from kfnb.entities.profile import TableProfile


def distances(reference: TableProfile, window: TableProfile) -> tuple[ColumnDistance, ...]:
    """How far each column of a window is from the reference's; then those that one of them lacks."""
    found = kfnb_distances(reference.to_json(), window.to_json())
    return tuple(map(ColumnDistance.from_json, found))


def drift_score(found: Iterable[ColumnDistance], importance: Mapping[str, float]) -> float | None:
    """The drift of a model from 0 to 1: each column's PSI, at most 1, weighted by its importance.

    None where no column that was compared has an importance above 0.
    """
    return kfnb_drift_score([one.to_json() for one in found], dict(importance))


def added(counts: Iterable[TableProfile]) -> TableProfile:
    """The sum of counts into the bins of one reference. Raises ``ValueError`` for counts of different references."""
    parts: list[Mapping[str, Any]] = [one.to_json() for one in counts]
    return TableProfile.from_json(reduce(kfnb_added, parts))
