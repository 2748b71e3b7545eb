"""What is known of costs: of runs that have something in common, of one run, and of other places to run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kfnb.entities import Amounts, Listing, Purpose
from kfnb.prices.rates import Cost, Rates


@dataclass(frozen=True)
class CostGroup:
    """Runs that have a pipeline, an experiment, ... in common: ``name``, empty for those that have none.

    ``cost`` is without ``unknown`` attempts of tasks, which have no record of what they occupied. ``days`` is what the
    runs cost that ended on each day of the report.
    """

    name: str
    runs: int
    cost: Cost
    unknown: int = 0
    days: tuple[float, ...] = ()


@dataclass(frozen=True)
class OfferCost:
    """What the same would have cost elsewhere, by the prices of ``rates``.

    ``break_even`` is the share of the time for which one's own machine has to be used to be as cheap as this place;
    None without such a machine, infinite if it never is.
    """

    rates: Rates
    cost: Cost
    break_even: float | None = None


@dataclass(frozen=True)
class OwnMachine:
    """How a machine that was bought was used: the hours of it that runs took, of the ``hours`` that there were.

    ``standing`` is what it cost in that time however much it was used, ``power`` what its power did.
    """

    used_hours: float
    hours: float
    standing: float
    power: float
    currency: str

    @property
    def utilisation(self) -> float:
        """The share of the time for which it was used; above 1 where one machine is not enough."""
        return self.used_hours / self.hours if self.hours else 0.0


@dataclass(frozen=True)
class CostSpan:
    """Which runs are counted: those that ended from ``since`` until ``until``, by what they have in common."""

    by: str
    since: float
    until: float
    days: tuple[str, ...] = ()


class CostReport(Listing[CostGroup]):
    """What runs cost, the dearest first; ``total`` of all, and ``places`` where they could have run."""

    def __init__(
        self,
        groups: Iterable[CostGroup],
        span: CostSpan,
        rates: Rates,
        total: CostGroup,
        *,
        places: tuple[OfferCost, ...] = (),
        machine: OwnMachine | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(groups)
        self.span, self.rates, self.total = span, rates, total
        self.places, self.machine, self.notes = places, machine, notes

    def to_frame(self) -> object:
        """The costs as a pandas DataFrame, a row a group."""
        from kfnb.extras import require

        require("pandas", "to_frame")
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    self.span.by: group.name,
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

    def __repr__(self) -> str:
        return f"<CostReport of {self.total.runs} runs: {self.total.cost}>"


@dataclass(frozen=True)
class TaskCost:
    """What a task cost: its ``attempts``, how long they took, and what they occupied."""

    task: str
    attempts: int
    seconds: float
    amounts: Amounts
    cost: Cost


@dataclass(frozen=True)
class RunCost:
    """What a run cost, and each of its tasks as far as that is known; ``occupied`` by what came of it."""

    run: str
    pipeline: str
    rates: Rates
    cost: Cost
    occupied: Mapping[Purpose, Amounts] = field(default_factory=dict)
    tasks: tuple[TaskCost, ...] = ()


class OfferList(Listing[Rates]):
    """Offers by which costs can be computed; ``used`` is the name of the one by which they are."""

    def __init__(self, offers: Iterable[Rates], used: str) -> None:
        super().__init__(offers)
        self.used = used
