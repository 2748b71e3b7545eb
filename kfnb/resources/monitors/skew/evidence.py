"""What is known of a version's training and of what it is served: the evidence for causes of skew."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from kfnb.capture.embedded.counting import kfnb_Counter
from kfnb.capture.embedded.distances import kfnb_column_distance
from kfnb.resources.monitors.reference import Profile

LEAST_ROWS = 200
"""Served rows below which their distributions are not compared."""
CHANCE = 0.001
"""The probability that any column of a sample without skew is taken for one with it, for each cause."""

Part = Literal["input", "feature"]
"""A column as it comes, or as the transform makes it."""


@dataclass(frozen=True)
class ColumnEvidence:
    """A column of the training data, as a profile has it, and the newest values that were served.

    ``columns`` are as many as are compared. ``hours`` are counts of the training data by hour of the day, empty where
    the column has none.
    """

    name: str
    part: Part
    trained: Mapping[str, Any]
    values: Sequence[Any]
    columns: int = 1
    hours: Sequence[int] = ()

    @cached_property
    def counted(self) -> Mapping[str, Any]:
        """The served values in the bins of the training data."""
        return self._counted(self.values)

    @cached_property
    def distance(self) -> Mapping[str, Any]:
        """How far the served values are from the training data: see ``kfnb_column_distance``."""
        return kfnb_column_distance(dict(self.trained), dict(self.counted), self.columns)

    def distance_of(self, values: Sequence[Any]) -> Mapping[str, Any]:
        """How far other values are from the training data of the column."""
        return kfnb_column_distance(dict(self.trained), dict(self._counted(values)), self.columns)

    def _counted(self, values: Sequence[Any]) -> Mapping[str, Any]:
        counter = kfnb_Counter({"rows": self.trained["rows"], "columns": [dict(self.trained)]})
        counter.add({self.name: list(values)})
        found: Mapping[str, Any] = counter.profile()["columns"][0]
        return found

    @cached_property
    def numbers(self) -> list[float]:
        """The served values that are finite numbers."""
        plain = (one for one in self.values if isinstance(one, int | float) and not isinstance(one, bool))
        return [float(one) for one in plain if math.isfinite(one)]

    @cached_property
    def words(self) -> list[str]:
        """The served values that are texts."""
        return [one for one in self.values if isinstance(one, str)]

    @property
    def uneven(self) -> float:
        """What the squared error of a share is in proportion to."""
        return 1 / max(1, int(self.trained["rows"])) + 1 / max(1, len(self.values))

    @property
    def apart_by_chance(self) -> float:
        """The Kolmogorov-Smirnov distance that chance does not pass."""
        return math.sqrt(math.log(2 * self.columns / CHANCE) / 2 * self.uneven)

    @property
    def missing(self) -> tuple[float, float]:
        """The shares of missing values, in the training data and served."""
        before, now = self.distance["nulls"]
        return before, now

    @property
    def moved(self) -> float:
        """The share of its numbers that have moved, 0 where that is unknown or may be chance."""
        found = float(self.distance["ks"] or 0.0)
        return found if found > max(0.2, 2 * self.apart_by_chance) else 0.0


@dataclass(frozen=True)
class Replay:
    """Served rows that were transformed again by the transform of the training: how many, and how many differ.

    ``columns`` are the features that differ: in how many rows, and in one of them the value that was served and that
    of the training's transform.
    """

    rows: int
    columns: Mapping[str, tuple[int, Any, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class SkewEvidence:
    """All that is known of a version's training and serving.

    ``elapsed`` are seconds between the training data and the served rows. ``packages`` are by name the versions that
    the model was saved with and is served with, ``digests`` those of its files in the registry and in the service.
    """

    columns: tuple[ColumnEvidence, ...] = ()
    elapsed: float = 0.0
    packages: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    digests: tuple[str, str] = ("", "")
    replay: Replay | None = None


def columns_of(
    part: Part,
    trained: Profile,
    served: Mapping[str, Sequence[Any]],
    hours: Mapping[str, Sequence[int]],
) -> Iterator[ColumnEvidence]:
    """The columns that both have, where enough rows are known of each. ``hours`` are by part and name."""
    known = {str(one["name"]): one for one in trained.get("columns", ())}
    both = [name for name, column in known.items() if name in served and column.get("nulls") is not None]
    for name in both:
        if min(known[name]["rows"], len(served[name])) >= LEAST_ROWS:
            yield ColumnEvidence(
                name, part, known[name], served[name], len(both), hours.get(f"{part} {name}", ())
            )
