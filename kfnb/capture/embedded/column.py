"""The values of a column of a table, by what they are."""

from __future__ import annotations

from typing import Any


class kfnb_Column:  # noqa: N801 - a class that travels
    """The values of a column by what they are: a column of Python objects may hold several kinds.

    ``numbers`` are an array, in which NaN is a missing value, as the ``nulls`` are. ``ticks`` are integers, which count
    ``unit`` since 1970. ``words`` are the counts of texts and truth values. ``others`` counts values of no such kind.
    """

    def __init__(
        self,
        kind: str,
        rows: int,
        nulls: int = 0,
        *,
        numbers: Any = None,
        ticks: Any = None,
        unit: str = "us",
        words: dict[str, int] | None = None,
        others: int = 0,
    ) -> None:
        self.kind = kind
        self.rows = rows
        self.nulls = nulls
        self.numbers = numbers
        self.ticks = ticks
        self.unit = unit
        self.words = words or {}
        self.others = others

    def seconds(self) -> Any:
        """The times in seconds since 1970."""
        return self.ticks * {"D": 86400.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}[self.unit]
