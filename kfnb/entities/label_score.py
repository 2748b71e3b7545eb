"""What labels that come later say of a version that was served."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LabelScore:
    """How the predictions of one revision compare with the labels that came later.

    ``rows`` have a label, and ``correct`` of them were predicted so. ``numbers`` are rows in which prediction and label
    are numbers that are not both whole, and ``deviation`` is the sum of the distances of all numbers.
    """

    rows: int = 0
    correct: int = 0
    numbers: int = 0
    deviation: float = 0.0

    @property
    def accuracy(self) -> float | None:
        """The share of rows that were predicted right; None without labels, and for a model that predicts amounts."""
        return self.correct / self.rows if self.rows and not self.numbers else None

    @property
    def mean_error(self) -> float | None:
        """The mean distance of prediction and label of a model that predicts amounts; None for others."""
        return self.deviation / self.rows if self.rows and self.numbers else None
