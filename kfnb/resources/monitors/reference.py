"""What windows are compared with: the baseline's profile, and how the version that is served does on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Profile = Mapping[str, Any]
"""A profile as JSON has it: see ``kfnb.capture.embedded.profiles``."""

Curve = Sequence[Sequence[float]]
"""Probabilities as a model gives them, ascending, and the shares of rows that were of the class."""

PREDICTION = "prediction"
"""The one column of a profile of predictions."""


@dataclass(frozen=True)
class MonitorReference:
    """What a version is watched against. ``data`` and ``version`` are references (``churn-data@2``, ``churn@7``).

    ``predictions`` is the profile of the version's predictions for the baseline; empty where it cannot be loaded here.
    ``importances`` add up to 1. ``usual`` are its metrics: those that were registered with it, else those on the
    baseline. ``spread`` is by column the largest distances of the baseline's own windows from all of it (``psi``,
    ``ks``, ``nulls``); ``prediction_spread`` and ``score_spread`` are those of predictions and score. ``training`` is
    the profile of the data that it was made of, where that is other data. ``source`` is the reference of that data,
    which may be the baseline, and empty where it is not known; it was ``gathered`` then. ``features`` is the profile of
    what the version's transform makes of it, ``hours`` are counts by hour of the day (of ``input since``).
    ``calibration`` has by class what its probabilities mean, ``uncalibrated`` is why that is not known.
    ``unweighted`` is why there are no importances. Times are in seconds since 1970.
    """

    data: str
    version: str
    profile: Profile
    inputs: tuple[str, ...] = ()
    predictions: Profile = field(default_factory=dict)
    importances: Mapping[str, float] = field(default_factory=dict)
    usual: Mapping[str, float] = field(default_factory=dict)
    spread: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    prediction_spread: float = 0.0
    score_spread: float = 0.0
    training: Profile = field(default_factory=dict)
    trained: float | None = None
    added: float | None = None
    notes: tuple[str, ...] = ()
    unweighted: str = ""
    source: str = ""
    gathered: float | None = None
    features: Profile = field(default_factory=dict)
    hours: Mapping[str, Sequence[int]] = field(default_factory=dict)
    calibration: Mapping[str, Curve] = field(default_factory=dict)
    uncalibrated: str = ""

    @property
    def key(self) -> str:
        """What windows are counted for: counts of another reference have other bins."""
        return f"{self.version} {self.data}"
