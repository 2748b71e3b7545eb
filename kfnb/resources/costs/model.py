"""What is known of costs: of runs that have something in common, and of other places where they could have run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kfnb.entities import Listing
from kfnb.prices.rates import Cost, Rates


@dataclass(frozen=True)
class CostGroup:
    """Runs that have a pipeline, an experiment, ... in common: ``name``, empty for those that have none.

    ``unknown`` is how many attempts of their tasks have no record of what they occupied; ``cost`` is without these.
    """

    name: str
    runs: int
    cost: Cost
    unknown: int = 0


@dataclass(frozen=True)
class CostDay:
    """What the runs cost that ended on a day (ISO, local time)."""

    day: str
    runs: int
    amount: float | None


@dataclass(frozen=True)
class Place:
    """What the same would have cost elsewhere, by the prices of ``rates``.

    ``break_even`` is the share of the time that a bought machine has to be used for, to be as cheap as this place; None
    without such a machine, above 1 if it never is.
    """

    rates: Rates
    cost: Cost
    break_even: float | None = None


@dataclass(frozen=True)
class OwnMachine:
    """How a bought machine was used: the hours of it that runs took, of the ``hours`` that there were.

    ``standing`` is what it cost in that time however much it was used, ``power`` what its power did. ``needs`` says
    that the runs need more than one such machine.
    """

    used_hours: float
    hours: float
    standing: float
    power: float
    currency: str

    @property
    def utilisation(self) -> float:
        """The share of the time that it was used for."""
        return self.used_hours / self.hours if self.hours else 0.0


class CostReport(Listing[CostGroup]):
    """The costs of the runs that ended from ``since`` until ``until``, by what they have in common (``by``)."""

    def __init__(
        self,
        groups: Iterable[CostGroup],
        *,
        by: str,
        since: float,
        until: float,
        rates: Rates,
        total: CostGroup,
        days: tuple[CostDay, ...] = (),
        places: tuple[Place, ...] = (),
        machine: OwnMachine | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(groups)
        self.by, self.since, self.until, self.rates, self.total = by, since, until, rates, total
        self.days, self.places, self.machine, self.notes = days, places, machine, notes

    def to_frame(self) -> object:
        """The costs as a pandas DataFrame, a row a group."""
        from kfnb.extras import require

        require("pandas", "to_frame")
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    self.by: group.name,
                    "runs": group.runs,
                    "cost": group.cost.amount,
                    "failed": group.cost.failed,
                    "overhead": group.cost.overhead,
                    "saved": group.cost.saved,
                    "unknown_attempts": group.unknown,
                    "currency": group.cost.currency,
                }
                for group in self
            ]
        )
