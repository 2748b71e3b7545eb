"""The profile of a table: what is known of its columns, small enough to be kept with a version, a model or a window.

Its JSON is what ``capture.embedded.profiles`` makes, ``counting`` counts and ``distances`` compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class ColumnProfile:
    """What is known of a column's values.

    ``type`` is Arrow's name of its type. ``nulls`` are missing values, including NaN; None where that is unknown.
    ``infinite`` values are in no other figure. Of numbers and times: the minimum, the maximum and the ``edges`` of 20
    quantiles with the count of each bin; fewer where edges coincide. A bin includes its lower edge, the last one both.
    Times are ISO texts as minimum and maximum, seconds since 1970 as edges. Of numbers, the mean and the median too. Of
    texts, categories, truth values, and numbers of at most 20 different values: the ``top`` values with their counts,
    most frequent first, and the count of all ``other`` values: texts have at most 100 different ones, or the 20 most
    frequent and the ``edges`` of their lengths. ``distinct`` is None above 10,000. Of what was not measured (a large
    file's columns), only what the file states is given.

    What was counted into the bins of a reference has its edges and its top values. Values beyond the edges are
    ``below`` and ``above``; values of another kind (texts among numbers) are ``mistyped`` and in no other figure; of
    ``other`` values, those are ``unseen``, with counts, that the reference would have had among its own.
    """

    name: str
    type: str
    rows: int
    nulls: int | None
    distinct: int | None = None
    minimum: float | str | None = None
    maximum: float | str | None = None
    mean: float | None = None
    median: float | None = None
    infinite: int = 0
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    top: tuple[tuple[str, int], ...] = ()
    other: int = 0
    below: int = 0
    above: int = 0
    unseen: tuple[tuple[str, int], ...] = ()
    mistyped: int = 0

    @property
    def measured(self) -> bool:
        """Whether its distribution is known, rather than only what a file states of the column."""
        empty = self.nulls is not None and self.nulls + self.infinite == self.rows
        return bool(self.edges or self.top) or empty

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers that were measured."""
        return isinstance(self.minimum, int | float)

    @property
    def textual(self) -> bool:
        """Whether its values are texts, categories or truth values that were counted."""
        return bool(self.top) and self.minimum is None

    @property
    def missing(self) -> float:
        """The share of missing values; 0 where it is unknown."""
        return (self.nulls or 0) / self.rows if self.rows else 0.0

    def to_json(self) -> dict[str, Any]:
        """The column as JSON has it, without the fields that have their default."""
        pairs = {one.name: (getattr(self, one.name), one.default) for one in fields(self)}
        return {name: value for name, (value, default) in pairs.items() if value != default}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> ColumnProfile:
        """A column of its JSON; fields that are unknown are left out. Raises ``TypeError`` and ``ValueError``."""
        given = {one.name: found[one.name] for one in fields(cls) if one.name in found}
        for name in ("edges", "counts"):
            given[name] = tuple(given.get(name, ()))
        for name in ("top", "unseen"):
            given[name] = tuple((str(value), int(count)) for value, count in given.get(name, ()))
        return cls(**given)


@dataclass(frozen=True)
class TableProfile:
    """The profile of a table of ``rows``. ``data`` is the digest of its data version, ``transform`` of its transform.

    A column that was missing in some of the rows that were counted has fewer rows than the table.
    """

    columns: tuple[ColumnProfile, ...]
    rows: int
    data: str = ""
    transform: str = ""

    def to_json(self) -> dict[str, Any]:
        """The profile as JSON has it."""
        facts = {"format": 1, "rows": self.rows, "data": self.data, "transform": self.transform}
        return {**facts, "columns": [column.to_json() for column in self.columns]}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> TableProfile:
        """A profile of its JSON. Raises ``TypeError``, ``ValueError`` and ``KeyError`` for what is not one."""
        columns = tuple(ColumnProfile.from_json(column) for column in found["columns"])
        return cls(columns, int(found["rows"]), str(found.get("data", "")), str(found.get("transform", "")))

    def column(self, name: str) -> ColumnProfile | None:
        """The column of that name."""
        return next((column for column in self.columns if column.name == name), None)
