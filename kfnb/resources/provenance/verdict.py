"""Whether a run gave what another one gave: to the last bit, within a tolerance, in its metrics, or not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from kfnb.resources.provenance.differences import FactDifference

TOLERANCE = 1e-6
"""The largest relative difference that rounding is taken to explain."""


class Agreement(str, Enum):
    """How far the results of two runs agree."""

    BITWISE = "bitwise"
    TOLERANCE = "within tolerance"
    METRICS = "same metrics"
    DIFFERENT = "different"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class OutcomePair:
    """An output or a metric of both runs. ``distance`` is the largest relative difference of its numbers.

    It is 0 where they are equal, infinite where more differs than numbers, and None where it is not known: ``why``
    says that.
    """

    name: str
    before: Any
    after: Any
    distance: float | None
    metric: bool = False
    why: str = ""

    @property
    def close(self) -> bool:
        """Whether rounding explains the difference."""
        return self.distance is not None and self.distance <= TOLERANCE


@dataclass(frozen=True)
class RunVerdict:
    """How far two runs agree, in each of their results, and which difference most likely explains that they do not."""

    agreement: Agreement
    outcomes: tuple[OutcomePair, ...]
    cause: FactDifference | None = None
    note: str = ""

    @property
    def largest(self) -> float:
        """The largest known relative difference."""
        return max((one.distance for one in self.outcomes if one.distance is not None), default=0.0)
