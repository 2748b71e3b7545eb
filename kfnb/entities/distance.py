"""How far a column of a window is from the same column of a reference profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class ColumnDistance:
    """How far a column is from its reference. Pairs are of the reference and of the window.

    ``change`` is ``missing`` or ``extra`` for a column that only one of them has, about which nothing else is known.
    ``sort`` is ``numbers``, ``words``, ``times`` or another type. ``psi``, ``js`` (Jensen-Shannon, 0 to 1), ``ks`` and
    ``wasserstein`` (in the column's unit) are None where there is nothing to compare: times, lists. ``limit`` is that
    of ``psi``, and ``p`` the probability that chance alone moved it as far, which is a note: with many rows each
    difference is significant. ``enough`` is whether there were 200 rows on both sides: fewer tell nothing.
    ``nulls``, ``mistyped`` (texts among numbers) and ``outside`` (beyond the reference's minimum and maximum) are
    shares, ``unseen`` the categories that the reference does not have with their counts, ``gone`` those that the window
    should have.
    """

    name: str
    change: str = ""
    sort: str = ""
    types: tuple[str, str] = ("", "")
    rows: tuple[int, int] = (0, 0)
    enough: bool = False
    psi: float | None = None
    limit: float | None = None
    js: float | None = None
    ks: float | None = None
    wasserstein: float | None = None
    p: float | None = None
    nulls: tuple[float, float] = (0.0, 0.0)
    mistyped: float = 0.0
    outside: float = 0.0
    unseen: tuple[tuple[str, int], ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def drifted(self) -> bool:
        """Whether its PSI is over the limit, by enough rows. A missing column has drifted too."""
        if self.change == "missing":
            return True
        return self.enough and self.psi is not None and self.limit is not None and self.psi > self.limit

    def to_json(self) -> dict[str, Any]:
        """The distance as JSON has it."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> ColumnDistance:
        """A distance of its JSON; fields that are unknown are left out. Raises ``TypeError`` and ``ValueError``."""
        given = {one.name: found[one.name] for one in fields(cls) if one.name in found}
        for name in ("types", "rows", "nulls", "gone"):
            if name in given:
                given[name] = tuple(given[name])
        given["unseen"] = tuple((str(value), int(count)) for value, count in given.get("unseen", ()))
        return cls(**given)
