"""How much a model depends on each column, as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ColumnImportance:
    """What the score loses without a column: the mean, and its standard deviation over the repetitions."""

    column: str
    mean: float
    deviation: float


@dataclass(frozen=True)
class ImportanceReport:
    """The importance of each column for a version, the largest first.

    ``score`` is ``accuracy`` for classes and ``R2`` for amounts; it was ``whole`` on ``rows`` rows, whose truth is in
    the column ``target``.
    """

    ref: str
    target: str
    score: str
    whole: float
    rows: int
    columns: tuple[ColumnImportance, ...]

    def to_frame(self) -> Any:
        """A pandas DataFrame with a row for each column: column, mean, deviation."""
        from kfnb.extras import require

        require("pandas", "to_frame")
        import pandas as pd

        return pd.DataFrame([asdict(one) for one in self.columns], columns=["column", "mean", "deviation"])
