"""What labels that come later say of a version, and what becomes of them."""

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


@dataclass(frozen=True)
class FeedbackReceipt:
    """What became of some labels: new ones, those that replace another one, and those that were there already.

    ``missing`` are rows whose label is not known yet. ``unknown`` are the ids of requests that the service does not
    remember.
    """

    new: int = 0
    corrected: int = 0
    repeated: int = 0
    missing: int = 0
    unknown: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The same in words."""
        parts = [f"{self.new:,} new label{'' if self.new == 1 else 's'}"]
        parts += [f"{self.corrected:,} corrected"] if self.corrected else []
        parts += [f"{self.repeated:,} known already"] if self.repeated else []
        parts += [f"{self.missing:,} missing"] if self.missing else []
        some = ", ".join(self.unknown[:3]) + (", ..." if len(self.unknown) > 3 else "")  # noqa: PLR2004 - examples
        parts += [f"{len(self.unknown):,} unknown requests ({some})"] if self.unknown else []
        return ", ".join(parts)
